"""How many positives and negatives lie above every threshold: what all pixel metrics are made of."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class RankingCurve:
    """Counts of `score >= threshold` at every distinct score, thresholds descending.

    Attributes:
        thresholds: float[T], the distinct scores, descending.
        true_positives: int64[T], positive pixels with score >= threshold.
        false_positives: int64[T], negative pixels with score >= threshold.
    """

    thresholds: npt.NDArray[np.floating]
    true_positives: npt.NDArray[np.int64]
    false_positives: npt.NDArray[np.int64]

    @property
    def tpr(self) -> npt.NDArray[np.float64]:
        """float64[T], true-positive rate = recall."""
        return np.asarray(self.true_positives / self.true_positives[-1], np.float64)

    @property
    def fpr(self) -> npt.NDArray[np.float64]:
        """float64[T], false-positive rate."""
        return np.asarray(self.false_positives / self.false_positives[-1], np.float64)

    @property
    def precision(self) -> npt.NDArray[np.float64]:
        """float64[T], share of positives among all pixels with score >= threshold."""
        return np.asarray(self.true_positives / (self.true_positives + self.false_positives), np.float64)


def ranking_curve(score: npt.ArrayLike, positive: npt.ArrayLike) -> RankingCurve:
    """The exact curve over all distinct scores.

    Args:
        score: float[...], higher = more anomalous; void pixels already removed.
        positive: bool[...] of the same shape, True on anomalies.

    Raises:
        ValueError: shapes differ, a score is NaN, or one of the two classes has no pixel.
    """
    scores = np.asarray(score).ravel()
    positives = np.asarray(positive).ravel()
    if scores.shape != positives.shape:
        raise ValueError(f"score has {scores.size} pixels, positive {positives.size}; expected as many")
    if not np.issubdtype(scores.dtype, np.floating):
        scores = scores.astype(np.float64)
    if np.isnan(scores).any():
        raise ValueError(f"score holds {int(np.isnan(scores).sum())} NaN of {scores.size} pixels")
    positives = positives.astype(bool)
    count = int(positives.sum())
    if count in (0, positives.size):
        raise ValueError(f"{count} of {positives.size} pixels are positive; metrics need positives and negatives")
    ascending, is_positive = _sorted(scores, positives)
    # The last pixel of every run of equal scores, walking down from the highest.
    descending = ascending[::-1]
    ends = np.flatnonzero(np.append(descending[1:] != descending[:-1], True))
    true_positives = np.cumsum(is_positive[::-1], dtype=np.int64)[ends]
    return RankingCurve(descending[ends], true_positives, ends + 1 - true_positives)


def labelled_pixels(
    score: npt.NDArray[np.floating], anomaly: npt.NDArray[np.uint8]
) -> tuple[npt.NDArray[np.floating], npt.NDArray[np.bool_]]:
    """Drop the void of one image: (score[N], positive[N]) of the pixels labelled 0 (known) or 1 (anomaly).

    Args:
        score: float[H, W].
        anomaly: uint8[H, W], 0 known, 1 anomaly, anything else void.

    Raises:
        ValueError: shapes differ.
    """
    if score.shape != anomaly.shape:
        raise ValueError(f"score is {score.shape}, the anomaly labels {anomaly.shape}; expected equal shapes")
    valid = anomaly <= 1
    return score[valid], anomaly[valid] == 1


def _sorted(
    scores: npt.NDArray[np.floating], positives: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.floating], npt.NDArray[np.bool_]]:
    """Both arrays in ascending order of score."""
    if scores.dtype != np.float32:
        order = np.argsort(scores, kind="stable")
        return scores[order], positives[order]
    # Sorting one integer key that holds score and label is several times faster than an argsort of
    # the tens of millions of pixels of a benchmark. Adding 0 turns -0 into +0, which compare equal.
    bits = (scores + np.float32(0)).view(np.uint32).astype(np.uint64)
    sign = np.uint64(0x80000000)
    keys = np.where(bits & sign, np.uint64(0xFFFFFFFF) - bits, bits | sign)
    keys = np.sort(keys << np.uint64(1) | positives.astype(np.uint64))
    labels = (keys & np.uint64(1)).astype(bool)
    keys >>= np.uint64(1)
    bits = np.where(keys & sign, keys ^ sign, np.uint64(0xFFFFFFFF) - keys)
    return bits.astype(np.uint32).view(np.float32), labels
