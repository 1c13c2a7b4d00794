from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.scored_pixels import Image, images, pooled

from hybrid_seg_ros.evaluation import ranking_curve
from hybrid_seg_ros.evaluation.npz import write_npz
from hybrid_seg_ros.evaluation.pixel_counts import PixelCounts
from hybrid_seg_ros.evaluation.score_bins import bin_of, bins_of, key_of, lowest_score


def counted(sample: list[Image], mantissa_bits: int = 17) -> PixelCounts:
    counts = PixelCounts(mantissa_bits)
    for score, anomaly in sample:
        counts.add(score, anomaly)
    return counts


def same(one: PixelCounts, other: PixelCounts) -> bool:
    equal = all(np.array_equal(a, b) for a, b in zip(one.bins(), other.bins(), strict=True))
    return equal and (one.exact, one.void) == (other.exact, other.void)


@settings(deadline=None, max_examples=60)
@given(images(np.float16))
def test_half_precision_scores_give_the_very_curve_of_all_pixels_sorted(sample: list[Image]) -> None:
    curve, expected = counted(sample).curve(), ranking_curve(*pooled(sample))
    np.testing.assert_array_equal(curve.thresholds, expected.thresholds)
    np.testing.assert_array_equal(curve.true_positives, expected.true_positives)
    np.testing.assert_array_equal(curve.false_positives, expected.false_positives)
    assert counted(sample).exact


@settings(deadline=None, max_examples=60)
@given(images(np.float32), st.integers(4, 20))
def test_counts_are_exact_at_the_thresholds_told(sample: list[Image], mantissa_bits: int) -> None:
    counts = counted(sample, mantissa_bits)
    score, positive = pooled(sample)
    assert (counts.known, counts.anomaly) == ((~positive).sum(), positive.sum())
    assert counts.void == sum(int((anomaly > 1).sum()) for _, anomaly in sample)
    curve = counts.curve()
    assert (np.diff(curve.thresholds) < 0).all()
    for threshold, hits, alarms in zip(curve.thresholds, curve.true_positives, curve.false_positives, strict=True):
        assert hits == np.sum(positive & (score >= threshold))
        assert alarms == np.sum(~positive & (score >= threshold))


@settings(deadline=None, max_examples=60)
@given(st.floats(width=32, allow_nan=False), st.floats(width=32, allow_nan=False), st.integers(4, 20))
def test_keys_and_bins_are_in_the_order_of_the_scores(one: float, other: float, mantissa_bits: int) -> None:
    assert (one < other) == (key_of(one) < key_of(other))
    assert (one == other) == (key_of(one) == key_of(other))
    place = bin_of(one, mantissa_bits)
    assert 0 <= place < bins_of(mantissa_bits)
    low = float(lowest_score(np.array([place]), mantissa_bits)[0])
    assert low <= one
    assert bin_of(low, mantissa_bits) == place
    if abs(one) >= 2.0**-126 and np.isfinite([low, one]).all():
        assert one - low <= 2.0**-mantissa_bits * abs(one)


@settings(deadline=None, max_examples=30)
@given(images(np.float32), images(np.float16))
def test_merged_counts_are_those_of_all_images(first: list[Image], second: list[Image]) -> None:
    merged = counted(first)
    merged.merge(counted(second))
    assert same(merged, counted(first + second))


def test_saved_counts_come_back_and_equal_counts_are_equal_files(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    merged = counted([(rng.normal(size=500).astype(np.float32), rng.choice([0, 1, 255], 500).astype(np.uint8))])
    path = tmp_path / "folder" / "counts.npz"
    merged.save(path)
    loaded = PixelCounts.load(path)
    assert same(loaded, merged)
    assert [found.name for found in path.parent.iterdir()] == ["counts.npz"]
    again = path.with_name("again.npz")
    loaded.save(again)
    assert again.read_bytes() == path.read_bytes()


def test_a_double_is_ranked_as_a_float_and_said_to_lose_something() -> None:
    counts = PixelCounts()
    counts.add(np.array([0.5, 1e300, np.nan]), np.array([0, 1, 255], np.uint8))
    assert not counts.exact
    assert counts.curve().thresholds.tolist() == [np.inf, 0.5]


@pytest.mark.parametrize(
    ("score", "anomaly", "message"),
    [
        (np.array([0.1, np.nan, np.nan], np.float32), [1, 0, 255], "1 NaN among its 2 labelled"),
        (np.zeros((2, 3), np.float32), [0, 1], r"score is \(2, 3\), the anomaly labels \(2,\)"),
        (np.zeros(2, np.int32), [0, 1], "score is int32, expected float16"),
    ],
)
def test_what_cannot_be_counted_is_named_and_leaves_no_trace(
    score: np.ndarray, anomaly: list[int], message: str
) -> None:
    counts = counted([(np.ones(1, np.float32), np.ones(1, np.uint8))])
    with pytest.raises(ValueError, match=message):
        counts.add(score, np.array(anomaly, np.uint8))
    assert (counts.known, counts.anomaly, counts.void) == (0, 1, 0)


def test_a_void_pixel_may_be_nan() -> None:
    counts = counted([(np.array([np.nan, 1.0], np.float32), np.array([255, 1], np.uint8))])
    assert (counts.known, counts.anomaly, counts.void) == (0, 1, 1)


def test_no_curve_of_one_kind_only_and_no_mixing_of_bins() -> None:
    counts = counted([(np.ones(3, np.float32), np.zeros(3, np.uint8))])
    with pytest.raises(ValueError, match="0 of 3 pixels are positive"):
        counts.curve()
    with pytest.raises(ValueError, match="counts of 10 mantissa bits, expected 17"):
        counts.merge(PixelCounts(10))
    with pytest.raises(ValueError, match=r"mantissa_bits is 21, expected 4\.\.20"):
        PixelCounts(21)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off", b"\x93NUMPY nonsense"])
def test_a_file_that_is_no_counts_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "counts.npz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"counts\.npz: no saved counts .*delete it"):
        PixelCounts.load(path)
    with pytest.raises(FileNotFoundError, match="absent"):
        PixelCounts.load(tmp_path / "absent.npz")


def test_a_file_of_another_format_is_refused(tmp_path: Path) -> None:
    write_npz(tmp_path / "counts.npz", meta=np.array([99]), bins=np.zeros(0), known=np.zeros(0), anomaly=np.zeros(0))
    with pytest.raises(ValueError, match="format 99, expected 1"):
        PixelCounts.load(tmp_path / "counts.npz")
