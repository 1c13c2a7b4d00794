"""Component metrics of SegmentMeIfYouCan: objects found or missed instead of pixels (METHOD section 3)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.evaluation.operating import operating_points
from hybrid_seg_ros.evaluation.ranking import labelled_pixels

Track = Literal["anomaly", "obstacle"]
ScoreOrMask = npt.NDArray[np.floating] | npt.NDArray[np.bool_]
Labels = npt.NDArray[np.uint8]
Ids = npt.NDArray[np.int32]

SIOU_THRESHOLDS: tuple[float, ...] = tuple(np.linspace(0.25, 0.75, 11).tolist())
"""The eleven thresholds that mean F1 is the mean over."""


@dataclass(frozen=True, slots=True)
class TrackSizes:
    """What is too small to count on a track.

    Attributes:
        predicted: predicted components with fewer pixels are dropped.
        ground_truth: ground-truth components with fewer pixels become void.
    """

    predicted: int
    ground_truth: int


TRACKS: dict[Track, TrackSizes] = {"anomaly": TrackSizes(500, 100), "obstacle": TrackSizes(50, 10)}


@dataclass(frozen=True, slots=True)
class ComponentMetrics:
    """Figures in 0..1 over all components of a set; NaN where there is no component to take a mean of.

    Attributes:
        mean_siou: mean sIoU_gt of the ground-truth components.
        mean_ppv: mean PPV of the predicted components.
        mean_f1: mean of `f1_by_threshold`.
        f1_by_threshold: F1 at each of SIOU_THRESHOLDS.
        ground_truth: how many ground-truth components counted.
        predicted: how many predicted components counted.
    """

    mean_siou: float
    mean_ppv: float
    mean_f1: float
    f1_by_threshold: tuple[float, ...]
    ground_truth: int
    predicted: int


def component_metrics(
    images: Iterable[tuple[ScoreOrMask, Labels]], threshold: float | None = None, track: Track = "anomaly"
) -> ComponentMetrics:
    """Component metrics of a set, one image in memory at a time.

    Per image: prediction = score > threshold, zeroed in void; components of 8-connectivity; those too small for the
    track go. For a ground-truth component k: P(k) = union of the predicted components that touch it, I = |k & P(k)|,
    A = pixels of P(k) on other ground-truth components, sIoU_gt(k) = I / (|P(k)| + |k| - I - A). For a predicted
    component p: PPV(p) = |p & ground truth| / |p|. At each threshold t: TP = #(sIoU_gt >= t), FN = #(sIoU_gt < t),
    FP = #(PPV < t), F1 = 2 TP / (2 TP + FN + FP).

    Args:
        images: (float[H, W] score, higher = more anomalous, or bool[H, W] mask; uint8[H, W] with 0 known, 1 anomaly,
            anything else void).
        threshold: what makes masks of scores, strictly above it; the benchmark takes `best_f1_threshold` of the set.
        track: whose component sizes count.

    Raises:
        ValueError: an unknown track, shapes that differ, or a score without a threshold.
    """
    counts = ComponentCounts(track)
    for prediction, labels in images:
        counts.add(prediction, labels, threshold)
    return counts.result()


class ComponentCounts:
    """The same image after image; memory grows by 8 bytes per component.

    One thread at a time may add; threads count on their own and `merge`, in an order of their own if they like.

    Args:
        track: whose component sizes count.

    Raises:
        ValueError: an unknown track.
    """

    def __init__(self, track: Track = "anomaly") -> None:
        if track not in TRACKS:
            raise ValueError(f"track is {track!r}, expected one of {', '.join(TRACKS)}")
        self.track: Track = track
        self._siou, self._ppv = [np.empty(0)], [np.empty(0)]

    def add(self, prediction: ScoreOrMask, labels: Labels, threshold: float | None = None) -> None:
        """Count one image; arguments and errors of `component_metrics`."""
        siou, ppv = _compare(_mask(prediction, labels, threshold), labels, TRACKS[self.track])
        self._siou.append(siou)
        self._ppv.append(ppv)

    def merge(self, other: "ComponentCounts") -> None:
        """Add what another one counted.

        Raises:
            ValueError: it is of another track.
        """
        if other.track != self.track:
            raise ValueError(f"components of the track {other.track!r}, expected {self.track!r}")
        self._siou += other._siou
        self._ppv += other._ppv

    def result(self) -> ComponentMetrics:
        """The figures over all images."""
        return _summary(np.sort(np.concatenate(self._siou)), np.sort(np.concatenate(self._ppv)))


def best_f1_threshold(images: Iterable[tuple[npt.NDArray[np.floating], Labels]]) -> float:
    """The threshold of the highest pixel F1 over the pooled pixels of a set, for `score > threshold`.

    Args:
        images: as for `component_metrics`; the scores of all are pooled in memory.

    Raises:
        ValueError: see `ranking.ranking_curve`.
    """
    pixels = [labelled_pixels(score, labels) for score, labels in images]
    scores, positives = (np.concatenate(parts) for parts in zip(*pixels, strict=True))
    return operating_points(scores, positives)["best_f1"].threshold


def label_components(mask: npt.NDArray[np.bool_]) -> tuple[Ids, npt.NDArray[np.int64]]:
    """8-connected components of bool[H, W]: ids int32[H, W], 0 outside, and pixels int64[n + 1] of each id."""
    count, ids = cv2.connectedComponents(np.ascontiguousarray(mask, np.uint8), connectivity=8, ltype=cv2.CV_32S)
    return np.asarray(ids, np.int32), np.bincount(ids.ravel(), minlength=count)


def _mask(prediction: ScoreOrMask, labels: Labels, threshold: float | None) -> npt.NDArray[np.bool_]:
    if prediction.shape != labels.shape:
        raise ValueError(f"prediction is {prediction.shape}, the anomaly labels {labels.shape}; expected equal shapes")
    if prediction.dtype == np.bool_:
        return np.asarray(prediction.astype(bool, copy=False) & (labels <= 1))
    if threshold is None:
        raise ValueError(f"prediction is {prediction.dtype}: a score needs a threshold; or give a mask of bool")
    # A threshold between two float16 must stay there.
    kind = np.promote_types(prediction.dtype, np.float32)
    return np.asarray((prediction > kind.type(threshold)) & (labels <= 1))


def _compare(
    mask: npt.NDArray[np.bool_], labels: Labels, sizes: TrackSizes
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """sIoU_gt of every ground-truth component and PPV of every predicted one that counts, of one image."""
    truth, truth_pixels = label_components(labels == 1)
    found, found_pixels = label_components(mask)
    truth_numbers = _numbers(truth_pixels >= sizes.ground_truth)
    found_numbers = _numbers(found_pixels >= sizes.predicted)
    # Everything else is asked at predicted pixels only, which are few.
    at = np.flatnonzero(mask)
    t, f = truth_numbers[truth.ravel()[at]], found_numbers[found.ravel()[at]]
    # Void leaves all areas, but cuts no predicted component in two: ids and sizes were taken before.
    counts = (f > 0) & ((t > 0) | (labels.ravel()[at] == 0))
    t, f = t[counts], f[counts]
    truth_pixels = truth_pixels[truth_numbers > 0]
    found_pixels = np.bincount(f, minlength=int(found_numbers.max()) + 1)[1:]
    # Only pairs that share a pixel: all of them together could be too many to hold.
    shared = t > 0
    codes = (t[shared] - 1) * found_pixels.size + f[shared] - 1
    pairs, pixels = np.unique(codes, return_counts=True)
    k, p = np.divmod(pairs, max(found_pixels.size, 1))
    covered = np.bincount(p, weights=pixels, minlength=found_pixels.size)
    intersection = np.bincount(k, weights=pixels, minlength=truth_pixels.size)
    # |P(k)| = I + A + what P(k) covers outside of every component, so |P(k)| + |k| - I - A = |k| + that.
    outside = np.bincount(k, weights=(found_pixels - covered)[p], minlength=truth_pixels.size)
    counted = found_pixels > 0
    return intersection / (truth_pixels + outside), covered[counted] / found_pixels[counted]


def _numbers(kept: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """New ids of components, counted through from 1, int64[n + 1]; 0 for those that are not kept and for id 0."""
    chosen = kept.copy()
    chosen[0] = False
    return np.where(chosen, np.cumsum(chosen), 0)


def _summary(siou: npt.NDArray[np.float64], ppv: npt.NDArray[np.float64]) -> ComponentMetrics:
    f1 = tuple(_f1(siou, ppv, threshold) for threshold in SIOU_THRESHOLDS)
    return ComponentMetrics(_mean(siou), _mean(ppv), _mean(np.array(f1)), f1, siou.size, ppv.size)


def _f1(siou: npt.NDArray[np.float64], ppv: npt.NDArray[np.float64], threshold: float) -> float:
    hits = int((siou >= threshold).sum())
    counted = 2 * hits + int((siou < threshold).sum()) + int((ppv < threshold).sum())
    return 2 * hits / counted if counted else float("nan")


def _mean(values: npt.NDArray[np.float64]) -> float:
    return float(values.mean()) if values.size else float("nan")
