import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_seg_ros.evaluation import pixel_metrics
from hybrid_seg_ros.evaluation.distance import DistanceCounts, distance_map

Image = tuple[np.ndarray, np.ndarray, np.ndarray]


def image(seed: int) -> Image:
    """Score, anomaly and distance; anomalies are the harder the farther they are."""
    rng = np.random.default_rng(seed)
    anomaly = rng.choice([0, 1, 255], (20, 30), p=[0.7, 0.2, 0.1]).astype(np.uint8)
    distance = rng.choice([np.nan, *np.arange(0.0, 40.0, 0.625)], (20, 30)).astype(np.float32)
    score = rng.normal(3.0 * (anomaly == 1) * np.exp(-np.nan_to_num(distance) / 15)).astype(np.float16)
    return score, anomaly, distance


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10_000))
def test_every_range_has_the_metrics_of_its_own_pixels(seed: int) -> None:
    images = [image(seed), image(seed + 1)]
    counts = DistanceCounts(limit_m=30)
    for one in images:
        counts.add(*one)
    score, anomaly, distance = (np.concatenate([one[part].ravel() for one in images]) for part in range(3))
    found = counts.result()
    assert [(one.low_m, one.high_m) for one in found] == [(low, low + 5) for low in range(0, 30, 5)]
    for one in found:
        here = (distance >= one.low_m) & (distance < one.high_m) & (anomaly <= 1)
        exact = pixel_metrics(score[here], anomaly[here] == 1)
        assert (one.ap, one.fpr95) == (pytest.approx(exact.average_precision), pytest.approx(exact.fpr95))
        assert (one.known, one.anomaly) == ((anomaly[here] == 0).sum(), (anomaly[here] == 1).sum())
        assert (one.ap_error, one.fpr95_error) == (0, 0)
    assert counts.unknown == (np.isnan(distance) & (anomaly <= 1)).sum()
    assert counts.beyond == ((distance >= 30) & (anomaly <= 1)).sum()


def test_distance_is_baseline_times_focal_length_by_disparity() -> None:
    # Lost and Found: 0.22 m apart, about 2300 px: an object at 50 m is 10 px apart.
    found = distance_map(np.array([[10.12, 0.0, -1.0, np.nan, np.inf]], np.float32), 0.22, 2300)
    assert found.dtype == np.float32
    assert found[0, 0] == pytest.approx(50.0)
    assert np.isnan(found[0, 1:]).all()
    with pytest.raises(ValueError, match="focal length 0 px; expected both positive"):
        distance_map(found, 0.22, 0)


def test_a_range_without_anomalies_has_no_figures() -> None:
    counts = DistanceCounts()
    assert counts.result() == []
    counts.add(np.ones(3, np.float32), np.array([0, 1, 0], np.uint8), np.array([7.0, 12.0, 11.0], np.float32))
    found = counts.result()
    assert [(one.ap, one.fpr95, one.known, one.anomaly) for one in found] == [
        (None, None, 0, 0),
        (None, None, 1, 0),
        (0.5, 1.0, 1, 1),
    ]


def test_merged_counts_are_those_of_all_images() -> None:
    one, other, both = DistanceCounts(), DistanceCounts(), DistanceCounts()
    one.add(*image(1))
    other.add(*image(2))
    for seed in (1, 2):
        both.add(*image(seed))
    one.merge(other)
    assert (one.result(), one.unknown, one.beyond) == (both.result(), both.unknown, both.beyond)
    with pytest.raises(ValueError, match=r"ranges of 2\.0 m to 150\.0 m, expected 5\.0 m"):
        one.merge(DistanceCounts(2.0))


def test_what_cannot_be_counted_is_named_and_leaves_no_trace() -> None:
    counts = DistanceCounts()
    score, anomaly, distance = image(3)
    with pytest.raises(ValueError, match="expected equal shapes"):
        counts.add(score, anomaly, distance[1:])
    with pytest.raises(ValueError, match="NaN among its"):
        counts.add(score * np.float16(np.nan), anomaly, distance)
    assert (counts.result(), counts.unknown) == ([], 0)
    with pytest.raises(ValueError, match="expected 0 < width <= limit"):
        DistanceCounts(0.0)
