import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve

from hybrid_seg_ros.evaluation.calibration import CalibrationCounts


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.integers(1, 20))
def test_bins_agree_with_scikit_learn(seed: int, bins: int) -> None:
    rng = np.random.default_rng(seed)
    confidence = rng.random((30, 40)).astype(np.float32)
    labels = rng.choice([0, 1, 255], (30, 40)).astype(np.uint8)
    predicted = rng.integers(0, 2, (30, 40)).astype(np.uint8)
    counts = CalibrationCounts(bins)
    for row in range(0, 30, 10):
        counts.add(confidence[row : row + 10], predicted[row : row + 10], labels[row : row + 10])
    found = counts.result()
    kept = labels != 255
    right = (predicted == labels)[kept]
    accuracy, mean = calibration_curve(right, confidence[kept].astype(np.float64), n_bins=bins)
    used = [one for one in found.bins if one.pixels]
    np.testing.assert_allclose([one.accuracy for one in used], accuracy)
    np.testing.assert_allclose([one.confidence for one in used], mean)
    weights = np.array([one.pixels for one in used]) / kept.sum()
    assert found.ece == pytest.approx(float((weights * np.abs(accuracy - mean)).sum()))


def test_a_case_by_hand() -> None:
    counts = CalibrationCounts(2)
    counts.add(
        np.array([[0.25, 0.5, 1.0, 0.9]], np.float32),
        np.array([[1, 2, 3, 4]], np.uint8),
        np.array([[1, 2, 0, 255]], np.uint8),
    )
    found = counts.result()
    assert [(one.low, one.high, one.confidence, one.accuracy, one.pixels) for one in found.bins] == [
        (0.0, 0.5, 0.25, 1.0, 1),
        (0.5, 1.0, 0.75, 0.5, 2),
    ]
    assert found.ece == pytest.approx((0.75 + 2 * 0.25) / 3)


def test_merging_and_having_nothing() -> None:
    empty = CalibrationCounts(2).result()
    assert empty.ece is None
    assert [(one.confidence, one.accuracy, one.pixels) for one in empty.bins] == [(None, None, 0)] * 2
    one, both = CalibrationCounts(3), CalibrationCounts(3)
    image = (np.array([0.1, 0.7]), np.array([0, 1], np.uint8), np.array([0, 0], np.uint8))
    one.add(*image)
    both.add(*image)
    both.add(*image)
    one.merge(one)
    assert one.result() == both.result()
    with pytest.raises(ValueError, match="counts of 2 bins, expected 3"):
        one.merge(CalibrationCounts(2))


def test_what_is_no_confidence_is_refused_and_leaves_no_trace() -> None:
    counts = CalibrationCounts()
    ids = np.zeros(4, np.uint8)
    with pytest.raises(ValueError, match=r"confidence of 3 of 4 labelled pixels is not within 0\.\.1"):
        counts.add(np.array([np.nan, 1.01, -0.1, 0.5]), ids, ids)
    with pytest.raises(ValueError, match="expected equal shapes"):
        counts.add(np.zeros(3), ids, ids)
    assert counts.result().ece is None
    with pytest.raises(ValueError, match="bins is 0, expected 1 or more"):
        CalibrationCounts(0)
