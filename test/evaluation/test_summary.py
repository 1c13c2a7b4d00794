import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle
from support.scored_pixels import Image, images, pooled

from hybrid_seg_ros.evaluation import operating_points, pixel_metrics
from hybrid_seg_ros.evaluation.pixel_counts import PixelCounts
from hybrid_seg_ros.evaluation.summary import Figures, figures, histogram, points, thin_curve

ROUNDING = 1e-12


def counted(sample: list[Image], mantissa_bits: int = 17) -> PixelCounts:
    counts = PixelCounts(mantissa_bits)
    for score, anomaly in sample:
        counts.add(score, anomaly)
    return counts


def best_f1(score: np.ndarray, positive: np.ndarray) -> float:
    found = score >= np.unique(score)[:, None]
    return float((2 * (found & positive).sum(axis=1) / (found.sum(axis=1) + positive.sum())).max())


def scene(seed: int, size: int = 20_000) -> Image:
    rng = np.random.default_rng(seed)
    anomaly = rng.choice([0, 1, 255], (1, size), p=[0.85, 0.1, 0.05]).astype(np.uint8)
    return (rng.normal(2.0 * (anomaly == 1), 1.0)).astype(np.float32), anomaly


@settings(deadline=None, max_examples=60)
@given(images(np.float16))
def test_half_precision_figures_are_exact(sample: list[Image]) -> None:
    found, (score, positive) = figures(counted(sample)), pooled(sample)
    exact = pixel_metrics(score, positive)
    assert (found.ap, found.fpr95, found.auroc) == (exact.average_precision, exact.fpr95, exact.auroc)
    assert found.best_f1 == pytest.approx(best_f1(score, positive))
    assert (found.ap_error, found.auroc_error, found.fpr95_error, found.best_f1_error) == (0, 0, 0, 0)


@settings(deadline=None, max_examples=100)
@given(images(np.float32), st.integers(4, 17))
def test_the_exact_figures_lie_within_the_errors(sample: list[Image], mantissa_bits: int) -> None:
    found, (score, positive) = figures(counted(sample, mantissa_bits)), pooled(sample)
    exact = pixel_metrics(score, positive)
    assert None not in (found.ap, found.auroc, found.fpr95, found.best_f1)
    assert abs(found.ap - exact.average_precision) <= found.ap_error + ROUNDING
    assert abs(found.auroc - exact.auroc) <= found.auroc_error + ROUNDING
    assert abs(found.fpr95 - exact.fpr95) <= found.fpr95_error + ROUNDING
    best = best_f1(score, positive)
    assert found.best_f1 - ROUNDING <= best <= found.best_f1 + found.best_f1_error + ROUNDING


@pytest.mark.parametrize("order", ["best", "worst"])
def test_the_errors_are_reached_by_the_orders_that_they_speak_of(order: str) -> None:
    # 40 anomaly and 200 known scores within one bin, all of the one kind above all of the other.
    kind = np.repeat([1, 0] if order == "best" else [0, 1], [40, 200] if order == "best" else [200, 40])
    score = np.linspace(1.015, 1.001, 240).astype(np.float32)
    if order == "best":
        score[kind == 1] = score[0]
    found = figures(counted([(score, kind.astype(np.uint8))], 4))
    exact = pixel_metrics(score, kind == 1)
    assert found.auroc_error == pytest.approx(abs(found.auroc - exact.auroc))  # type: ignore[operator]
    if order == "best":
        assert found.ap_error == pytest.approx(exact.average_precision - found.ap)  # type: ignore[operator]
        assert found.fpr95_error == pytest.approx(found.fpr95)
        assert found.best_f1_error == pytest.approx(1.0 - found.best_f1)  # type: ignore[operator]


@pytest.mark.parametrize("seed", range(3))
def test_agrees_with_scikit_learn_on_images(seed: int) -> None:
    sample = [scene(2 * seed), scene(2 * seed + 1)]
    found, (score, positive) = figures(counted(sample)), pooled(sample)
    assert found.ap == pytest.approx(oracle.average_precision_score(positive, score), abs=1e-5)
    assert found.auroc == pytest.approx(oracle.roc_auc_score(positive, score), abs=1e-5)
    assert 0 < found.ap_error < 1e-4
    fpr, tpr, _ = oracle.roc_curve(positive, score, drop_intermediate=False)
    assert found.fpr95 == pytest.approx(fpr[np.argmax(tpr >= 0.95)], abs=1e-4)


@settings(deadline=None, max_examples=60)
@given(images(np.float32), st.floats(-4, 4, width=32), st.integers(4, 17))
def test_rates_at_thresholds(sample: list[Image], threshold: float, mantissa_bits: int) -> None:
    score, positive = pooled(sample)
    found = points(counted(sample, mantissa_bits), {"mine": threshold, "tpr95": 0.5})
    assert list(found) == ["tpr95", "best_f1", "fpr_1", "fpr_5", "mine", "bundle_tpr95"]
    for point in found.values():
        above = score > np.float32(point.threshold)
        if point.origin == "set" and abs(point.threshold) < np.finfo(np.float32).max:
            assert (point.tpr_error, point.fpr_error) == (0, 0)
        if math.isfinite(point.threshold) and abs(point.threshold) < 1e38:
            assert point.tpr - ROUNDING <= above[positive].mean() <= point.tpr + point.tpr_error + ROUNDING
            assert point.fpr - ROUNDING <= above[~positive].mean() <= point.fpr + point.fpr_error + ROUNDING
    assert (found["mine"].precision is None) == (found["mine"].tpr == found["mine"].fpr == 0)


def test_points_on_the_set_are_the_thresholds_a_bundle_would_ship() -> None:
    score, anomaly = scene(7)
    half = score.astype(np.float16)
    expected = operating_points(half[anomaly <= 1].astype(np.float32), anomaly[anomaly <= 1] == 1)
    for name, point in points(counted([(half, anomaly)]), {}).items():
        assert point.threshold == expected[name].threshold
        assert (point.tpr, point.fpr, point.precision) == pytest.approx(
            (expected[name].tpr, expected[name].fpr, expected[name].precision)
        )
        above = half > np.float32(point.threshold)
        assert point.f1 == pytest.approx(oracle.f1_score(anomaly[anomaly <= 1] == 1, above[anomaly <= 1]))


@pytest.mark.parametrize("wanted", [8, 50, 400])
def test_a_thin_curve_keeps_the_ends_and_exact_rates(wanted: int) -> None:
    score, anomaly = scene(9)
    counts = counted([(score, anomaly)])
    curve = thin_curve(counts, wanted)
    assert curve is not None
    assert wanted // 2 <= len(curve.thresholds) <= wanted
    assert (curve.tpr[-1], curve.fpr[-1]) == (1.0, 1.0)
    assert curve.thresholds[0] == counts.curve().thresholds[0]
    labelled, positive = pooled([(score, anomaly)])
    for threshold, tpr, fpr, precision in zip(curve.thresholds, curve.tpr, curve.fpr, curve.precision, strict=True):
        above = labelled >= threshold
        assert (tpr, fpr, precision) == pytest.approx(
            (above[positive].mean(), above[~positive].mean(), positive[above].mean())
        )
    if wanted == 400:
        assert np.diff(curve.tpr).max() < 0.02
        assert np.diff(curve.fpr).max() < 0.02


@pytest.mark.parametrize("kind", [np.float16, np.float32])
def test_a_thin_curve_says_of_operating_points_what_they_are(kind: type[np.floating]) -> None:
    score, anomaly = scene(9)
    counts = counted([(score.astype(kind).astype(np.float32), anomaly)])
    rated = points(counts, {"mine": 0.123, "beyond": 1e6, "all": -1e6})
    curve = thin_curve(counts, 8, above=[point.threshold for point in rated.values()])
    assert curve is not None
    on_curve = set(zip(curve.tpr, curve.fpr, strict=True))
    assert {(p.tpr, p.fpr) for name, p in rated.items() if name != "beyond"} <= on_curve
    assert curve.thresholds == sorted(curve.thresholds, reverse=True)


def test_without_anomaly_a_threshold_of_the_bundle_has_its_false_alarms() -> None:
    score, anomaly = scene(9)
    score, anomaly = score.astype(np.float16).astype(np.float32), np.where(anomaly == 1, 255, anomaly).astype(np.uint8)
    found = points(counted([(score, anomaly)]), {"best_f1": 0.5})
    assert list(found) == ["best_f1"]
    assert found["best_f1"].fpr == pytest.approx((score[anomaly == 0] > 0.5).mean())
    assert 0 < found["best_f1"].fpr < 1
    assert (found["best_f1"].tpr, found["best_f1"].precision, found["best_f1"].f1) == (None, None, None)


@settings(deadline=None, max_examples=60)
@given(images(np.float32), st.integers(1, 100))
def test_a_histogram_counts_every_pixel_between_its_edges(sample: list[Image], bins: int) -> None:
    found = histogram(counted(sample), bins)
    assert found is not None
    edges = np.array(found.edges)
    assert len(found.known) == len(found.anomaly) == len(edges) - 1 <= bins
    assert (np.diff(edges) > 0).all()
    assert np.isfinite(edges).all()
    inner = np.concatenate([[-1e308], edges[1:-1], [1e308]])
    score, positive = pooled(sample)
    for kind, pixels in ((~positive, found.known), (positive, found.anomaly)):
        values = np.clip(score[kind].astype(np.float64), -1e300, 1e300)
        assert np.histogram(values, inner)[0].tolist() == pixels


def test_a_histogram_has_as_many_bins_as_wanted_and_leaves_rare_scores_to_the_outer_ones() -> None:
    score, anomaly = scene(11)
    score[0, :3] = 1e30
    found = histogram(counted([(score, anomaly)]))
    assert found is not None
    assert len(found.known) == 100
    assert -5 < found.edges[0] < found.edges[-1] < 7


def test_sets_without_anomaly_or_without_known_pixels_have_no_figures() -> None:
    only_known = counted([(np.ones((2, 2), np.float32), np.zeros((2, 2), np.uint8))])
    assert figures(only_known) == Figures()
    assert figures(only_known).ap is None
    assert points(counted([]), {"mine": 0.0}) == {}
    assert thin_curve(only_known) is None
    flat = histogram(only_known)
    assert flat is not None
    assert (sum(flat.known), sum(flat.anomaly)) == (4, 0)
    assert histogram(PixelCounts()) is None
    assert figures(counted([(np.ones((1, 1), np.float32), np.ones((1, 1), np.uint8))])) == Figures()
    with pytest.raises(ValueError, match="points is 3, expected 8 or more"):
        thin_curve(only_known, 3)
