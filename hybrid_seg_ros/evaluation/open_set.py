"""open-mIoU: what closed-set accuracy remains when unknown objects are there and may be rejected (METHOD section 3)."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.evaluation.confusion import VOID, mean_iou
from hybrid_seg_ros.evaluation.pixel_counts import PixelCounts
from hybrid_seg_ros.evaluation.score_bins import CHUNK_BITS, MANTISSA_BITS, bins_of, count_class_bins, lowest_score

Score = npt.NDArray[np.floating]
Labels = npt.NDArray[np.uint8]
Counts = npt.NDArray[np.int64]

_MANTISSA_BITS = 10  # of float16: its scores are exact, others are known to 0.1 %
_TPR = 0.95


@dataclass(frozen=True, slots=True)
class OpenSet:
    """Figures in 0..1; None where a fold has no threshold or no known class is there.

    Attributes:
        open_miou: mean IoU of the known classes, anomalies counted and pixels above the threshold rejected.
        closed_miou: mean IoU of the known classes over the known pixels of all images, nothing rejected. The authors
            of open-mIoU pool both folds here, and average them there.
        gap: closed_miou - open_miou.
        thresholds: of each fold for `score > threshold`, from the other one at TPR 95 %.
        open_miou_error: how far the exact open_miou can be away, 0 where it is exact.
    """

    open_miou: float | None
    closed_miou: float | None
    gap: float | None
    thresholds: list[float]
    open_miou_error: float = 0.0


class OpenSetCounts:
    """Streaming counts of two folds, each image seen once: the threshold of a fold is known only after the other.

    So hits and predictions of every class are counted by score. All thresholds then follow at the end.

    Args:
        classes: number of known classes K.

    Attributes:
        classes: as given.
    """

    def __init__(self, classes: int) -> None:
        self.classes = classes
        self._folds = (_Fold(classes), _Fold(classes))

    def add(self, score: Score, predicted: Labels, labels: Labels, anomaly: Labels, fold: int) -> None:
        """Count one image; nothing is counted where it raises.

        Args:
            score: float[H, W], higher = more anomalous.
            predicted: uint8[H, W], ids of known classes, whatever the score says.
            labels: uint8[H, W], ids of known classes or 255; not looked at where there is an anomaly.
            anomaly: uint8[H, W], 0 known, 1 anomaly, else void, which does not count.
            fold: 0 or 1.

        Raises:
            ValueError: shapes differ, ids outside of 0..K-1, NaN in a labelled pixel, or another fold.
        """
        if fold not in (0, 1):
            raise ValueError(f"fold is {fold}, expected 0 or 1")
        if not score.shape == predicted.shape == labels.shape == anomaly.shape:
            shapes = ", ".join(str(array.shape) for array in (score, predicted, labels, anomaly))
            raise ValueError(f"score, predicted, labels and anomaly are {shapes}; expected equal shapes")
        counted = (anomaly == 1) | ((anomaly == 0) & (labels != VOID))
        truth = np.where(anomaly == 1, np.uint8(self.classes), labels)[counted]
        guess = predicted[counted]
        for name, ids in (("labels", labels[counted & (anomaly == 0)]), ("prediction", guess)):
            if ids.size and ids.max() >= self.classes:
                raise ValueError(f"{name} holds id {ids.max()}, expected 0..{self.classes - 1}")
        self._folds[fold].add(score, anomaly, counted, truth, guess)

    def merge(self, other: "OpenSetCounts") -> None:
        """Add what another one counted.

        Raises:
            ValueError: it has other classes.
        """
        if other.classes != self.classes:
            raise ValueError(f"counts of {other.classes} classes, expected {self.classes}")
        for mine, theirs in zip(self._folds, other._folds, strict=True):
            mine.merge(theirs)

    def result(self) -> OpenSet:
        """open-mIoU is the mean of both folds, weighted by their images."""
        pairs = [(fold, other.tpr_bin()) for fold, other in zip(self._folds, self._folds[::-1], strict=True)]
        used = [(fold, place) for fold, place in pairs if fold.images]
        pooled = mean_iou(self._folds[0].confusion[:-1] + self._folds[1].confusion[:-1])
        closed = None if np.isnan(pooled) else pooled
        placed = [(fold, place) for fold, place in used if place is not None]
        if not used or len(placed) < len(used):
            return OpenSet(None, closed, None, [])
        told, low, high = (
            _weighted([(fold.images, fold.open_miou(*(place + add for add in limits))) for fold, place in placed])
            for limits in ((0, 0), (0, 1), (1, 0))
        )
        if told is None or low is None or high is None:
            return OpenSet(None, closed, None, [])
        exact = all(fold.pixels.exact for fold in self._folds)
        return OpenSet(
            open_miou=told,
            closed_miou=closed,
            gap=None if closed is None else closed - told,
            thresholds=[_below(place) for _, place in placed],
            open_miou_error=0.0 if exact else max(told - low, high - told, 0.0),
        )


class _Fold:
    """Counts of one fold.

    Attributes:
        images: how many.
        pixels: known and anomaly pixels by score.
        confusion: int64[K + 1, K], row = truth, the last row anomalies, column = prediction, nothing rejected.
    """

    def __init__(self, classes: int) -> None:
        bins = bins_of(_MANTISSA_BITS)
        self.images = 0
        self.pixels = PixelCounts(_MANTISSA_BITS)
        self.confusion: Counts = np.zeros((classes + 1, classes), np.int64)
        # Predictions and hits by score. Zeros of the system: a page takes memory once it is written to.
        self._by_score: Counts = np.zeros((bins, classes, 2), np.int64)
        self._touched = np.zeros(bins >> CHUNK_BITS, np.bool_)

    def add(self, score: Score, anomaly: Labels, counted: npt.NDArray[np.bool_], truth: Labels, guess: Labels) -> None:
        self.pixels.add(score, anomaly)
        bits = np.ascontiguousarray(score, np.float32)[counted].view(np.uint32)
        count_class_bins(bits, truth, guess, MANTISSA_BITS - _MANTISSA_BITS, self._by_score, self._touched)
        rows, columns = self.confusion.shape
        codes = truth.astype(np.int64) * columns + guess
        self.confusion += np.bincount(codes, minlength=rows * columns).reshape(rows, columns)
        self.images += 1

    def merge(self, other: "_Fold") -> None:
        self.images += other.images
        self.pixels.merge(other.pixels)
        self.confusion += other.confusion
        for start in np.flatnonzero(other._touched) << CHUNK_BITS:
            chunk = slice(int(start), int(start) + (1 << CHUNK_BITS))
            self._by_score[chunk] += other._by_score[chunk]
        self._touched |= other._touched

    def tpr_bin(self) -> int | None:
        """The highest bin such that at least 95 % of the anomaly pixels lie in it or above; None without any."""
        numbers, _, anomaly = self.pixels.bins()
        if not anomaly.any():
            return None
        tpr = np.cumsum(anomaly[::-1]) / anomaly.sum()
        return int(numbers[::-1][int(np.argmax(tpr >= _TPR))])

    def open_miou(self, hits_below: int, predictions_below: int) -> float:
        """Mean IoU where hits, and predictions, are accepted in the bins below; both are the same but for bounds."""
        hits = self._accepted(hits_below)[:, 1]
        predictions = np.maximum(self._accepted(predictions_below)[:, 0], hits)
        union = predictions + self.confusion[:-1].sum(axis=1) - hits
        there = union > 0
        return float((hits[there] / union[there]).mean()) if there.any() else float("nan")

    def _accepted(self, below: int) -> Counts:
        """Predictions and hits of every class, int64[K, 2], in the bins below."""
        total = np.zeros(self._by_score.shape[1:], np.int64)
        for start in np.flatnonzero(self._touched) << CHUNK_BITS:
            total += self._by_score[int(start) : max(min(int(start) + (1 << CHUNK_BITS), below), int(start))].sum(
                axis=0
            )
        return total


def _weighted(values: list[tuple[int, float]]) -> float | None:
    """Mean of (images, value), weighted by the images; None where there is none or one is not defined."""
    images = sum(weight for weight, _ in values)
    if not images or any(np.isnan(value) for _, value in values):
        return None
    return float(sum(weight * value for weight, value in values) / images)


def _below(place: int) -> float:
    """The threshold for `score > threshold` that a bin is the first above."""
    largest = float(np.finfo(np.float32).max)
    value = np.nextafter(lowest_score(np.array([place]), _MANTISSA_BITS)[0], np.float32(-np.inf))
    return min(max(float(value), -largest), largest)
