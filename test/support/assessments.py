"""What stands for the evaluation of a recording where only the orchestration is tested."""

import os
import signal

from hybrid_seg_ros.assessment.many import RecordingJob
from hybrid_seg_ros.assessment.run_key import DOCUMENT, forget, write_key
from hybrid_seg_ros.report.document import Evaluation, Network, write_evaluation


def assess_stand_in(job: RecordingJob) -> str:
    """Counts its runs beside the recording; fails or dies where the folder's name says so."""
    forget(job.folder)
    with (job.bag.parent / "runs").open("a") as runs:
        runs.write("|")
    if job.bag.parent.name.endswith("x"):
        return "broken on purpose"
    if job.bag.parent.name.endswith("k"):
        os.kill(os.getpid(), signal.SIGKILL)
    found = Evaluation(kind="recording", name=job.bag.name, network=Network(name="none"), images=1)
    write_evaluation(job.folder / DOCUMENT, found)
    write_key(job.folder, job.key)
    return ""
