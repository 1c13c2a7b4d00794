from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_seg_ros.evaluation import operating_points
from hybrid_seg_ros.evaluation.pixel_counts import PixelCounts
from hybrid_seg_ros.evaluation.targets import Target, Wish, parse_target, rates_above, threshold_for


def counted(score: Any, anomaly: Any) -> PixelCounts:
    counts = PixelCounts(12)
    counts.add(np.asarray(score, np.float32), np.asarray(anomaly, np.uint8))
    return counts


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.integers(-20, 20), st.booleans()), min_size=2, max_size=60),
    st.sampled_from(["fpr", "tpr", "miss"]),
    st.sampled_from([0.01, 0.05, 0.3, 0.5, 0.95]),
)
def test_the_target_is_met_and_no_further_threshold_meets_it(
    pixels: list[tuple[int, bool]], wish: Wish, value: float
) -> None:
    score, anomaly = (np.array(part) for part in zip(*pixels, strict=True))
    score = score / 4  # exact in the bins
    target = Target(wish, value)
    if not (anomaly == (target.risk == "miss")).any():
        with pytest.raises(ValueError, match=r"has no (known|anomaly) pixels"):
            threshold_for(counted(score, anomaly), target)
        return

    def risk(threshold: float) -> float:
        above = score > threshold
        return float((above[~anomaly] if wish == "fpr" else ~above[anomaly]).mean())

    if wish == "fpr" and risk(float(score.max()) - 0.1) > value:
        with pytest.raises(ValueError, match="have the highest score of all"):
            threshold_for(counted(score, anomaly), target)
        return
    found = threshold_for(counted(score, anomaly), target)
    assert risk(found) <= target.level + 1e-9
    if wish == "fpr":
        below = score[score <= found]
        assert not below.size or risk(float(below.max()) - 0.1) > target.level
    else:
        assert risk(found + 0.1) > target.level - 1e-9
    tpr, fpr = rates_above(counted(score, anomaly), found)
    assert tpr == (pytest.approx((score > found)[anomaly].mean()) if anomaly.any() else None)
    assert fpr == (pytest.approx((score > found)[~anomaly].mean()) if (~anomaly).any() else None)


def test_agrees_with_the_operating_points_of_a_bundle() -> None:
    rng = np.random.default_rng(0)
    anomaly = rng.random(5000) < 0.1
    score = (rng.normal(0, 1, 5000) + 2 * anomaly).astype(np.float16)
    expected = operating_points(score.astype(np.float32), anomaly)
    counts = counted(score, anomaly)
    assert threshold_for(counts, parse_target("fpr=0.01")) == expected["fpr_1"].threshold
    assert threshold_for(counts, parse_target("fpr=0.05")) == expected["fpr_5"].threshold
    assert threshold_for(counts, parse_target("tpr=0.95")) == expected["tpr95"].threshold
    assert threshold_for(counts, parse_target("miss=0.05")) == expected["tpr95"].threshold
    assert rates_above(counts, expected["fpr_5"].threshold) == pytest.approx(
        (expected["fpr_5"].tpr, expected["fpr_5"].fpr)
    )


def test_a_set_without_anomaly_has_a_false_positive_rate_all_the_same() -> None:
    counts = counted([1.0, 2.0, 3.0, 4.0], [0, 0, 0, 0])
    found = threshold_for(counts, parse_target("fpr=0.25"))
    assert 3.0 <= found < 4.0
    assert rates_above(counts, found) == (None, 0.25)


@pytest.mark.parametrize("text", ["fpr", "fpr=", "fpr=x", "auc=0.5", "=0.5", "fpr=0", "tpr=1", "miss=nan", "fpr=5"])
def test_what_is_no_target_is_said_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"such as fpr=0\.01"):
        parse_target(text)


def test_infinite_scores_have_no_threshold() -> None:
    with pytest.raises(ValueError, match="scores are infinite"):
        threshold_for(counted([-np.inf, 1.0], [1, 0]), parse_target("tpr=0.95"))
