"""What the results of a recording are worth, frame after frame; memory does not grow with the pixels."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.assessment.agreement import RunAgreement
from hybrid_seg_ros.assessment.delayed import Arrived, Delayed
from hybrid_seg_ros.assessment.frame_truth import FrameTruth
from hybrid_seg_ros.assessment.scores import ScoreMaps
from hybrid_seg_ros.assessment.tally import Tally, Truth
from hybrid_seg_ros.assessment.worst import Worst
from hybrid_seg_ros.bags import Result
from hybrid_seg_ros.bags.answers import Answer
from hybrid_seg_ros.bundle import Manifest
from hybrid_seg_ros.evaluation.detection import DetectionWatch
from hybrid_seg_ros.evaluation.pixel import pixel_metrics
from hybrid_seg_ros.evaluation.ranking import labelled_pixels
from hybrid_seg_ros.evaluation.temporal import TemporalConsistency
from hybrid_seg_ros.report.document import FrameRow

Score = npt.NDArray[np.float32]


class Judge:
    """Takes the frames in the order of the recording; a context manager.

    Args:
        manifest: of the bundle that made the results.
        threshold: of their masks.
        timed: whether stamps ascend, so that times mean something.
        late: whether results arrived at times of their own.

    Attributes:
        tally: pixels by score and class, and what the confidence means; of frames with truth.
        temporal: of all frames.
        watch: obstacles; of frames with instances.
        delayed: accuracy of what was known in time; None where nothing arrived late.
        worst: false alarms and misses; of frames with labels of anomalies.
        agreement: with another run; None without one.
        rows: a line a frame.
        obstacle_pixels: pixels of the mask, by index of the frame.
        judged: frames whose result and truth were compared.
        with_anomaly_labels: of these, frames with labels of anomalies.
        frames_with_obstacles: frames whose truth has instances.
    """

    def __init__(self, manifest: Manifest, threshold: float, *, timed: bool, late: bool) -> None:
        classes = len(manifest.classes)
        self.kind = manifest.score.kind
        self.tally = Tally([self.kind], classes, per_image=False)
        self.temporal = TemporalConsistency(classes)
        self.watch = DetectionWatch()
        self.delayed = Delayed(classes) if timed and late else None
        self.worst = Worst(threshold, "obstacle")
        self.agreement: RunAgreement | None = None
        self.rows: list[FrameRow] = []
        self.obstacle_pixels: dict[int, int] = {}
        self.judged = 0
        self.with_anomaly_labels = 0
        self.frames_with_obstacles = 0
        self._timed = timed
        self._start_ns: int | None = None
        self._shape: tuple[int, ...] | None = None
        self._workers = ThreadPoolExecutor(1)

    def __enter__(self) -> "Judge":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._workers.shutdown()

    def add(
        self,
        index: int,
        answer: Answer,
        result: Result | None,
        truth: FrameTruth | None,
        *,
        arrival_ns: int | None = None,
        other: Result | None = None,
    ) -> None:
        """The next frame.

        Args:
            index: its number.
            answer: what became of it.
            result: its own, if it was answered.
            truth: what is really there, if that is known.
            arrival_ns: when its result arrived, on the clock of the stamps; None: at once.
            other: the other run's result.

        Raises:
            ValueError: result and truth do not fit; what does not need both has been counted.
        """
        stamp = answer.stamp_ns
        self._start_ns = stamp if self._start_ns is None else self._start_ns
        rate = None
        if result is not None and result.mask is not None:
            self.obstacle_pixels[index] = int(np.count_nonzero(result.mask))
            rate = self.obstacle_pixels[index] / result.mask.size
        row = FrameRow(
            index=index,
            stamp_s=(stamp - self._start_ns) / 1e9,
            state=answer.state,
            latency_ms=answer.latency_ms,
            anomaly_rate=rate,
        )
        self.rows.append(row)
        # Each by itself: what one of them cannot use, the others may.
        steps: list[Callable[[], None]] = [lambda: self._steady(result)]
        if result is not None and other is not None:
            steps.append(lambda: self._agree(result, other))
        if self.delayed is not None:
            delayed = self.delayed
            arrived = None if result is None or arrival_ns is None else Arrived(result, arrival_ns)
            steps.append(lambda: self._late(delayed, stamp, arrived, truth))
        if truth is not None:
            steps.append(lambda: self._watch(stamp, result, truth, arrival_ns))
        if truth is not None and result is not None:
            steps.append(lambda: self._compare(index, result, truth))
        errors = []
        for step in steps:
            try:
                step()
            except ValueError as error:
                errors.append(str(error))
        if errors:
            raise ValueError("; ".join(dict.fromkeys(errors)))

    def _steady(self, result: Result | None) -> None:
        """Frames of two sizes, as of a camera that was switched over, are no neighbours."""
        found = () if result is None else (result.labels, result.mask)
        shape = next((array.shape for array in found if array is not None), None)
        if result is None or shape != self._shape:
            self.temporal.add(None, None)
        self._shape = shape
        if result is not None:
            self.temporal.add(result.labels, result.mask)

    def _late(self, delayed: Delayed, stamp: int, arrived: Arrived | None, truth: FrameTruth | None) -> None:
        try:
            delayed.add(stamp, arrived, truth)
        except ValueError as error:
            raise ValueError(f"delayed accuracy: {error}") from error

    def _agree(self, result: Result, other: Result) -> None:
        self.agreement = self.agreement or RunAgreement()
        self.agreement.add(result, other)

    def _watch(self, stamp: int, result: Result | None, truth: FrameTruth, arrival_ns: int | None) -> None:
        if truth.instances is None or not self._timed:
            return
        self.frames_with_obstacles += 1
        mask = None if result is None else result.mask
        self.watch.add(stamp, truth.instances, mask, arrival_ns=arrival_ns, obstacles=truth.obstacles)

    def _compare(self, index: int, result: Result, truth: FrameTruth) -> None:
        anomaly = truth.anomaly if result.score is not None else None
        labels = truth.labels if result.labels is not None else None
        if anomaly is None and labels is None:
            return
        scores: dict[str, Score] = {} if result.score is None else {self.kind: result.score}
        self.tally.add(ScoreMaps(scores, result.labels, result.confidence), Truth(anomaly, labels), self._workers)
        self.judged += 1
        if anomaly is None or result.score is None:
            return
        self.with_anomaly_labels += 1
        self.worst.add(index, result.score, anomaly)
        score, positive = labelled_pixels(result.score, anomaly)
        if positive.any() and not positive.all():
            ap = pixel_metrics(score, positive).average_precision
            self.rows[-1] = self.rows[-1].model_copy(update={"ap": ap})
