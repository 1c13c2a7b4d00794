"""The bound is checked by simulation: calibrate on a few images of a population, look at the population."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from hybrid_seg_ros.evaluation.conformal import BoundedThreshold, ImageRisk, Risk, TooFewImagesError
from hybrid_seg_ros.evaluation.risk_bounds import (
    crc_allowance,
    fewest_images,
    hoeffding_bentkus_allowance,
    hoeffding_bentkus_p_value,
)

POPULATION = 1500
REPEATED = 60
Pixels = tuple[npt.NDArray[np.float32], npt.NDArray[np.uint8]]


@cache
def population() -> tuple[npt.NDArray[np.float32], npt.NDArray[np.uint8]]:
    """float32[N, 120] scores and labels of images that differ in how hard they are, some without anomaly."""
    rng = np.random.default_rng(0)
    labels = (rng.random((POPULATION, 120)) < rng.choice([0, 0.1, 0.4], (POPULATION, 1))).astype(np.uint8)
    hard = rng.gamma(1.0, 1.0, (POPULATION, 1))
    score = (
        rng.normal(-5, 1, labels.shape) + hard * rng.random(labels.shape) + labels * rng.normal(3, 1, (POPULATION, 1))
    )
    labels[rng.random(labels.shape) < 0.05] = 255
    return score.astype(np.float32), labels


def losses(threshold: float, risk: Risk) -> npt.NDArray[np.float64]:
    """Risk of every image of the population that has the pixels, straight from the definition."""
    score, labels = population()
    wanted = labels == (0 if risk == "fpr" else 1)
    bad = (score > np.float32(threshold)) if risk == "fpr" else ~(score > np.float32(threshold))
    has = wanted.any(axis=1)
    return np.asarray((bad & wanted).sum(axis=1)[has] / wanted.sum(axis=1)[has])


def calibrations(risk: Risk, images: int, level: float, confidence: float | None) -> Iterator[BoundedThreshold]:
    score, labels = population()
    rng = np.random.default_rng([images, REPEATED])
    for _ in range(REPEATED):
        found = ImageRisk(risk)
        for i in rng.integers(0, POPULATION, 4 * images):
            if found.images < images:
                found.add(score[i][None], labels[i][None])
        yield found.threshold(level, confidence)


@pytest.mark.parametrize(("risk", "images", "level"), [("fpr", 30, 0.05), ("miss", 30, 0.1)])
def test_conformal_risk_control_holds_on_average_over_calibration_sets(risk: Risk, images: int, level: float) -> None:
    found = [float(losses(c.threshold, risk).mean()) for c in calibrations(risk, images, level, None)]
    error = 3 * np.std(found) / np.sqrt(len(found))
    assert np.mean(found) <= level + error
    # Not by being useless: theorem 2 promises to lose at most 2 / (n + 1) of the level, but for the grid.
    assert np.mean(found) >= level - 2 / (images + 1) - error - 0.002


@pytest.mark.parametrize(("risk", "images", "level"), [("fpr", 40, 0.1), ("miss", 40, 0.1)])
def test_hoeffding_bentkus_holds_with_its_confidence(risk: Risk, images: int, level: float) -> None:
    found = [float(losses(c.threshold, risk).mean()) for c in calibrations(risk, images, level, 0.9)]
    assert np.mean(np.array(found) > level) <= 0.1 + 3 * np.sqrt(0.1 * 0.9 / REPEATED)
    allowed = hoeffding_bentkus_allowance(images, level, 0.9)
    assert allowed is not None
    assert np.mean(found) >= allowed / 3


@pytest.mark.parametrize("risk", ["fpr", "miss"])
@pytest.mark.parametrize("confidence", [None, 0.95])
def test_the_mean_loss_said_is_the_one_there_is(risk: Risk, confidence: float | None) -> None:
    score, labels = population()
    watch = ImageRisk(risk)
    for i in range(300):
        watch.add(score[i][None], labels[i][None])
    found = watch.threshold(0.1, confidence)
    wanted = labels[:300] == (0 if risk == "fpr" else 1)
    above = score[:300] > np.float32(found.threshold)
    bad = above if risk == "fpr" else ~above
    has = wanted.any(axis=1)
    by_hand = np.mean((bad & wanted).sum(axis=1)[has] / wanted.sum(axis=1)[has])
    assert found.mean_loss == pytest.approx(by_hand, abs=1e-12)
    assert (found.images, found.skipped) == (has.sum(), 300 - has.sum())
    allowed = (
        crc_allowance(found.images, 0.1) if confidence is None else hoeffding_bentkus_allowance(found.images, 0.1, 0.95)
    )
    assert allowed is not None
    # The next score on the grid would be one too many.
    step = 2e-3 * abs(found.threshold)
    further = score[:300] > np.float32(found.threshold + (step if risk == "miss" else -step))
    bad = further if risk == "fpr" else ~further
    assert np.mean((bad & wanted).sum(axis=1)[has] / wanted.sum(axis=1)[has]) > allowed >= found.mean_loss


def test_confidence_costs() -> None:
    watch = ImageRisk("fpr")
    score, labels = population()
    for i in range(200):
        watch.add(score[i][None], labels[i][None])
    thresholds = [watch.threshold(0.05, confidence).threshold for confidence in (None, 0.9, 0.99)]
    assert thresholds == sorted(thresholds)
    assert len(set(thresholds)) == 3


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 400), st.floats(0.001, 0.6), st.floats(0.5, 0.999), st.floats(0, 1))
def test_p_value_agrees_with_scipy(images: int, level: float, confidence: float, mean: float) -> None:
    r = min(mean, level)
    entropy = stats.entropy([r, 1 - r], [level, 1 - level])
    expected = min(1, np.exp(-images * entropy), np.e * stats.binom.cdf(np.ceil(images * mean - 1e-9), images, level))
    assert hoeffding_bentkus_p_value(mean, images, level) == pytest.approx(expected, rel=1e-6, abs=1e-12)
    allowed = hoeffding_bentkus_allowance(images, level, confidence)
    assert (allowed is None) == (images < fewest_images(level, confidence))
    if allowed is not None:
        assert 0 <= allowed < level
        assert hoeffding_bentkus_p_value(allowed, images, level) <= 1 - confidence + 1e-12


@pytest.mark.parametrize(("images", "level", "expected"), [(19, 0.05, 0.0), (18, 0.05, None), (99, 0.05, 4 / 99)])
def test_conformal_allowance_by_hand(images: int, level: float, expected: float | None) -> None:
    assert crc_allowance(images, level) == pytest.approx(expected)


def test_as_few_images_as_it_takes_allow_no_loss_at_all() -> None:
    watch = ImageRisk("fpr")
    for i in range(19):
        watch.add(np.array([[-1.0, 0.5 + i]], np.float32), np.array([[0, 0]], np.uint8))
    found = watch.threshold(0.05)
    assert found.mean_loss == 0
    assert found.threshold == pytest.approx(18.5, rel=1e-3)
    assert found.threshold >= 18.5


def test_too_few_images_say_how_many_it_takes() -> None:
    watch = ImageRisk("miss")
    for label in (0, 1, 1):
        watch.add(np.zeros((1, 2), np.float32), np.full((1, 2), label, np.uint8))
    with pytest.raises(TooFewImagesError, match=r"2 images with anomaly pixels .* at least 19"):
        watch.threshold(0.05)
    with pytest.raises(TooFewImagesError, match=r"confidence 0\.95; expected at least 59"):
        watch.threshold(0.05, 0.95)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda w: w.threshold(0.0), "level is 0"),
        (lambda w: w.threshold(0.1, 1.0), "confidence is 1"),
        (lambda w: w.add(np.full((1, 2), np.nan, np.float32), np.zeros((1, 2), np.uint8)), "2 NaN"),
        (lambda w: w.add(np.zeros((1, 2), np.float32), np.zeros((2, 2), np.uint8)), "equal shapes"),
        (lambda w: ImageRisk("auc"), "expected 'fpr' or 'miss'"),  # type: ignore[arg-type]
    ],
)
def test_wrong_input_is_said(change: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        change(ImageRisk("fpr"))
