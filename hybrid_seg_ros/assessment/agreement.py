"""How far two runs over the same frames agree: what can be said without ground truth."""

import math

import numpy as np

from hybrid_seg_ros.bags import Result
from hybrid_seg_ros.report.document import Agreement


class RunAgreement:
    """Streaming; one pair of results in memory."""

    def __init__(self) -> None:
        self._frames = 0
        self._labels = [0, 0]  # pixels compared, equal
        self._mask = [0, 0]  # union, intersection
        self._moments = np.zeros(6)  # n, x, y, xx, yy, xy

    def add(self, one: Result, other: Result) -> None:
        """Two results of the same frame.

        Raises:
            ValueError: their sizes differ.
        """
        pairs = [(one.labels, other.labels), (one.mask, other.mask), (one.score, other.score)]
        for a, b in pairs:
            if a is not None and b is not None and a.shape != b.shape:
                raise ValueError(f"results are {a.shape} and {b.shape}, expected equal shapes")
        self._frames += 1
        if one.labels is not None and other.labels is not None:
            self._labels[0] += one.labels.size
            self._labels[1] += int(np.count_nonzero(one.labels == other.labels))
        if one.mask is not None and other.mask is not None:
            self._mask[0] += int(np.count_nonzero((one.mask > 0) | (other.mask > 0)))
            self._mask[1] += int(np.count_nonzero((one.mask > 0) & (other.mask > 0)))
        if one.score is not None and other.score is not None:
            both = np.isfinite(one.score) & np.isfinite(other.score)
            x, y = one.score[both].astype(np.float64), other.score[both].astype(np.float64)
            self._moments += [x.size, x.sum(), y.sum(), x @ x, y @ y, x @ y]

    def part(self, other: str) -> Agreement:
        """Of all frames so far; `other` names the second run."""
        (pixels, equal), (union, shared) = self._labels, self._mask
        return Agreement(
            other=other,
            frames=self._frames,
            labels=equal / pixels if pixels else None,
            mask_iou=shared / union if union else None,
            score_correlation=self._correlation(),
        )

    def _correlation(self) -> float | None:
        n, x, y, xx, yy, xy = self._moments
        if not n:
            return None
        spread = (xx - x * x / n) * (yy - y * y / n)
        return float(np.clip((xy - x * y / n) / math.sqrt(spread), -1.0, 1.0)) if spread > 0 else None
