import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_seg_ros.evaluation import operating_points


def sample(seed: int, size: int = 400) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    positive = rng.random(size) < 0.2
    positive[:2] = True, False
    return np.round(rng.normal(positive * 1.5, 1.0), 1).astype(np.float32), positive


def f1(positive: np.ndarray, found: np.ndarray) -> float:
    return float(2 * (positive & found).sum() / (positive.sum() + found.sum()))


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000))
def test_the_strict_comparison_gives_the_promised_rates(seed: int) -> None:
    score, positive = sample(seed)
    for point in operating_points(score, positive).values():
        found = score > np.float32(point.threshold)
        assert found[positive].mean() == pytest.approx(point.tpr)
        assert found[~positive].mean() == pytest.approx(point.fpr)
        assert point.precision == pytest.approx(positive[found].mean() if found.any() else 0.0)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000))
def test_each_point_is_the_best_of_its_kind(seed: int) -> None:
    score, positive = sample(seed)
    points = operating_points(score, positive)
    candidates = [score >= value for value in np.unique(score)]
    rates = [(found[positive].mean(), found[~positive].mean()) for found in candidates]
    assert points["tpr95"].fpr == pytest.approx(min(fpr for tpr, fpr in rates if tpr >= 0.95))
    for name, limit in (("fpr_1", 0.01), ("fpr_5", 0.05)):
        assert points[name].tpr == pytest.approx(max([tpr for tpr, fpr in rates if fpr <= limit], default=0.0))
    best = max(f1(positive, found) for found in candidates)
    assert f1(positive, score > np.float32(points["best_f1"].threshold)) == pytest.approx(best)


def test_no_threshold_keeps_the_false_positive_rate() -> None:
    score = np.array([1.0, 2.0, 2.0, 2.0], np.float32)
    point = operating_points(score, np.array([True, False, False, False]))["fpr_1"]
    assert not (score > np.float32(point.threshold)).any()
    assert (point.tpr, point.fpr) == (0.0, 0.0)
