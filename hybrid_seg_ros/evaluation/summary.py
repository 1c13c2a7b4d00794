"""What counted pixels say: figures with their errors, and what thresholds do.

Field names are those of the evaluation's document. What is not defined is None: a set without anomaly, or without
known pixels, has no figures of ranking, and without anomaly a threshold has a false-positive rate only. Infinite
thresholds are told as the largest float32, which JSON can hold.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from hybrid_seg_ros.evaluation.operating import RatedThreshold, points_of_curve
from hybrid_seg_ros.evaluation.pixel import metrics_of_curve
from hybrid_seg_ros.evaluation.pixel_counts import PixelCounts
from hybrid_seg_ros.evaluation.plot_data import Curve, Histogram, finite, histogram, thin_curve
from hybrid_seg_ros.evaluation.score_bins import bin_of, lowest_score

__all__ = ["Curve", "Figures", "Histogram", "Point", "figures", "histogram", "points", "thin_curve"]


@dataclass(frozen=True, slots=True)
class Figures:
    """One score over the pooled pixels, in 0..1; None where there is no known or no anomaly pixel.

    `*_error`: how far the exact figure can be away at most, 0 where it is exact.
    """

    ap: float | None = None
    auroc: float | None = None
    fpr95: float | None = None
    ap_error: float = 0.0
    auroc_error: float = 0.0
    fpr95_error: float = 0.0
    best_f1: float | None = None
    best_f1_error: float = 0.0
    best_f1_threshold: float | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """What `score > threshold` does on the set.

    Attributes:
        threshold: strictly above it is anomaly.
        tpr: true-positive rate; None on a set without anomaly.
        fpr: false-positive rate.
        precision: None where nothing is above the threshold, and without anomaly.
        f1: pixel F1; None without anomaly.
        origin: shipped with the bundle, or found on this set.
        tpr_error: how far the exact rate can lie above, 0 where it is exact.
        fpr_error: the same of the false-positive rate.
    """

    threshold: float
    tpr: float | None
    fpr: float
    precision: float | None
    f1: float | None
    origin: Literal["bundle", "set"]
    tpr_error: float = 0.0
    fpr_error: float = 0.0


def figures(counts: PixelCounts) -> Figures:
    """AP, AUROC, FPR95 and the best pixel F1, with bounds for what the order within bins could change.

    Scores of one bin are taken as equal. Of a bin with p anomaly and n known pixels, with TP and FP above it, the
    exact scores could give any order, so (P, N: all anomaly and known pixels)

    * AP changes by no more than between all p first, p (TP + p) / (TP + p + FP), and all p last and one by one,
      the sum over i = 1..p of (TP + i) / (TP + i + FP + n), which is concave in i, so at least its integral over
      1/2..p + 1/2; each over P,
    * AUROC by p n / (2 P N),
    * FPR95 by n / N of the bin in which TPR reaches 95 %,
    * the best F1 to at most the largest 2 (TP + p) / (TP + p + FP + P).
    """
    if not (counts.known and counts.anomaly):
        return Figures()
    curve = counts.curve()
    metrics = metrics_of_curve(curve)
    best = points_of_curve(curve)["best_f1"]
    best_f1 = _f1(best, counts)
    exact = Figures(
        ap=metrics.average_precision,
        auroc=metrics.auroc,
        fpr95=metrics.fpr95,
        best_f1=best_f1,
        best_f1_threshold=finite(best.threshold),
    )
    if counts.exact:
        return exact
    p = np.diff(curve.true_positives, prepend=0).astype(np.float64)
    n = np.diff(curve.false_positives, prepend=0).astype(np.float64)
    positives, negatives = float(curve.true_positives[-1]), float(curve.false_positives[-1])
    tp, fp = curve.true_positives - p, curve.false_positives - n
    told = p * curve.precision
    first = p * (tp + p) / np.maximum(tp + p + fp, 1)
    last = np.where(p == 1, told, p - (fp + n) * np.log1p(p / (tp + fp + n + 0.5)))
    at_95 = int(np.argmax(curve.tpr >= 0.95))
    reachable = 2 * curve.true_positives / (curve.true_positives + curve.false_positives - n + positives)
    return Figures(
        ap=exact.ap,
        auroc=exact.auroc,
        fpr95=exact.fpr95,
        ap_error=max(float((first - told).sum()), float((told - last).sum()), 0.0) / positives,
        auroc_error=float((p * n).sum()) / (2 * positives * negatives),
        fpr95_error=float(n[at_95]) / negatives,
        best_f1=best_f1,
        best_f1_error=max(float(reachable[p > 0].max()) - best_f1, 0.0),
        best_f1_threshold=exact.best_f1_threshold,
    )


def points(counts: PixelCounts, thresholds: Mapping[str, float]) -> dict[str, Point]:
    """Rates at the thresholds of a bundle and at those found on this set; empty without known pixels.

    Args:
        counts: of the set.
        thresholds: name -> threshold for `score > threshold`, of the bundle.

    Returns:
        Those found on the set, tpr95, best_f1, fpr_1 and fpr_5 (see `operating.operating_points`), whose rates are
        exact, while they are the highest or lowest threshold of their kind up to the width of a bin; and those of
        the bundle under their names, with "bundle_" before one that the set has, too. A set without anomaly has none
        of its own.
    """
    if not counts.known:
        return {}
    found: dict[str, Point] = {}
    for name, rated in points_of_curve(counts.curve()).items() if counts.anomaly else ():
        some = rated.tpr > 0 or rated.fpr > 0
        found[name] = Point(
            threshold=finite(rated.threshold if some else _highest(counts)),
            tpr=rated.tpr,
            fpr=rated.fpr,
            precision=rated.precision if some else None,
            f1=_f1(rated, counts),
            origin="set",
        )
    own = tuple(found)
    for name, threshold in thresholds.items():
        found[f"bundle_{name}" if name in own else name] = _point_at(counts, threshold)
    return found


def _point_at(counts: PixelCounts, threshold: float) -> Point:
    """A given threshold; pixels of its own bin count as not above it, unless the bins know better."""
    numbers, known, anomaly = counts.bins()
    above = numbers > bin_of(threshold, counts.mantissa_bits)
    if counts.exact:
        above = lowest_score(numbers, counts.mantissa_bits) > np.float32(threshold)
    fp, tp = int(known[above].sum()), int(anomaly[above].sum())
    unsure = counts.in_bin_of(threshold)
    if not counts.anomaly:
        alarms, unclear = fp / counts.known, unsure[0] / counts.known
        return Point(threshold, None, alarms, None, None, origin="bundle", fpr_error=unclear)
    return Point(
        threshold=threshold,
        tpr=tp / counts.anomaly,
        fpr=fp / counts.known,
        precision=tp / (tp + fp) if tp + fp else None,
        f1=2 * tp / (tp + fp + counts.anomaly),
        origin="bundle",
        tpr_error=unsure[1] / counts.anomaly,
        fpr_error=unsure[0] / counts.known,
    )


def _highest(counts: PixelCounts) -> float:
    """No score is above it: the highest of the highest bin."""
    highest = counts.bins()[0][-1:]
    if np.isinf(lowest_score(highest, counts.mantissa_bits)[0]):
        return float(np.inf)
    following = lowest_score(highest + 1, counts.mantissa_bits)[0]
    return float(np.nextafter(following, np.float32(-np.inf)))


def _f1(rated: RatedThreshold, counts: PixelCounts) -> float:
    tp, fp = rated.tpr * counts.anomaly, rated.fpr * counts.known
    return 2 * tp / (tp + fp + counts.anomaly)
