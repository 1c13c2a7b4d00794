"""One recording, evaluated: offline or through the real node, against ground truth or without any."""

import contextlib
import math
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from hybrid_seg_ros.assessment.frame_truth import FrameTruth
from hybrid_seg_ros.assessment.recorded_results import Frames, RecordedResults, list_frames
from hybrid_seg_ros.assessment.recording_document import CONFUSION, COUNTS, document
from hybrid_seg_ros.assessment.recording_judge import Judge
from hybrid_seg_ros.assessment.recording_options import Matching, Mode, RecordingOptions
from hybrid_seg_ros.assessment.recording_pictures import Album, frames_at, suspicious
from hybrid_seg_ros.assessment.recording_run import Run, run_recording
from hybrid_seg_ros.assessment.truth_sources import open_truth
from hybrid_seg_ros.bags import Result
from hybrid_seg_ros.bundle import Bundle, find_bundle, load_bundle
from hybrid_seg_ros.evaluation.components import ComponentMetrics, component_metrics
from hybrid_seg_ros.evaluation.summary import figures
from hybrid_seg_ros.report.document import Evaluation, Picture, write_evaluation

__all__ = ["CONFUSION", "COUNTS", "RESULTS", "Matching", "Mode", "RecordingOptions", "assess_recording"]

RESULTS = "results"
PICTURES = "pictures"
_MADE = (RESULTS, PICTURES, "logs")
_FILES = (COUNTS, CONFUSION, "answers.csv", "evaluation.json")


def assess_recording(bag: Path, options: RecordingOptions, *, out: Path, progress: bool = True) -> Evaluation:
    """Run, judge and write `out`/evaluation.json, pictures/, results/ and what pooling several recordings needs.

    Offline the same recording and options give the same document but for date, seconds and times. A frame that
    cannot be judged is a problem of the document, not the end.

    Args:
        bag: rosbag2 folder, or a .mcap or .db3 file.
        options: how.
        out: folder to make; what an earlier run made in it is replaced.
        progress: show progress bars on stderr.

    Raises:
        BagError: the recording cannot be used.
        BundleError: the bundle cannot be used.
        TruthError: the ground truth that was named cannot be used.
        ProcessError: the node or the replay failed; carries the end of the node's log.
    """
    started = time.monotonic()
    bundle = load_bundle(find_bundle(options.bundle))
    frames = list_frames(bag, options.image_topic, besides=[options.truth_topic] if options.truth_topic else [])
    # What is wrong with the truth should be known before a long run, not after it.
    truth = open_truth(bag, frames.stamps, options, len(bundle.manifest.classes))
    if truth is not None:
        truth.close()
    _prepare(out, options)
    run = run_recording(bag, frames, bundle, options, out, progress=progress)
    case = _Case(bag, frames, bundle, options, run)
    evaluation = case.judged(out, progress=progress)
    evaluation = evaluation.model_copy(update={"seconds": round(time.monotonic() - started, 3)})
    write_evaluation(out / "evaluation.json", evaluation)
    return evaluation


def _prepare(out: Path, options: RecordingOptions) -> None:
    """Make the folder, or empty it of what an earlier run made; results that are to be judged stay.

    Raises:
        FileExistsError: what lies where the results go was made by somebody else.
    """
    kept = None if options.results is None else options.results.resolve()
    out.mkdir(parents=True, exist_ok=True)
    made = any((out / name).exists() for name in _FILES) or kept == (out / RESULTS).resolve()
    if (out / RESULTS).exists() and not made:
        raise FileExistsError(f"{out / RESULTS} exists and was not made by an evaluation; name another folder")
    for name in _MADE:
        if (out / name).is_dir() and (out / name).resolve() != kept:
            shutil.rmtree(out / name)
    for name in _FILES:
        (out / name).unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class _Judged:
    """One frame with all that belongs to it."""

    index: int
    result: Result | None
    truth: FrameTruth | None


@dataclass(frozen=True, slots=True)
class _Case:
    """A run that has ended, to be judged."""

    bag: Path
    frames: Frames
    bundle: Bundle
    options: RecordingOptions
    run: Run

    def judged(self, out: Path, *, progress: bool) -> Evaluation:
        problems: list[tuple[str, str]] = []
        threshold = self._threshold()
        manifest = self.bundle.manifest
        with Judge(manifest, threshold, timed=self.frames.ascending, late=self.run.late) as judge:
            others = None if self.options.against is None else RecordedResults(self.options.against)
            for frame in self._frames(problems, "judge", progress):
                answer = self.run.answers[frame.index]
                latency, arrival = answer.latency_ms, None
                if self.run.late and latency is not None:
                    arrival = answer.stamp_ns + round(latency * 1e6 * self.options.speed)
                other = None if others is None else others.at(answer.stamp_ns)
                try:
                    judge.add(frame.index, answer, frame.result, frame.truth, arrival_ns=arrival, other=other)
                except ValueError as error:
                    problems.append((f"frame {frame.index}", str(error)))
            components = self._components(judge, progress)
            pictures = self._pictures(judge, threshold, out / PICTURES)
            described, found = self._truth_problems()
            problems += [("ground truth", problem) for problem in found]
            if others is not None:
                problems += [("the other run", problem) for problem in others.problems]
                if judge.agreement is None:
                    what = f"{self.options.against}: no result in it for a frame that was answered here"
                    problems.append(("the other run", what))
            return document(
                self.bag,
                self.frames,
                self.bundle,
                self.run,
                judge,
                threshold=threshold,
                truth=described,
                against="" if self.options.against is None else "/".join(self.options.against.resolve().parts[-2:]),
                components=components,
                pictures=pictures,
                problems=problems,
                out=out,
            )

    def _frames(self, problems: list[tuple[str, str]], what: str, progress: bool) -> Iterator[_Judged]:
        """Every frame in the order of the recording, one in memory."""
        results = RecordedResults(self.run.results, self.run.name)
        truth = open_truth(self.bag, self.frames.stamps, self.options, len(self.bundle.manifest.classes))
        with contextlib.ExitStack() as stack:
            if truth is not None:
                stack.callback(truth.close)
            bar = tqdm(self.frames.stamps, unit="frame", desc=what, disable=not progress)
            for index, stamp in enumerate(bar):
                answered = self.run.answers[index].state == "answered"
                result = results.at(stamp) if answered else None
                expected = None
                if answered and result is None:
                    problems.append((f"frame {index}", "its result arrived, but it is not in the recording"))
                try:
                    expected = None if truth is None else truth.at(index, stamp)
                except (ValueError, OSError) as error:
                    problems.append((f"frame {index}", f"its ground truth: {error}"))
                yield _Judged(index, result, expected)
        problems += [("results", problem) for problem in results.problems]

    def _threshold(self) -> float:
        """What made the recorded masks, as the recording says; else the bundle's."""
        results = RecordedResults(self.run.results, self.run.name)
        for answer in self.run.answers:
            result = results.at(answer.stamp_ns)
            if result is not None and math.isfinite(result.threshold):
                return result.threshold
        return self.run.network.threshold or 0.0

    def _components(self, judge: Judge, progress: bool) -> tuple[ComponentMetrics, float] | None:
        """At the threshold of the best pixel F1, in a second pass; None where there is no such threshold."""
        threshold = figures(judge.tally.counts[judge.kind]).best_f1_threshold
        if threshold is None:
            return None
        pairs = (
            (frame.result.score, frame.truth.anomaly)
            for frame in self._frames([], "components", progress)
            if frame.result is not None and frame.result.score is not None
            if frame.truth is not None and frame.truth.anomaly is not None
            if frame.result.score.shape == frame.truth.anomaly.shape
        )
        return component_metrics(pairs, threshold, "obstacle"), threshold

    def _pictures(self, judge: Judge, threshold: float, folder: Path) -> list[Picture]:
        """Strips of the worst false alarms and misses; without labels of anomalies the most suspicious frames."""
        count = self.options.pictures
        by_kind: dict[str, int] = {}
        chosen = []
        for finding in judge.worst.findings():
            by_kind[finding.kind] = by_kind.get(finding.kind, 0) + 1
            if by_kind[finding.kind] <= count:
                chosen.append(finding)
        odd = [] if judge.with_anomaly_labels else suspicious(judge.obstacle_pixels, len(self.frames.stamps), count)
        wanted = {finding.index for finding in chosen} | set(odd)
        if not wanted or not count:
            return []
        album = Album(folder, self.bundle.manifest, self.frames.stamps[0])
        pictures = dict(frames_at(self.bag, self.frames.topic, sorted(wanted)))
        made: list[Picture | None] = []
        for frame in self._frames([], "pictures", False):
            image = pictures.get(frame.index)
            if image is None or frame.result is None:
                continue
            if frame.index in odd:
                pixels = judge.obstacle_pixels[frame.index]
                made.append(album.suspicious(frame.index, image, frame.result, threshold, pixels))
            for finding in (f for f in chosen if f.index == frame.index):
                if frame.truth is not None and frame.truth.anomaly is not None:
                    made.append(album.finding(finding, image, frame.result, frame.truth.anomaly, threshold))
        return sorted((p for p in made if p is not None), key=lambda p: (p.kind, -p.pixels, p.frame))

    def _truth_problems(self) -> tuple[str, list[str]]:
        truth = open_truth(self.bag, self.frames.stamps, self.options, len(self.bundle.manifest.classes))
        if truth is None:
            return "", []
        with contextlib.closing(truth):
            return truth.description, list(truth.problems)
