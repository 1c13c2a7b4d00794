import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, log_loss

from hybrid_seg_train.calibration.confidence import (
    MAX_KNOTS,
    ConfidenceMap,
    confidences,
    fit,
    fit_table,
    fit_temperature,
    judge,
)
from hybrid_seg_train.calibration.pool import PixelPool
from hybrid_seg_train.calibration.reliability import BINS, reliability


def sample(seed: int, count: int = 500) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    confidence = rng.beta(4, 1.5, count)
    return confidence, rng.random(count) < confidence**2


def test_the_error_of_a_known_case() -> None:
    # 0.72 falls into [10/15, 11/15): 6 of 10 right; 0.95 into the last bin: 9 of 10 right.
    confidence = np.array([0.72] * 10 + [0.95] * 10)
    correct = np.array([True] * 6 + [False] * 4 + [True] * 9 + [False])
    found = reliability(confidence, correct)
    assert found.ece == pytest.approx((10 * 0.12 + 10 * 0.05) / 20)
    assert found.adaptive_ece == pytest.approx(found.ece)  # equal confidences are not torn apart
    assert [(b.count, b.accuracy) for b in found.equal_width] == [(10, 0.6), (10, 0.9)]
    assert (found.equal_width[0].low, found.equal_width[0].high) == pytest.approx((10 / 15, 11 / 15))
    assert found.pixels == 20


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000))
def test_agrees_with_scikit_learn(seed: int) -> None:
    confidence, correct = sample(seed)
    found = reliability(confidence, correct)
    for bins, strategy in ((found.equal_width, "uniform"), (found.equal_mass, "quantile")):
        accuracy, mean = calibration_curve(correct, confidence, n_bins=BINS, strategy=strategy)
        # scikit-learn's bins are (low, high], these [low, high): the same but for pixels on an edge (quantiles are).
        np.testing.assert_allclose([b.confidence for b in bins], mean, atol=0.02)
        np.testing.assert_allclose([b.accuracy for b in bins], accuracy, atol=0.08)
    assert found.brier == pytest.approx(brier_score_loss(correct, confidence))
    assert found.nll == pytest.approx(log_loss(correct, confidence), rel=1e-6)
    assert sum(b.count for b in found.equal_width) == sum(b.count for b in found.equal_mass) == len(confidence)
    counts = [b.count for b in found.equal_mass]
    assert max(counts) - min(counts) <= 2


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000))
def test_summaries_are_bounded_by_what_they_sum_up(seed: int) -> None:
    confidence, correct = sample(seed)
    found = reliability(confidence, correct)
    gap = abs(confidence.mean() - correct.mean())
    for error, bins in ((found.ece, found.equal_width), (found.adaptive_ece, found.equal_mass)):
        assert gap - 1e-12 <= error <= max(abs(b.accuracy - b.confidence) for b in bins) + 1e-12
        assert all(b.low - 1e-12 <= b.confidence <= b.high + 1e-12 for b in bins)


def test_extreme_confidences_stay_finite() -> None:
    found = reliability(np.array([0.0, 1.0, 1.0]), np.array([True, True, False]))
    assert np.isfinite(found.nll)
    assert found.nll > 5
    assert found.brier == pytest.approx(2 / 3)
    one = reliability(np.full(4, 0.5), np.array([True, True, False, False]))
    assert (one.ece, one.adaptive_ece) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("confidence", "correct", "message"),
    [
        ([0.5, 0.5], [True], "expected equal lengths"),
        ([], [], "of at least 1"),
        ([0.5, 1.2], [True, True], r"0\.5\.\.1\.2, expected 0\.\.1"),
        ([0.5, float("nan")], [True, True], "expected 0..1"),
    ],
)
def test_refuses_what_is_no_confidence(confidence: list[float], correct: list[bool], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        reliability(np.array(confidence), np.array(correct, bool))


@pytest.mark.parametrize("truth", [0.5, 1.0, 3.0])
def test_finds_the_temperature_that_made_the_labels(truth: float) -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(40_000, 5, generator=generator) * 4
    classes = torch.multinomial(torch.softmax(logits / truth, 1), 1, generator=generator)[:, 0]
    found = fit_temperature(logits, classes)
    assert found == pytest.approx(truth, rel=0.05)
    assert judge(ConfidenceMap("temperature", found), logits, classes).ece < 0.02


def test_isotonic_regression_repairs_what_no_temperature_can() -> None:
    """Right half of the time however sure, but for a step at the very top: not a softmax of any temperature."""
    generator = torch.Generator().manual_seed(1)
    logits = torch.randn(40_000, 4, generator=generator) * 3
    top = torch.softmax(logits, 1).amax(1)
    right = torch.rand(40_000, generator=generator) < torch.where(top > 0.9, 0.95, 0.5)
    classes = torch.where(right, logits.argmax(1), (logits.argmax(1) + 1) % 4)
    fitting, held_out = (logits[::2], classes[::2]), (logits[1::2], classes[1::2])
    errors = {mapping.method: judge(mapping, *held_out).ece for mapping in fit(*fitting)}
    assert errors["isotonic"] < 0.02
    assert errors["isotonic"] < 0.3 * min(errors["none"], errors["temperature"])


def isotonic(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted isotonic regression by the min-max formula, not by pooling."""
    n = len(values)

    def mean(i: int, j: int) -> float:
        return float(np.average(values[i : j + 1], weights=weights[i : j + 1]))

    return np.array([max(min(mean(i, j) for j in range(k, n)) for i in range(k + 1)) for k in range(n)])


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.integers(1, 12))
def test_the_table_is_the_isotonic_regression(seed: int, levels: int) -> None:
    rng = np.random.default_rng(seed)
    values = np.sort(rng.choice(256, levels, replace=False)) / 255
    confidence = rng.choice(values, 300)
    correct = rng.random(300) < confidence
    table = fit_table(confidence, correct)
    seen, counts = np.unique(confidence, return_counts=True)
    rates = np.array([correct[confidence == value].mean() for value in seen])
    found = np.interp(seen, *np.transpose(table))
    np.testing.assert_allclose(found, isotonic(rates, counts.astype(float)), atol=0.5 / 255 + 1e-3)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10_000), st.integers(1, 20_000))
def test_tables_fit_the_manifest(seed: int, count: int) -> None:
    confidence, correct = sample(seed, count)
    x, y = np.transpose(fit_table(confidence, correct))
    assert 2 <= len(x) <= MAX_KNOTS
    assert (np.diff(x) > 0).all()
    assert (np.diff(y) >= 0).all()
    assert 0 <= min(x.min(), y.min()) <= max(x.max(), y.max()) <= 1


def test_confidences_are_softmax_temperature_and_table() -> None:
    logits = torch.tensor([[2.0, 0.0], [0.0, 1.0]])
    plain = 1 / (1 + np.exp([-2.0, -1.0]))
    np.testing.assert_allclose(confidences(logits, ConfidenceMap("none")), plain, rtol=1e-6)
    table = ((0.5, 0.2), (1.0, 1.0))
    expected = 0.2 + 1.6 * (1 / (1 + np.exp([-1.0, -0.5])) - 0.5)
    np.testing.assert_allclose(confidences(logits, ConfidenceMap("isotonic", 2.0, table)), expected, rtol=1e-6)


def test_a_pool_keeps_everything_until_it_is_full_and_then_a_fair_part() -> None:
    pool = PixelPool(4000)
    parts = [np.arange(i * 1000, (i + 1) * 1000) for i in range(40)]
    for part in parts[:4]:
        pool.add(a=part, b=-part)
    assert pool.share == 1.0
    np.testing.assert_array_equal(pool.column("a"), np.arange(4000))
    for part in parts[4:]:
        pool.add(a=part, b=-part)
    assert len(pool) <= 4000
    assert pool.share in (1 / 16, 1 / 8)
    kept = pool.column("a")
    np.testing.assert_array_equal(pool.column("b"), -kept)
    assert len(kept) == pytest.approx(40_000 * pool.share, rel=0.1)
    # Early and late rows are as likely: a quarter of what is kept from each quarter of the stream.
    quarters = np.bincount(kept // 10_000, minlength=4) / len(kept)
    np.testing.assert_allclose(quarters, 0.25, atol=0.05)
    with pytest.raises(ValueError, match="expected at least 1"):
        PixelPool(0)
