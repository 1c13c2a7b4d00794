"""Accuracy of what was known when each frame came, over a recording (see `evaluation.latency_aware`)."""

from dataclasses import dataclass

import numpy as np

from hybrid_seg_ros.assessment.frame_truth import FrameTruth
from hybrid_seg_ros.bags import Result
from hybrid_seg_ros.evaluation.confusion import VOID, confusion_matrix, mean_iou
from hybrid_seg_ros.evaluation.latency_aware import CurrentResults
from hybrid_seg_ros.evaluation.pixel_counts import PixelCounts
from hybrid_seg_ros.evaluation.summary import figures


@dataclass(frozen=True, slots=True)
class Arrived:
    """A result and when it arrived, ns on the clock of the stamps."""

    result: Result
    arrival_ns: int


class Delayed:
    """Streaming: what has not arrived yet is in memory."""

    def __init__(self, classes: int) -> None:
        self._current: CurrentResults[Result] = CurrentResults()
        self._confusion = np.zeros((classes, classes), np.int64)
        self._counts = PixelCounts()
        self._delays: list[float] = []

    def add(self, stamp_ns: int, arrived: Arrived | None, truth: FrameTruth | None) -> None:
        """The next frame in stamp order: its own result, if it ever came, and its truth.

        Raises:
            ValueError: stamps go back, or sizes differ.
        """
        if arrived is not None:
            self._delays.append((arrived.arrival_ns - stamp_ns) / 1e9)
            self._current.arrive(stamp_ns, arrived.arrival_ns, arrived.result)
        known = self._current.at(stamp_ns)
        if known is None or truth is None:
            return
        result = known.result
        if result.labels is not None and truth.labels is not None:
            self._confusion += confusion_matrix(result.labels, truth.labels, len(self._confusion), void=VOID)
        if result.score is not None and truth.anomaly is not None:
            self._counts.add(result.score, truth.anomaly)

    @property
    def miou(self) -> float | None:
        """None where nothing was known, or nothing is true."""
        return mean_iou(self._confusion) if self._confusion.any() else None

    @property
    def ap(self) -> float | None:
        """None without known or anomaly pixels."""
        return figures(self._counts).ap

    @property
    def mean_delay_s(self) -> float | None:
        """From stamp to arrival; None without results."""
        return float(np.mean(self._delays)) if self._delays else None
