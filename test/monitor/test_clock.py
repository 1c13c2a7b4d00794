"""What is a jump of the clock and what is not; stamps against the clock."""

import math
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_seg_ros.monitor.clock import SIMULATED_RATES, ClockMonitor, StampAge
from hybrid_seg_ros.monitor.states import HealthState

S = 1_000_000_000
START_NS = 1_700_000_000 * S
STEPS = st.lists(st.floats(0.001, 0.5), min_size=1, max_size=30)


def jumps(monitor: ClockMonitor, steps: Iterable[tuple[float, float]], start_ns: int = START_NS) -> list[float]:
    """Jumps on steps of (steady seconds, seconds of the clock)."""
    steady, ros = 50.0, start_ns
    found = [monitor.update(ros, steady)]
    for passed, advanced in steps:
        steady, ros = steady + passed, ros + round(advanced * S)
        found.append(monitor.update(ros, steady))
    return [jump.seconds for jump in found if jump is not None]


@given(STEPS, st.floats(-500e-6, 500e-6))
def test_a_system_clock_that_is_slewed_never_jumps(steps: list[float], drift: float) -> None:
    assert jumps(ClockMonitor(0.1), [(step, step * (1.0 + drift)) for step in steps]) == []


@given(STEPS, STEPS, st.floats(0.11, 1e6), st.sampled_from([-1.0, 1.0]))
def test_a_system_clock_that_is_set_jumps_once_by_that_much(
    before: list[float], after: list[float], size: float, sign: float
) -> None:
    steady = [(step, step) for step in before]
    found = jumps(ClockMonitor(0.1), [*steady, (0.1, 0.1 + sign * size), *((step, step) for step in after)])
    assert found == [pytest.approx(sign * size, abs=1e-6)]


@given(st.lists(st.tuples(st.floats(0.001, 0.5), st.floats(0.0, 100.0)), min_size=1, max_size=30))
def test_simulated_time_may_pause_and_run_at_any_rate(steps: list[tuple[float, float]]) -> None:
    monitor = ClockMonitor(0.1, SIMULATED_RATES)
    assert jumps(monitor, [(passed, passed * rate) for passed, rate in steps]) == []
    assert monitor.jumps == 0


@given(st.floats(0.11, 1e6), st.floats(0.0, 10.0))
def test_a_bag_that_begins_anew_jumps_back_at_any_rate(length: float, rate: float) -> None:
    found = jumps(ClockMonitor(0.1, SIMULATED_RATES), [(0.1, 0.1 * rate), (0.1, -length), (0.1, 0.1 * rate)])
    assert found == [pytest.approx(-length, abs=1e-6)]


def test_simulated_time_that_leaps_ahead_jumps() -> None:
    assert jumps(ClockMonitor(0.1, SIMULATED_RATES), [(0.1, 60.0)]) == [pytest.approx(50.0)]


def test_the_first_message_on_clock_is_no_jump() -> None:
    monitor = ClockMonitor(0.1, SIMULATED_RATES)
    assert monitor.update(0, 1.0) is None
    assert monitor.update(START_NS, 1.1) is None
    assert monitor.update(START_NS - S, 1.2) is not None


def test_a_jump_is_a_state_for_a_while() -> None:
    monitor = ClockMonitor(0.1, hold_s=2.0)
    assert monitor.state(0.0) is HealthState.OK
    monitor.update(START_NS, 10.0)
    monitor.update(START_NS - S, 10.1)
    assert (monitor.state(10.1), monitor.state(12.0)) == (HealthState.CLOCK_JUMP, HealthState.CLOCK_JUMP)
    assert monitor.state(12.2) is HealthState.OK
    assert monitor.jumps == 1
    assert monitor.last is not None
    assert monitor.last.at_s == 10.1


def test_impossible_clock_options_are_refused() -> None:
    for options in ({"tolerance_s": 0.0}, {"rates": (1.0, 0.5)}, {"rates": (-1.0, 1.0)}, {"hold_s": -1.0}):
        with pytest.raises(ValueError, match="expected tolerance_s > 0"):
            ClockMonitor(**options)


def ages(monitor: StampAge, *ages_s: float) -> list[HealthState]:
    return [monitor.update(START_NS - round(age * S), START_NS) for age in ages_s]


def test_stamps_are_judged_over_several_images_and_cleared_by_one() -> None:
    ok, future, old = HealthState.OK, HealthState.STAMPS_FUTURE, HealthState.STAMPS_OLD
    monitor = StampAge(future_s=0.1, old_s=2.0, frames=3)
    assert math.isnan(monitor.age_s)
    assert ages(monitor, 0.05, -0.1, 2.0) == [ok, ok, ok], "the limits are allowed"
    assert ages(monitor, 2.1, 2.1, 0.0, 2.1, 2.1, 2.1, 0.0) == [ok, ok, ok, ok, ok, old, ok]
    assert ages(monitor, -0.2, -0.2, -0.2, 5.0, 5.0, 5.0) == [ok, ok, future, future, future, old]
    assert monitor.age_s == 5.0


@given(st.lists(st.floats(-0.1, 2.0), max_size=30))
def test_stamps_within_the_limits_are_never_a_state(found: list[float]) -> None:
    assert set(ages(StampAge(0.1001, 2.0001, frames=1), *found)) <= {HealthState.OK}


def test_impossible_stamp_options_are_refused() -> None:
    for options in ({"future_s": -1.0}, {"old_s": 0.0}, {"frames": 0}):
        with pytest.raises(ValueError, match="expected future_s >= 0, old_s > 0"):
            StampAge(**options)
