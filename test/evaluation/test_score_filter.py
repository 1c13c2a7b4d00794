import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from hybrid_seg_ros.evaluation import ScoreFilter, filter_score

EIGHT = np.ones((3, 3))


def random_score(seed: int, shape: tuple[int, int] = (30, 40)) -> np.ndarray:
    coarse = np.random.default_rng(seed).normal(size=(6, 8)).astype(np.float32)
    noise = np.random.default_rng(seed + 1).normal(scale=0.3, size=shape)
    return (cv2.resize(coarse, shape[::-1]) + noise).astype(np.float32)


def test_smoothing_is_a_gaussian_of_7_by_7_with_sigma_1() -> None:
    point = np.zeros((15, 15), np.float32)
    point[7, 7] = 1.0
    x = np.arange(-3, 4)
    kernel = np.exp(-(x**2) / 2)
    expected = np.zeros((15, 15))
    expected[4:11, 4:11] = np.outer(kernel, kernel) / kernel.sum() ** 2
    np.testing.assert_allclose(filter_score(point, 0.5, ScoreFilter(smooth=True)), expected, atol=1e-6)
    flat = np.full((9, 9), 3.0, np.float32)
    np.testing.assert_allclose(filter_score(flat, 0.0, ScoreFilter(smooth=True)), flat, rtol=1e-6)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.floats(-1.0, 1.0, width=32))
def test_averaging_gives_each_component_its_mean_and_keeps_the_mask(seed: int, threshold: float) -> None:
    score = random_score(seed)
    result = filter_score(score, threshold, ScoreFilter(average=True))
    ids, count = ndimage.label(score > threshold, EIGHT)
    np.testing.assert_array_equal(result > threshold, score > threshold)
    np.testing.assert_array_equal(result[ids == 0], score[ids == 0])
    for component in range(1, count + 1):
        np.testing.assert_allclose(result[ids == component], score[ids == component].mean(), rtol=1e-5, atol=1e-6)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.floats(-1.0, 1.0, width=32), st.integers(2, 60))
def test_small_components_leave_the_mask_and_nothing_else_changes(seed: int, threshold: float, pixels: int) -> None:
    score = random_score(seed)
    result = filter_score(score, threshold, ScoreFilter(min_pixels=pixels))
    ids, count = ndimage.label(score > threshold, EIGHT)
    for component in range(1, count + 1):
        where = ids == component
        if where.sum() < pixels:
            assert (result[where] == np.float32(threshold)).all()
        else:
            np.testing.assert_array_equal(result[where], score[where])
    np.testing.assert_array_equal(result[ids == 0], score[ids == 0])


def test_filters_follow_each_other_and_none_changes_nothing() -> None:
    score = random_score(3)
    kept = score.copy()
    assert filter_score(score, 0.0, ScoreFilter()) is score
    together = filter_score(score, 0.3, ScoreFilter(smooth=True, average=True, min_pixels=20))
    step = filter_score(score, 0.3, ScoreFilter(smooth=True))
    step = filter_score(step, 0.3, ScoreFilter(average=True))
    step = filter_score(step, 0.3, ScoreFilter(min_pixels=20))
    np.testing.assert_array_equal(together, step)
    np.testing.assert_array_equal(score, kept)
