"""Accuracy of what was known when each frame came: a late answer is an answer about the past.

Streaming accuracy of Li, Wang and Ramanan, "Towards Streaming Perception" (ECCV 2020): at every frame's stamp the
truth of that frame is compared with the newest result that had arrived by then.
"""

import heapq
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.evaluation.confusion import confusion_matrix, mean_iou
from hybrid_seg_ros.evaluation.pixel_counts import PixelCounts
from hybrid_seg_ros.evaluation.summary import figures

T = TypeVar("T")
Labels = npt.NDArray[np.uint8]
Score = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Current(Generic[T]):
    """What a listener knows at some time: the result, and the stamp of the frame that it is of."""

    stamp_ns: int
    result: T


class CurrentResults(Generic[T]):
    """Which result is current at which time; holds what has not arrived yet and the newest that has."""

    def __init__(self) -> None:
        self._coming: list[tuple[int, int, int, T]] = []  # heap on arrival, stamp, then a number that is never equal
        self._count = 0
        self._current: Current[T] | None = None
        self._last_ns: int | None = None

    def arrive(self, stamp_ns: int, arrival_ns: int, result: T) -> None:
        """Tell of a result; before `at` is asked for a time at or after its arrival.

        Args:
            stamp_ns: stamp of the frame that it is of; each frame has one result at most.
            arrival_ns: when it arrived, on the stamps' clock.
            result: anything.

        Raises:
            ValueError: it arrived before its frame.
        """
        if arrival_ns < stamp_ns:
            raise ValueError(
                f"the result of the frame stamped {stamp_ns} ns arrived at {arrival_ns} ns, before its frame;"
                " expected stamps and arrivals of one clock"
            )
        heapq.heappush(self._coming, (arrival_ns, stamp_ns, self._count, result))
        self._count += 1

    def at(self, time_ns: int) -> Current[T] | None:
        """The newest result that had arrived by then, or None; times must not go back.

        A result that arrives after that of a newer frame is never current: a listener goes by the stamps.

        Raises:
            ValueError: asked for an earlier time than before.
        """
        if self._last_ns is not None and time_ns < self._last_ns:
            raise ValueError(f"asked for {time_ns} ns after {self._last_ns} ns; expected ascending times")
        self._last_ns = time_ns
        while self._coming and self._coming[0][0] <= time_ns:
            _, stamp_ns, _, result = heapq.heappop(self._coming)
            if self._current is None or stamp_ns > self._current.stamp_ns:
                self._current = Current(stamp_ns, result)
        return self._current


@dataclass(frozen=True, slots=True)
class Prediction:
    """One frame's result: labels uint8[H, W] and score float32[H, W], None where not published."""

    labels: Labels | None
    score: Score | None


@dataclass(frozen=True, slots=True)
class DelayedFigures:
    """Over all frames that came when anything was known; None where there is nothing to take it of.

    Attributes:
        miou: mean IoU of the current labels against each frame's truth, 0..1.
        ap: average precision of the current score, 0..1.
        mean_delay_s: mean age of the current result's frame, s.
        frames: how many frames these figures are of.
        frames_before: how many came before anything was known; they are in none of the figures.
    """

    miou: float | None
    ap: float | None
    mean_delay_s: float | None
    frames: int
    frames_before: int


class DelayedAccuracy:
    """Streaming accuracy over a drive; memory holds the results that are on their way."""

    def __init__(self, classes: int) -> None:
        """Take labels 0..classes-1."""
        self._classes = classes
        self._results: CurrentResults[Prediction] = CurrentResults()
        self._matrix = np.zeros((classes, classes), np.int64)
        self._counts = PixelCounts()
        self._delays_ns: list[int] = []
        self._before = 0

    def add(
        self,
        stamp_ns: int,
        result: Prediction | None,
        arrival_ns: int | None,
        *,
        labels: Labels | None,
        anomaly: Labels | None,
    ) -> None:
        """The next frame in stamp order, its own result where it was answered, and its truth.

        Args:
            stamp_ns: the frame's stamp.
            result: of this frame; None where it was not answered. Kept, so must not be overwritten.
            arrival_ns: when that arrived, on the stamps' clock; None = at once.
            labels: uint8[H, W] true class ids, void and unknown as 255; None where not known.
            anomaly: uint8[H, W], 0 known, 1 anomaly, else void; None where not known.

        Raises:
            ValueError: stamps go back, a result before its frame, shapes that differ, or a score that is NaN.
        """
        if result is not None:
            self._results.arrive(stamp_ns, stamp_ns if arrival_ns is None else arrival_ns, result)
        current = self._results.at(stamp_ns)
        if current is None:
            self._before += 1
            return
        self._delays_ns.append(stamp_ns - current.stamp_ns)
        known = current.result
        if labels is not None and known.labels is not None:
            self._matrix += confusion_matrix(known.labels, labels, self._classes)
        if anomaly is not None and known.score is not None:
            self._counts.add(known.score, anomaly)

    def figures(self) -> DelayedFigures:
        """Of all frames so far."""
        return DelayedFigures(
            miou=mean_iou(self._matrix) if self._matrix.any() else None,
            ap=figures(self._counts).ap,
            mean_delay_s=float(np.mean(self._delays_ns)) / 1e9 if self._delays_ns else None,
            frames=len(self._delays_ns),
            frames_before=self._before,
        )
