"""Parts of several evaluations as one, exactly: what weights and sums can do."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.evaluation.pixel_counts import PixelCounts
from hybrid_seg_ros.evaluation.score_bins import bin_of
from hybrid_seg_ros.evaluation.summary import thin_curve
from hybrid_seg_ros.report.document import Blocks, Calibration, ClassBlocks, ReliabilityBin, Times

# Resampling fewer recordings than this says little about the next one.
MIN_BLOCKS = 10
_LOWEST = -float(np.finfo(np.float32).max)


def pooled_blocks(recordings: Sequence[tuple[int, PixelCounts]], total: PixelCounts) -> Blocks | None:
    """One block for each recording: frames of one drive are alike, those of two drives are not.

    Args:
        recordings: images and counts of each.
        total: the counts of all.

    Returns:
        Exact counts at thresholds of the common curve; None for fewer than MIN_BLOCKS recordings, or without a curve.
    """
    curve = thin_curve(total, 128)
    if curve is None or len(recordings) < MIN_BLOCKS:
        return None
    places = np.array([bin_of(threshold, total.mantissa_bits) for threshold in curve.thresholds])
    known, anomaly = [], []
    for _, counts in recordings:
        numbers, of_known, of_anomaly = counts.bins()
        known.append(_above(numbers, of_known, places))
        anomaly.append(_above(numbers, of_anomaly, places))
    images = [count for count, _ in recordings]
    return Blocks(thresholds=[*curve.thresholds, _LOWEST], images=images, known=known, anomaly=anomaly)


def pooled_class_blocks(parts: Sequence[ClassBlocks | None]) -> ClassBlocks | None:
    """The blocks of all recordings, one after the other; None where one has none."""
    found = [part for part in parts if part is not None]
    if not found or len(found) < len(parts):
        return None
    return ClassBlocks(
        images=[n for part in found for n in part.images],
        intersection=[row for part in found for row in part.intersection],
        predicted=[row for part in found for row in part.predicted],
        truth=[row for part in found for row in part.truth],
    )


def pooled_calibration(parts: Sequence[Calibration]) -> Calibration | None:
    """Means of each bin weighted by its pixels, and the ECE of the result; None without parts of the same bins."""
    edges = {tuple((b.low, b.high) for b in part.bins) for part in parts}
    if len(edges) != 1:
        return None
    bins = [_pooled_bin([part.bins[i] for part in parts]) for i in range(len(parts[0].bins))]
    pixels = sum(b.pixels for b in bins)
    gaps = [
        b.pixels * abs(b.confidence - b.accuracy) for b in bins if b.confidence is not None and b.accuracy is not None
    ]
    return Calibration(ece=sum(gaps) / pixels if pixels else None, bins=bins)


def pooled_times(values_ms: Sequence[float]) -> Times | None:
    """The distribution of durations, ms; None of none."""
    if not values_ms:
        return None
    values = np.asarray(values_ms, np.float64)
    p50, p90, p99 = (float(v) for v in np.percentile(values, [50, 90, 99]))
    return Times(
        count=values.size,
        mean=float(values.mean()),
        p50=p50,
        p90=p90,
        p99=p99,
        max=float(values.max()),
        jitter=float(values.std()),
    )


def _above(numbers: npt.NDArray[np.int64], pixels: npt.NDArray[np.int64], places: npt.NDArray[np.int64]) -> list[int]:
    """Pixels in the bins from each place on, and at the end all of them."""
    below = np.concatenate([[0], np.cumsum(pixels)])
    total = int(below[-1])
    return [*(total - int(below[i]) for i in np.searchsorted(numbers, places)), total]


def _pooled_bin(bins: Sequence[ReliabilityBin]) -> ReliabilityBin:
    pixels = sum(b.pixels for b in bins)
    return ReliabilityBin(
        low=bins[0].low,
        high=bins[0].high,
        confidence=_mean([(b.pixels, b.confidence) for b in bins]),
        accuracy=_mean([(b.pixels, b.accuracy) for b in bins]),
        pixels=pixels,
    )


def _mean(weighted: Sequence[tuple[int, float | None]]) -> float | None:
    known = [(weight, value) for weight, value in weighted if value is not None and weight]
    return sum(w * v for w, v in known) / sum(w for w, _ in known) if known else None
