"""Pixel metrics by distance: how far away an anomaly is still found (METHOD section 3)."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.evaluation.pixel_counts import PixelCounts
from hybrid_seg_ros.evaluation.summary import figures

Distance = npt.NDArray[np.float32]
Labels = npt.NDArray[np.uint8]

# Every bin of distances has counts of its own: fewer bits than of the whole set, still all of float16.
_MANTISSA_BITS = 12


@dataclass(frozen=True, slots=True)
class DistanceBin:
    """Pixel metrics of one range of distances; None where it has no known or no anomaly pixel.

    Attributes:
        low_m: nearest distance, m.
        high_m: farthest distance, m; not in this bin.
        ap: average precision in 0..1.
        fpr95: FPR at TPR 95 % in 0..1.
        known: pixels.
        anomaly: pixels.
        ap_error: how far the exact AP can be away, 0 where it is exact.
        fpr95_error: the same of FPR95.
    """

    low_m: float
    high_m: float
    ap: float | None
    fpr95: float | None
    known: int
    anomaly: int
    ap_error: float = 0.0
    fpr95_error: float = 0.0


def distance_map(disparity: npt.NDArray[np.floating], baseline_m: float, focal_px: float) -> Distance:
    """Distance in m, float32[H, W] = baseline * focal length / disparity; NaN where the disparity says nothing.

    Args:
        disparity: float[H, W], px at the size that the focal length is of; not positive or NaN: unknown.
        baseline_m: of the stereo camera, m.
        focal_px: focal length, px.

    Raises:
        ValueError: baseline or focal length not positive.
    """
    if not (baseline_m > 0 and focal_px > 0):
        raise ValueError(f"baseline is {baseline_m} m, focal length {focal_px} px; expected both positive")
    known = np.isfinite(disparity) & (disparity > 0)
    distance = np.full(disparity.shape, np.nan, np.float32)
    np.divide(np.float32(baseline_m * focal_px), disparity, out=distance, where=known, casting="same_kind")
    return distance


class DistanceCounts:
    """Streaming counts per range of distances.

    Args:
        width_m: of a range, m.
        limit_m: what is farther counts as `beyond`, m.

    Attributes:
        unknown: labelled pixels without a distance.
        beyond: labelled pixels farther than the limit.

    Raises:
        ValueError: a width or limit that is not positive.
    """

    def __init__(self, width_m: float = 5.0, limit_m: float = 150.0) -> None:
        if not 0 < width_m <= limit_m < float("inf"):
            raise ValueError(f"width is {width_m} m, limit {limit_m} m; expected 0 < width <= limit")
        self.unknown = 0
        self.beyond = 0
        self._width, self._limit = width_m, limit_m
        self._counts: dict[int, PixelCounts] = {}

    def add(self, score: npt.NDArray[np.floating], anomaly: Labels, distance_m: npt.NDArray[np.floating]) -> None:
        """Count one image; nothing is counted where it raises.

        Args:
            score: float[H, W], higher = more anomalous.
            anomaly: uint8[H, W], 0 known, 1 anomaly, else void.
            distance_m: float[H, W], m, NaN where unknown.

        Raises:
            ValueError: shapes differ, or a labelled pixel's score is NaN.
        """
        if not score.shape == anomaly.shape == distance_m.shape:
            shapes = ", ".join(str(array.shape) for array in (score, anomaly, distance_m))
            raise ValueError(f"score, anomaly and distance are {shapes}; expected equal shapes")
        labelled = anomaly <= 1
        values, labels, distances = score[labelled], anomaly[labelled], distance_m[labelled]
        if missing := int(np.count_nonzero(np.isnan(values))):
            raise ValueError(f"score holds {missing} NaN among its {values.size} labelled pixels")
        known = distances >= 0
        near = known & (distances < self._limit)
        self.unknown += int(np.count_nonzero(~known))
        self.beyond += int(np.count_nonzero(known & ~near))
        values, labels = values[near], labels[near]
        # A distance just below the limit must not be rounded beyond the last range.
        last = math.ceil(self._limit / self._width) - 1
        places = np.minimum((distances[near] / distances.dtype.type(self._width)).astype(np.int32), last)
        for place in np.flatnonzero(np.bincount(places)).tolist():
            here = places == place
            self._at(place).add(values[here], labels[here])

    def merge(self, other: "DistanceCounts") -> None:
        """Add what another one counted.

        Raises:
            ValueError: it has other ranges.
        """
        if (other._width, other._limit) != (self._width, self._limit):
            raise ValueError(
                f"ranges of {other._width} m to {other._limit} m, expected {self._width} m to {self._limit} m"
            )
        self.unknown += other.unknown
        self.beyond += other.beyond
        for place, counts in other._counts.items():
            self._at(place).merge(counts)

    def result(self) -> list[DistanceBin]:
        """The ranges up to the farthest with a labelled pixel, nearest first."""
        found = []
        for place in range(max(self._counts, default=-1) + 1):
            counts = self._counts.get(place) or PixelCounts(_MANTISSA_BITS)
            here = figures(counts)
            found.append(
                DistanceBin(
                    low_m=place * self._width,
                    high_m=min((place + 1) * self._width, self._limit),
                    ap=here.ap,
                    fpr95=here.fpr95,
                    known=counts.known,
                    anomaly=counts.anomaly,
                    ap_error=here.ap_error,
                    fpr95_error=here.fpr95_error,
                )
            )
        return found

    def _at(self, place: int) -> PixelCounts:
        if place not in self._counts:
            self._counts[place] = PixelCounts(_MANTISSA_BITS)
        return self._counts[place]
