"""Whether a confidence means something: reliability bins and the expected calibration error (Guo et al., 2017)."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.evaluation.confusion import VOID


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Pixels with low <= confidence < high; the last bin holds 1, too. Means are None where there is no pixel.

    Attributes:
        low: lower edge.
        high: upper edge.
        confidence: mean confidence.
        accuracy: share of pixels with the right class.
        pixels: how many.
    """

    low: float
    high: float
    confidence: float | None
    accuracy: float | None
    pixels: int


@dataclass(frozen=True, slots=True)
class Calibration:
    """Expected calibration error in 0..1, None without pixels, and the bins that it is made of."""

    ece: float | None
    bins: list[ReliabilityBin]


class CalibrationCounts:
    """Streaming reliability on bins of equal width; exact, as the error is defined on these bins.

    Args:
        bins: how many, 1 or more; 15 is the field's habit.

    Raises:
        ValueError: fewer than 1 bin.
    """

    def __init__(self, bins: int = 15) -> None:
        if bins < 1:
            raise ValueError(f"bins is {bins}, expected 1 or more")
        # Rows: pixels, sum of confidence, right ones.
        self._sums = np.zeros((3, bins), np.float64)

    def add(
        self, confidence: npt.NDArray[np.floating], predicted: npt.NDArray[np.uint8], labels: npt.NDArray[np.uint8]
    ) -> None:
        """Count one image; nothing is counted where it raises.

        Args:
            confidence: float[H, W] in 0..1, that the predicted class is right.
            predicted: uint8[H, W] class ids.
            labels: uint8[H, W] class ids, 255 does not count.

        Raises:
            ValueError: shapes differ, or a labelled pixel's confidence is not within 0..1.
        """
        if not confidence.shape == predicted.shape == labels.shape:
            shapes = ", ".join(str(array.shape) for array in (confidence, predicted, labels))
            raise ValueError(f"confidence, predicted and labels are {shapes}; expected equal shapes")
        counted = labels != VOID
        values = confidence[counted].astype(np.float64)
        outside = int(np.count_nonzero(~((values >= 0) & (values <= 1))))
        if outside:
            raise ValueError(f"confidence of {outside} of {values.size} labelled pixels is not within 0..1")
        bins = self._sums.shape[1]
        place = np.minimum((values * bins).astype(np.int64), bins - 1)
        right = (predicted == labels)[counted]
        for row, weights in enumerate((None, values, right)):
            self._sums[row] += np.bincount(place, weights=weights, minlength=bins)

    def merge(self, other: "CalibrationCounts") -> None:
        """Add what another one counted.

        Raises:
            ValueError: it has another number of bins.
        """
        if other._sums.shape != self._sums.shape:
            raise ValueError(f"counts of {other._sums.shape[1]} bins, expected {self._sums.shape[1]}")
        self._sums += other._sums

    def result(self) -> Calibration:
        """The bins, and the mean of |accuracy - confidence| weighted by their pixels."""
        pixels, confidence, right = self._sums
        edges = np.linspace(0, 1, pixels.size + 1).tolist()
        bins = [
            ReliabilityBin(
                edges[i],
                edges[i + 1],
                float(confidence[i] / count) if count else None,
                float(right[i] / count) if count else None,
                int(count),
            )
            for i, count in enumerate(pixels.tolist())
        ]
        total = float(pixels.sum())
        return Calibration(float(np.abs(right - confidence).sum()) / total if total else None, bins)
