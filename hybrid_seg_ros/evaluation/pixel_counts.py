"""Known and anomaly pixels counted by score, image after image: the pixel metrics of any number of images."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.evaluation.npz import read_npz, write_npz
from hybrid_seg_ros.evaluation.ranking import RankingCurve
from hybrid_seg_ros.evaluation.score_bins import (
    CHUNK_BITS,
    MANTISSA_BITS,
    bins_of,
    count_bins,
    key_of,
    labelled_nan,
    lowest_score,
)

Score = npt.NDArray[np.floating]
Labels = npt.NDArray[np.uint8]
Counts = npt.NDArray[np.int64]

_FORMAT = 1


class PixelCounts:
    """Streaming counts on the bins of `score_bins`; memory grows with the spread of the scores, not with the images.

    Up to 1 GiB of addresses at 17 mantissa bits, of which the system maps what is touched: 2 MiB per power of two
    that the scores of each sign spread over. Scores of up to `mantissa_bits` mantissa bits (float16: 10) are counted
    exactly; of others the order within a bin is lost, and `summary.figures` says how much that can matter.
    One thread at a time may add; threads count on their own and `merge`.

    Args:
        mantissa_bits: of the bins, 4..20; fewer take less memory.

    Attributes:
        mantissa_bits: as given.
        exact: whether every score so far was alone in its bin, so that nothing is lost.
        void: pixels that were neither known nor anomaly.

    Raises:
        ValueError: mantissa_bits out of range.
    """

    def __init__(self, mantissa_bits: int = 17) -> None:
        bins = bins_of(mantissa_bits)
        self.mantissa_bits = mantissa_bits
        self.exact = True
        self.void = 0
        # Zeros of the system: a page takes memory once it is written to.
        self._counts: Counts = np.zeros((bins, 2), np.int64)
        self._touched = np.zeros(max(bins >> CHUNK_BITS, 1), np.bool_)

    @property
    def known(self) -> int:
        """Known pixels so far."""
        return self._total(0)

    @property
    def anomaly(self) -> int:
        """Anomaly pixels so far."""
        return self._total(1)

    def add(self, score: Score, anomaly: Labels) -> None:
        """Count one image; nothing is counted where it raises.

        Args:
            score: float[H, W] (or any shape), higher = more anomalous; ranked as float32.
            anomaly: uint8 of the same shape, 0 known, 1 anomaly, anything else void.

        Raises:
            ValueError: shapes differ, not float, or a labelled pixel is NaN.
        """
        if score.shape != anomaly.shape:
            raise ValueError(f"score is {score.shape}, the anomaly labels {anomaly.shape}; expected equal shapes")
        if not np.issubdtype(score.dtype, np.floating):
            raise ValueError(f"score is {score.dtype}, expected float16, float32 or float64")
        with np.errstate(over="ignore"):  # beyond float32 it ranks as infinite
            narrow = np.ascontiguousarray(score, np.float32).ravel()
        labels = np.ascontiguousarray(anomaly, np.uint8).ravel()
        if missing := int(labelled_nan(narrow, labels)):
            raise ValueError(f"score holds {missing} NaN among its {int((labels <= 1).sum())} labelled pixels")
        lost = count_bins(narrow.view(np.uint32), labels, self._shift, self._counts, self._touched)
        self.void += int(np.count_nonzero(labels > 1))
        if lost or (score.dtype.itemsize > 4 and bool(np.any((narrow != score.ravel()) & (labels <= 1)))):
            self.exact = False

    def merge(self, other: "PixelCounts") -> None:
        """Add what another one counted.

        Raises:
            ValueError: it has other bins.
        """
        if other.mantissa_bits != self.mantissa_bits:
            raise ValueError(f"counts of {other.mantissa_bits} mantissa bits, expected {self.mantissa_bits}")
        for first, last in other._chunks():
            self._counts[first:last] += other._counts[first:last]
        self._touched |= other._touched
        self.exact &= other.exact
        self.void += other.void

    def bins(self) -> tuple[Counts, Counts, Counts]:
        """The bins that are not empty, lowest scores first: their numbers, known and anomaly pixels, int64[N] each."""
        numbers = [np.empty(0, np.int64)]
        for first, last in self._chunks():
            numbers.append(first + np.flatnonzero(self._counts[first:last].any(axis=1)))
        found = np.concatenate(numbers)
        return found, self._counts[found, 0], self._counts[found, 1]

    def curve(self) -> RankingCurve:
        """Counts of `score >= threshold` at the lowest score of every bin that is not empty, thresholds descending.

        The counts are exact at these thresholds; with `exact` they are all thresholds there are.

        Raises:
            ValueError: no known or no anomaly pixel.
        """
        numbers, known, anomaly = (array[::-1] for array in self.bins())
        total, positive = int(known.sum() + anomaly.sum()), int(anomaly.sum())
        if positive in (0, total):
            raise ValueError(f"{positive} of {total} pixels are positive; metrics need positives and negatives")
        return RankingCurve(lowest_score(numbers, self.mantissa_bits), np.cumsum(anomaly), np.cumsum(known))

    def in_bin_of(self, threshold: float) -> tuple[int, int]:
        """Pixels (known, anomaly) of which the bins do not say whether their `score > threshold`: of its own bin."""
        key = key_of(threshold)
        rest = (1 << self._shift) - 1
        if self.exact or key & rest == rest:  # nothing lost, or nothing of the bin lies above
            return 0, 0
        known, anomaly = self._counts[key >> self._shift]
        return int(known), int(anomaly)

    def save(self, path: Path) -> None:
        """Write the bins that are not empty as .npz; the file is there whole or not at all."""
        numbers, known, anomaly = self.bins()
        meta = np.array([_FORMAT, self.mantissa_bits, self.exact, self.void], np.int64)
        write_npz(path, meta=meta, bins=numbers.astype(np.uint32), known=known, anomaly=anomaly)

    @classmethod
    def load(cls, path: Path) -> "PixelCounts":
        """What `save` wrote.

        Raises:
            ValueError: not such a file; the message names it.
            OSError: it cannot be read.
        """
        arrays = read_npz(path, _FORMAT, ("bins", "known", "anomaly"))
        _, mantissa_bits, exact, void = arrays["meta"].tolist()
        counts, numbers = cls(mantissa_bits), arrays["bins"].astype(np.int64)
        counts._counts[numbers, 0], counts._counts[numbers, 1] = arrays["known"], arrays["anomaly"]
        counts._touched[numbers >> CHUNK_BITS] = True
        counts.exact, counts.void = bool(exact), void
        return counts

    @property
    def _shift(self) -> int:
        return MANTISSA_BITS - self.mantissa_bits

    def _total(self, label: int) -> int:
        return sum(int(self._counts[first:last, label].sum()) for first, last in self._chunks())

    def _chunks(self) -> list[tuple[int, int]]:
        """First and last + 1 bin of every chunk that was touched."""
        starts = np.flatnonzero(self._touched) << CHUNK_BITS
        return [(int(start), int(start) + (1 << CHUNK_BITS)) for start in starts]
