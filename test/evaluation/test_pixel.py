import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle

from hybrid_seg_ros.evaluation import (
    auroc,
    average_precision,
    fpr_at_tpr,
    labelled_pixels,
    pixel_metrics,
    ranking_curve,
)

Pixels = tuple[npt.NDArray[np.floating], npt.NDArray[np.bool_]]


@st.composite
def pixels(draw: st.DrawFn) -> Pixels:
    """Scores with many ties, in both float types, and labels of which some are positive and some are not."""
    size = draw(st.integers(2, 60))
    values = st.integers(-5, 5).map(float) | st.floats(-1e6, 1e6, width=32)
    score = np.array(draw(st.lists(values, min_size=size, max_size=size)), draw(st.sampled_from(["f4", "f8"])))
    positive = np.array(draw(st.lists(st.booleans(), min_size=size, max_size=size)))
    positive[0], positive[-1] = True, False
    return score, positive


@settings(deadline=None, max_examples=60)
@given(pixels())
def test_agrees_with_scikit_learn(sample: Pixels) -> None:
    score, positive = sample
    assert average_precision(score, positive) == pytest.approx(oracle.average_precision_score(positive, score))
    assert auroc(score, positive) == pytest.approx(oracle.roc_auc_score(positive, score))
    fpr, tpr, _ = oracle.roc_curve(positive, score, drop_intermediate=False)
    assert fpr_at_tpr(score, positive) == pytest.approx(fpr[np.argmax(tpr >= 0.95)])


@settings(deadline=None, max_examples=60)
@given(pixels())
def test_one_sort_gives_the_same_three_metrics(sample: Pixels) -> None:
    score, positive = sample
    together = pixel_metrics(score, positive)
    assert together.average_precision == average_precision(score, positive)
    assert together.fpr95 == fpr_at_tpr(score, positive, 0.95)
    assert together.auroc == auroc(score, positive)


@settings(deadline=None, max_examples=60)
@given(pixels())
def test_curve_counts_pixels_at_and_above_each_distinct_score(sample: Pixels) -> None:
    score, positive = sample
    curve = ranking_curve(score, positive)
    assert sorted(set(score.tolist()), reverse=True) == curve.thresholds.tolist()
    for threshold, hits, alarms in zip(curve.thresholds, curve.true_positives, curve.false_positives, strict=True):
        assert hits == np.sum(positive & (score >= threshold))
        assert alarms == np.sum(~positive & (score >= threshold))


def test_infinite_scores_are_ranked() -> None:
    score = np.array([-np.inf, 0.0, np.inf, -0.0], np.float32)
    curve = ranking_curve(score, np.array([False, True, True, False]))
    assert curve.thresholds.tolist() == [np.inf, 0.0, -np.inf]
    assert curve.true_positives.tolist() == [1, 2, 2]


@pytest.mark.parametrize(
    ("score", "positive", "message"),
    [
        ([0.1, 0.2], [True], "score has 2 pixels, positive 1"),
        ([0.1, np.nan], [True, False], "1 NaN of 2"),
        ([0.1, 0.2], [False, False], "0 of 2 pixels are positive"),
        ([0.1, 0.2], [True, True], "2 of 2 pixels are positive"),
    ],
)
def test_refuses_what_has_no_answer(score: list[float], positive: list[bool], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        average_precision(score, positive)


def test_void_pixels_do_not_count() -> None:
    score = np.array([[0.9, 0.1], [0.5, 0.7]], np.float32)
    kept, positive = labelled_pixels(score, np.array([[255, 0], [1, 0]], np.uint8))
    assert kept.tolist() == pytest.approx([0.1, 0.5, 0.7])
    assert positive.tolist() == [False, True, False]
    with pytest.raises(ValueError, match="expected equal shapes"):
        labelled_pixels(score, np.zeros((2, 3), np.uint8))
