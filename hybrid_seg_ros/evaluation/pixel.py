"""Exact pixel metrics over a pool of pixels, void removed (METHOD section 3)."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.evaluation.ranking import RankingCurve, ranking_curve


@dataclass(frozen=True, slots=True)
class PixelMetrics:
    """The three figures every benchmark reports, each in 0..1."""

    average_precision: float
    fpr95: float
    auroc: float


def pixel_metrics(score: npt.ArrayLike, positive: npt.ArrayLike) -> PixelMetrics:
    """All three metrics with one sort.

    Args:
        score: float[N], higher = more anomalous.
        positive: bool[N], True on anomalies.

    Raises:
        ValueError: see `ranking_curve`.
    """
    return metrics_of_curve(ranking_curve(score, positive))


def metrics_of_curve(curve: RankingCurve) -> PixelMetrics:
    """All three metrics of a curve that is there already."""
    return PixelMetrics(_average_precision(curve), _fpr_at_tpr(curve, 0.95), _auroc(curve))


def average_precision(score: npt.ArrayLike, positive: npt.ArrayLike) -> float:
    """AP as the step sum of (R_i - R_(i-1)) * P_i over distinct thresholds; no interpolation."""
    return _average_precision(ranking_curve(score, positive))


def fpr_at_tpr(score: npt.ArrayLike, positive: npt.ArrayLike, tpr: float = 0.95) -> float:
    """False-positive rate at the first (highest) threshold whose true-positive rate is >= `tpr`."""
    return _fpr_at_tpr(ranking_curve(score, positive), tpr)


def auroc(score: npt.ArrayLike, positive: npt.ArrayLike) -> float:
    """Area under the ROC curve by the trapezoid rule, ties counted half."""
    return _auroc(ranking_curve(score, positive))


def _average_precision(curve: RankingCurve) -> float:
    return float(np.sum(np.diff(curve.tpr, prepend=0.0) * curve.precision))


def _fpr_at_tpr(curve: RankingCurve, tpr: float) -> float:
    return float(curve.fpr[int(np.argmax(curve.tpr >= tpr))])


def _auroc(curve: RankingCurve) -> float:
    fpr, tpr = np.append(0.0, curve.fpr), np.append(0.0, curve.tpr)
    return float(np.sum(np.diff(fpr) * (tpr[1:] + tpr[:-1]) / 2))
