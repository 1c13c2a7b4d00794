"""What counted pixels look like: a curve of few points and a histogram, both with exact numbers."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.evaluation.pixel_counts import Counts, PixelCounts
from hybrid_seg_ros.evaluation.score_bins import bin_of, lowest_score

_LARGEST = float(np.finfo(np.float32).max)
# Share of the pixels of either kind that a histogram leaves to its outer bins, at each end.
_TAIL = 5e-4


@dataclass(frozen=True, slots=True)
class Curve:
    """Exact rates at some thresholds of `score >= threshold`, descending."""

    thresholds: list[float]
    tpr: list[float]
    fpr: list[float]
    precision: list[float]


@dataclass(frozen=True, slots=True)
class Histogram:
    """Exact pixels with edges[i] <= score < edges[i + 1]; the outer bins also hold what lies beyond."""

    edges: list[float]
    known: list[int]
    anomaly: list[int]


def thin_curve(counts: PixelCounts, points: int = 400, *, above: Collection[float] = ()) -> Curve | None:
    """At most so many points of the curve, spread over its recall and its false-positive rate, small rates included.

    The highest and the lowest threshold are among them, and beside all of these the point of each `score > threshold`
    of `above`: the curve says of operating points what they are. None without known or anomaly pixels.

    Raises:
        ValueError: fewer than 8 points.
    """
    if points < 8:
        raise ValueError(f"points is {points}, expected 8 or more")
    if not (counts.known and counts.anomaly):
        return None
    curve = counts.curve()
    size, third = len(curve.thresholds), (points - 2) // 3
    if size <= points:
        kept = np.arange(size)
    else:
        wanted = np.linspace(0, 1, third)
        small = np.geomspace(1 / curve.false_positives[-1], 1, third)
        places = (
            np.searchsorted(curve.tpr, wanted),
            np.searchsorted(curve.fpr, wanted),
            np.searchsorted(curve.fpr, small),
            [0, size - 1],
            np.array([max(np.count_nonzero(curve.thresholds > value) - 1, 0) for value in above], np.intp),
        )
        kept = np.unique(np.minimum(np.concatenate(places), size - 1))
    return Curve(
        [finite(value) for value in curve.thresholds[kept].tolist()],
        curve.tpr[kept].tolist(),
        curve.fpr[kept].tolist(),
        curve.precision[kept].tolist(),
    )


def histogram(counts: PixelCounts, bins: int = 100) -> Histogram | None:
    """Pixels in bins of equal width over all but the rarest scores; None where no pixel was counted.

    Edges are moved by less than a bin of the counts, onto its edge, so that the numbers are exact.
    """
    numbers, known, anomaly = counts.bins()
    if not numbers.size:
        return None
    values = np.clip(lowest_score(numbers, counts.mantissa_bits).astype(np.float64), -_LARGEST, _LARGEST)
    ends = [_range(values, kind) for kind in (known, anomaly) if kind.any()]
    low, high = min(end[0] for end in ends), max(end[1] for end in ends)
    # Wide enough that no two edges fall on the same edge of the counts' bins, and that the last value is inside.
    width = max((high - low) * (1 + 1e-9), 4 * bins * max(abs(low), abs(high)) * 2.0**-counts.mantissa_bits, 1e-9)
    low = max(min(low, _LARGEST - width), -_LARGEST)
    spaced = np.clip(low + width * np.linspace(0, 1, bins + 1), -_LARGEST, _LARGEST)
    edges = np.unique([bin_of(value, counts.mantissa_bits) for value in spaced.tolist()])
    place = np.clip(np.searchsorted(edges, numbers, side="right") - 1, 0, edges.size - 2)
    return Histogram(
        [finite(value) for value in lowest_score(edges, counts.mantissa_bits).tolist()],
        _sums(place, known, edges.size - 1),
        _sums(place, anomaly, edges.size - 1),
    )


def _range(values: npt.NDArray[np.float64], pixels: Counts) -> tuple[float, float]:
    """Lowest and highest value without the tails."""
    share = np.cumsum(pixels) / pixels.sum()
    low, high = np.searchsorted(share, _TAIL, side="right"), np.searchsorted(share, 1 - _TAIL)
    return float(values[low]), float(values[min(int(high), values.size - 1)])


def _sums(place: npt.NDArray[np.intp], pixels: Counts, bins: int) -> list[int]:
    total = np.zeros(bins, np.int64)
    np.add.at(total, place, pixels)
    return [int(count) for count in total]


def finite(value: float) -> float:
    """The value, or the largest float32 of its sign in place of an infinite one, which JSON cannot hold."""
    return min(max(value, -_LARGEST), _LARGEST)
