"""Jobs that workers are tested with; functions of a module, as processes can be told to run them."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Task:
    """What a job does, and where it says that it did."""

    what: str
    folder: Path
    number: int = 0


def work(task: Task) -> tuple[int, int, list[int]]:
    """(number, process id, cores), or a death of the kind asked for."""
    mark = task.folder / f"{task.number}.started"
    mark.write_text(str(os.getpid()))
    if task.what == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if task.what == "exit":
        os._exit(7)
    if task.what == "sleep":
        nurse = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        (task.folder / f"{task.number}.child").write_text(str(nurse.pid))
        try:
            time.sleep(600)
        finally:
            nurse.kill()
            nurse.wait()
            (task.folder / f"{task.number}.unwound").touch()
    return task.number, os.getpid(), sorted(os.sched_getaffinity(0))


def interrupted_parent(folder: Path) -> None:
    """A process with two sleeping workers, for a test to interrupt."""
    from hybrid_seg_ros.assessment.workers import in_processes

    for _ in in_processes(work, [Task("fine", folder, 9), Task("sleep", folder, 0), Task("sleep", folder, 1)], 2):
        (folder / "one_done").touch()


if __name__ == "__main__":
    interrupted_parent(Path(sys.argv[1]))
