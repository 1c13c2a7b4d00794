"""A condition that must last."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_seg_ros.monitor.lasting import Lasting


def test_switches_after_it_has_lasted_and_back_after_it_was_gone() -> None:
    lasting = Lasting(after_s=1.0, clear_s=0.5)
    assert [lasting.update(bad=True, good=False, now_s=t) for t in (0.0, 0.5, 0.9, 1.0)] == [False, False, False, True]
    assert [lasting.update(bad=False, good=True, now_s=t) for t in (1.5, 1.9, 2.0)] == [True, True, False]


def test_what_is_between_the_levels_changes_nothing() -> None:
    lasting = Lasting(after_s=1.0, clear_s=1.0)
    lasting.update(bad=True, good=False, now_s=0.0)
    assert not lasting.update(bad=False, good=False, now_s=1.5)
    assert lasting.pending
    assert lasting.update(bad=True, good=False, now_s=1.6)
    assert lasting.update(bad=False, good=False, now_s=9.0)


def test_one_good_image_begins_anew() -> None:
    lasting = Lasting(after_s=1.0, clear_s=1.0)
    lasting.update(bad=True, good=False, now_s=0.0)
    lasting.update(bad=False, good=True, now_s=0.9)
    assert not lasting.update(bad=True, good=False, now_s=1.0)
    assert not lasting.update(bad=True, good=False, now_s=1.9)
    assert lasting.update(bad=True, good=False, now_s=2.0)


@pytest.mark.parametrize("jump", [10.0, -5.0])
def test_nothing_lasts_over_a_gap_or_a_clock_that_went_back(jump: float) -> None:
    lasting = Lasting(after_s=1.0, clear_s=1.0, max_gap_s=2.0)
    lasting.update(bad=True, good=False, now_s=0.0)
    assert not lasting.update(bad=True, good=False, now_s=jump)
    assert lasting.update(bad=True, good=False, now_s=jump + 1.0)
    assert lasting.update(bad=False, good=True, now_s=jump + 99.0)


@given(period=st.floats(0.01, 1.9), after=st.floats(0.0, 5.0), start=st.floats(-1e4, 1e4), before=st.integers(0, 20))
def test_is_never_later_than_its_time_and_one_period(period: float, after: float, start: float, before: int) -> None:
    lasting = Lasting(after_s=after, clear_s=1.0)
    for k in range(before):
        assert not lasting.update(bad=False, good=True, now_s=start + k * period)
    first = start + before * period
    for k in range(1000):
        now = start + (before + k) * period
        if lasting.update(bad=True, good=False, now_s=now):
            assert after <= now - first + 1e-6
            assert now - first <= after + period + 1e-6
            return
    pytest.fail("never told")


@pytest.mark.parametrize("name", ["after_s", "clear_s", "max_gap_s"])
def test_times_that_are_none_are_refused(name: str) -> None:
    times = {"after_s": 1.0, "clear_s": 1.0, "max_gap_s": 1.0, name: -0.1}
    with pytest.raises(ValueError, match=f"{name} must be >= 0 s, found -0.1"):
        Lasting(**times)
