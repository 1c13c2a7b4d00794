"""Thresholds worth shipping: operating points of a score on a labelled set."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.evaluation.ranking import RankingCurve, ranking_curve


@dataclass(frozen=True, slots=True)
class RatedThreshold:
    """A threshold, to be used as `score > threshold` (strict), and what it does on the set it was found on."""

    threshold: float
    tpr: float
    fpr: float
    precision: float


def operating_points(score: npt.ArrayLike, positive: npt.ArrayLike) -> dict[str, RatedThreshold]:
    """The thresholds a bundle ships.

    * tpr95: the highest with a true-positive rate of at least 95 %,
    * best_f1: the one with the highest pixel F1,
    * fpr_1, fpr_5: the lowest with a false-positive rate of at most 1 % and 5 %.

    Args:
        score: float[N], higher = more anomalous.
        positive: bool[N], True on anomalies.

    Raises:
        ValueError: see `ranking_curve`.
    """
    return points_of_curve(ranking_curve(score, positive))


def points_of_curve(curve: RankingCurve) -> dict[str, RatedThreshold]:
    """The same of a curve that is there already."""
    recall, precision = curve.tpr, curve.precision
    f1 = 2 * precision * recall / np.maximum(precision + recall, np.finfo(np.float64).tiny)
    return {
        "tpr95": _rated(curve, int(np.argmax(recall >= 0.95))),
        "best_f1": _rated(curve, int(np.argmax(f1))),
        "fpr_1": _at_fpr(curve, 0.01),
        "fpr_5": _at_fpr(curve, 0.05),
    }


def _at_fpr(curve: RankingCurve, fpr: float) -> RatedThreshold:
    allowed = int(np.searchsorted(curve.fpr, fpr, side="right")) - 1
    if allowed < 0:  # even the highest score has too many negatives: let nothing through
        return RatedThreshold(float(curve.thresholds[0]), 0.0, 0.0, 0.0)
    return _rated(curve, allowed)


def _rated(curve: RankingCurve, index: int) -> RatedThreshold:
    # The curve counts score >= t; the largest number below t makes the strict comparison agree with it.
    threshold = np.nextafter(np.float32(curve.thresholds[index]), np.float32(-np.inf))
    return RatedThreshold(
        float(threshold), float(curve.tpr[index]), float(curve.fpr[index]), float(curve.precision[index])
    )
