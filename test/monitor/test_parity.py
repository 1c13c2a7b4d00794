"""When the golden image is run again, and what its results make of the state."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_seg_ros.monitor.parity import ParityMonitor
from hybrid_seg_ros.monitor.states import HealthState, Timing, detection_time_s


def test_is_due_once_in_each_period() -> None:
    monitor = ParityMonitor(60.0, 2, now_s=100.0)
    due = [now for now in range(100, 401, 10) if monitor.due(float(now))]
    assert due == [160, 220, 280, 340, 400]


def test_a_period_of_zero_is_never_due() -> None:
    assert not ParityMonitor(0.0, 2, now_s=0.0).due(1e9)


def test_failures_in_a_row_are_a_drift_and_one_good_result_clears_it() -> None:
    monitor = ParityMonitor(60.0, 2, now_s=0.0)
    monitor.failed("labels differ")
    assert (monitor.state, monitor.problem) == (HealthState.OK, "labels differ")
    monitor.passed()
    monitor.failed("labels differ")
    assert monitor.state is HealthState.OK
    monitor.failed("not finite")
    assert (monitor.state, monitor.problem) == (HealthState.PARITY_DRIFT, "not finite")
    monitor.passed()
    assert (monitor.state, monitor.problem) == (HealthState.OK, "")
    assert (monitor.runs, monitor.bad) == (5, 3)


@given(st.lists(st.booleans(), max_size=40), st.integers(1, 5))
def test_drift_is_exactly_a_tail_of_failures(results: list[bool], failures: int) -> None:
    monitor = ParityMonitor(1.0, failures, now_s=0.0)
    for good in results:
        if good:
            monitor.passed()
        else:
            monitor.failed("other results")
    tail = next((index for index, good in enumerate(reversed(results)) if good), len(results))
    assert (monitor.state is HealthState.PARITY_DRIFT) == (tail >= failures)


@given(st.floats(0.0, 60.0), st.integers(1, 4))
def test_a_drift_is_found_within_the_stated_time(fault_s: float, failures: int) -> None:
    timing = Timing(parity_period_s=10.0, parity_failures=failures, heartbeat_period_s=0.5)
    monitor = ParityMonitor(10.0, failures, now_s=0.0)
    now = 0.0
    while monitor.state is HealthState.OK:
        now += 0.5
        if monitor.due(now):
            monitor.failed("other results") if now >= fault_s else monitor.passed()
    assert now - fault_s <= detection_time_s(HealthState.PARITY_DRIFT, timing)


@pytest.mark.parametrize(("period", "failures"), [(-1.0, 1), (float("nan"), 1), (1.0, 0)])
def test_impossible_options_are_refused(period: float, failures: int) -> None:
    with pytest.raises(ValueError, match="expected period_s >= 0, failures >= 1"):
        ParityMonitor(period, failures, now_s=0.0)
