"""Many recordings: each evaluated in a process of its own, here or on a Ray cluster, and none of them twice."""

import contextlib
import hashlib
import shutil
import sys
import textwrap
import traceback
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tqdm import tqdm

from hybrid_seg_ros.assessment.option_paths import for_recording, refuse_common, short
from hybrid_seg_ros.assessment.ray_workers import on_ray
from hybrid_seg_ros.assessment.recording import RESULTS, assess_recording
from hybrid_seg_ros.assessment.recording_options import RecordingOptions
from hybrid_seg_ros.assessment.run_key import DOCUMENT, RunKey, forget, is_done, run_key, write_key
from hybrid_seg_ros.assessment.workers import Lost, in_processes
from hybrid_seg_ros.report.document import Evaluation, read_evaluation

_LINE = 400
"""Characters of an error that are told of a recording among many: with the topics that one could choose."""

RECORDINGS = "recordings"
ERROR = "error.txt"
UNFINISHED = "unfinished"
"""Empty file in the folder of a single recording while its evaluation runs."""


@dataclass(frozen=True, slots=True)
class RecordingJob:
    """One recording to evaluate.

    Attributes:
        bag: the recording.
        options: how.
        folder: where the results go.
        key: what it was when the run began; another machine must find the same.
        title: what to say on stderr before its progress bars; "" shows neither.
    """

    bag: Path
    options: RecordingOptions
    folder: Path
    key: RunKey
    title: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one recording.

    Attributes:
        name: of the recording, unlike all others of the run.
        bag: the recording.
        folder: its results.
        state: "done" now, "kept" from an earlier run, or "failed".
        error: why it failed, in a line; "" otherwise. The folder's error.txt says more.
    """

    name: str
    bag: Path
    folder: Path
    state: Literal["done", "kept", "failed"]
    error: str = ""

    def evaluation(self) -> Evaluation:
        """Its evaluation.

        Raises:
            DocumentError: it failed.
        """
        return read_evaluation(self.folder / DOCUMENT)


Assess = Callable[[RecordingJob], str]


def assess_many(
    bags: Sequence[Path],
    options: RecordingOptions,
    *,
    out: Path,
    jobs: int = 1,
    ray: str | None = None,
    again: bool = False,
    progress: bool = True,
    assess: Assess | None = None,
) -> list[Outcome]:
    """Evaluate recordings, each in a folder of its own below `out`/recordings.

    One that fails is reported and the others go on. What is finished stays finished when the run is interrupted: the
    next one with the same recordings, bundle and options keeps it. The results do not depend on `jobs` and `ray`.

    Args:
        bags: recordings; see `bags.find.find_recordings`.
        options: of each; see `for_recording` for paths that differ.
        out: folder of the whole run.
        jobs: how many at the same time; on a cluster the most at the same time, 0 = as many as it has cores.
        ray: address of a Ray cluster; None works on this machine.
        again: evaluate what is finished already, too.
        progress: show a progress bar on stderr.
        assess: what is done with each recording, a function of a module; None evaluates it.

    Returns:
        One outcome for each recording, in their order.

    Raises:
        ValueError: jobs out of range, or measuring a node while other jobs keep the machine busy.
        RuntimeError: Ray is not installed, or no cluster answers.
    """
    if jobs < 1 and not (jobs == 0 and ray is not None):
        raise ValueError(f"jobs is {jobs}, expected at least 1")
    if options.mode == "online" and (jobs != 1 or ray is not None):
        raise ValueError("online measures latency and load, which other jobs would change: leave out --jobs and --ray")
    found: dict[int, Outcome] = {}
    tasks: dict[int, RecordingJob] = {}
    names = _names(bags)
    if len(bags) > 1:
        refuse_common(options)
    # One at a time may show its own progress.
    alone = progress and jobs == 1 and ray is None
    for index, bag in enumerate(bag.resolve() for bag in bags):
        folder = _folder(out, bag)
        own = for_recording(options, bag)
        try:
            key = run_key(bag, own)
        except OSError as error:
            found[index] = _failed(names[index], bag, folder, str(error))
            if progress:
                print(f"{bag}: {error}", file=sys.stderr)
            continue
        if not again and is_done(folder, key):
            found[index] = Outcome(names[index], bag, folder, "kept")
        else:
            title = f"{names[index]} ({index + 1} of {len(bags)})" if alone else ""
            tasks[index] = RecordingJob(bag, own, folder, key, title)
    places = list(tasks)
    quiet = not progress or alone
    with (
        contextlib.closing(_results(assess or assess_job, list(tasks.values()), jobs, ray)) as results,
        tqdm(total=len(bags), initial=len(found), unit="recording", desc="evaluate", disable=quiet) as bar,
    ):
        for place, result in results:
            index = places[place]
            name, bag, folder = names[index], tasks[index].bag, tasks[index].folder
            why = result.reason if isinstance(result, Lost) else result
            found[index] = _failed(name, bag, folder, why) if why else Outcome(name, bag, folder, "done")
            if why and progress:
                bar.write(f"{bag}: {why}", file=sys.stderr)
            bar.update()
    return [found[index] for index in range(len(bags))]


def evaluate_once(
    bag: Path, options: RecordingOptions, *, out: Path, again: bool = False, progress: bool = True
) -> tuple[Evaluation, bool]:
    """One recording in this process, its results right in `out`; whether they were there already.

    Raises:
        BagError, BundleError, ProcessError: see `assess_recording`.
    """
    own = for_recording(options, bag)
    key = run_key(bag.resolve(), own)
    if not again and is_done(out, key):
        return read_evaluation(out / DOCUMENT), True
    forget(out)
    _begin(out, own)
    evaluation = assess_recording(bag, own, out=out, progress=progress)
    if _whole(evaluation):
        write_key(out, key)
    (out / UNFINISHED).unlink(missing_ok=True)
    return evaluation, False


def finished(bags: Sequence[Path], options: RecordingOptions, *, out: Path) -> int:
    """How many of the recordings a run of `assess_many` would keep."""
    whole = [bag.resolve() for bag in bags]
    return sum(is_done(_folder(out, bag), run_key(bag, for_recording(options, bag))) for bag in whole)


def assess_job(job: RecordingJob) -> str:
    """Evaluate one recording; why it failed, in a line, or "" where it did not."""
    try:
        _clear(job)
        if run_key(job.bag, job.options) != job.key:
            raise ValueError(
                "the recording, the bundle or the package here is not that of the machine which asked: expected the "
                "same files on every machine, and no change while the run goes on"
            )
        if job.title:
            print(job.title, file=sys.stderr, flush=True)
        evaluation = assess_recording(job.bag, job.options, out=job.folder, progress=bool(job.title))
        if _whole(evaluation):
            write_key(job.folder, job.key)
    except Exception as error:  # whatever is wrong with one recording, the others go on
        with contextlib.suppress(OSError):
            job.folder.mkdir(parents=True, exist_ok=True)
            (job.folder / ERROR).write_text(traceback.format_exc(), encoding="utf-8")
        return textwrap.shorten(str(error), _LINE, placeholder=" ...") or type(error).__name__
    return ""


def _whole(evaluation: Evaluation) -> bool:
    """Whether nothing is left to do. Offline a frame is left out only where the disk was full, as the document says."""
    node = evaluation.node
    return node is None or node.mode != "offline" or not node.dropped


def _begin(out: Path, options: RecordingOptions) -> None:
    """Take away what a run that was cut off left; results of unknown origin stay, and are an error later."""
    if (out / UNFINISHED).exists() and options.results is None:
        shutil.rmtree(out / RESULTS, ignore_errors=True)
    if (out / DOCUMENT).exists() or not (out / RESULTS).exists():
        out.mkdir(parents=True, exist_ok=True)
        (out / UNFINISHED).touch()


def _clear(job: RecordingJob) -> None:
    """Take away what an earlier run left in the folder, perhaps one that was cut off, but nothing that is asked for."""
    forget(job.folder)
    given = (job.options.truth, job.options.results, job.options.against)
    if job.folder.exists() and not any(path.is_relative_to(job.folder) for path in given if path is not None):
        shutil.rmtree(job.folder)


def _results(
    assess: Assess, tasks: Sequence[RecordingJob], jobs: int, ray: str | None
) -> Generator[tuple[int, str | Lost], None, None]:
    if not tasks:
        return
    if ray is None:
        yield from in_processes(assess, tasks, jobs)
    else:
        gpus = 1 if tasks[0].options.backend == "tensorrt" else 0
        yield from on_ray(assess, tasks, address=ray, workers=jobs or None, gpus=gpus)


def _failed(name: str, bag: Path, folder: Path, error: str) -> Outcome:
    return Outcome(name, bag, folder, "failed", error)


def _folder(out: Path, bag: Path) -> Path:
    """Readable, and the same whichever other recordings are evaluated with it."""
    name = "_".join(short(bag).parts[1:][-2:])
    return out.resolve() / RECORDINGS / f"{name}-{hashlib.sha256(str(bag).encode()).hexdigest()[:8]}"


def _names(bags: Sequence[Path]) -> list[str]:
    """The shortest ends of the paths that tell the recordings apart."""
    parts = [short(bag.resolve()).parts for bag in bags]
    longest = max((len(p) for p in parts), default=1)
    for depth in range(1, longest + 1):
        names = ["/".join(p[-depth:]) for p in parts]
        if len(set(names)) == len(names):
            return names
    return [str(bag) for bag in bags]
