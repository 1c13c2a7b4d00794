"""Rolling percentiles against numpy, and rates against the clock they were given."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_seg_ros.monitor.stage_times import RateMeter, RollingPercentiles, StageTimes

NUMBERS = st.lists(st.floats(0, 1e6, allow_nan=False), min_size=1, max_size=300)


@given(NUMBERS, st.integers(1, 100))
def test_percentiles_are_numpys_of_the_last_window(samples: list[float], window: int) -> None:
    rolling = RollingPercentiles(window)
    for sample in samples:
        rolling.add(sample)
    summary, last = rolling.summary(), samples[-window:]
    assert summary.count == len(last)
    assert summary.p50 == np.percentile(last, 50, method="inverted_cdf")
    assert summary.p99 == np.percentile(last, 99, method="inverted_cdf")
    assert summary.max == max(last)


def test_an_empty_window_is_nan_and_nan_is_no_sample() -> None:
    rolling = RollingPercentiles()
    rolling.add(math.nan)
    summary = rolling.summary()
    assert summary.count == 0
    assert math.isnan(summary.p50)
    assert math.isnan(summary.max)


def test_stages_keep_their_order() -> None:
    times = StageTimes(window=4)
    for stage, value in (("decode", 1.0), ("network", 5.0), ("decode", 3.0)):
        times.add(stage, value)
    assert list(times.summary()) == ["decode", "network"]
    assert times.summary()["decode"].max == 3.0


def test_rate_of_a_steady_camera() -> None:
    meter = RateMeter(window_s=5.0)
    for k in range(100):
        meter.tick(k / 15)
    assert meter.rate(99 / 15) == pytest.approx(15)


def test_rate_falls_to_zero_when_nothing_comes() -> None:
    meter = RateMeter(window_s=5.0)
    meter.tick(0.0)
    assert meter.rate(0.0) == 0.0
    meter.tick(0.1)
    assert meter.rate(10.0) == 0.0


def test_memory_is_bounded() -> None:
    meter = RateMeter(window_s=1e9, max_events=10)
    for k in range(1000):
        meter.tick(float(k))
    assert meter.rate(1000.0) == pytest.approx(1.0)
    assert len(meter._times) == 10
