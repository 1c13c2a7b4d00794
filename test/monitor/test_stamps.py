"""Order of stamps: no late or doubled frame becomes a result, and no timeline is refused for ever."""

from hypothesis import given
from hypothesis import strategies as st

from hybrid_seg_ros.monitor.stamps import StampOrder, StampVerdict

NEW, REPEATED, BACKWARDS, RESTARTED = (
    StampVerdict.NEW,
    StampVerdict.REPEATED,
    StampVerdict.BACKWARDS,
    StampVerdict.RESTARTED,
)
MS = 1_000_000


def verdicts(stamps_ms: list[int], restart_s: float = 1.0) -> list[StampVerdict]:
    order = StampOrder(restart_s)
    return [order.judge(stamp * MS) for stamp in stamps_ms]


def test_increasing_stamps_are_new() -> None:
    assert verdicts([0, 33, 66]) == [NEW, NEW, NEW]


def test_a_repeated_stamp_is_refused_however_often_it_comes() -> None:
    assert verdicts([100, 100, 100, 100, 100, 133]) == [NEW, *[REPEATED] * 4, NEW]


def test_a_late_frame_is_refused() -> None:
    assert verdicts([100, 133, 120, 166]) == [NEW, NEW, BACKWARDS, NEW]


def test_a_far_jump_back_is_a_new_timeline() -> None:
    assert verdicts([50_000, 50_033, 1_000, 1_033]) == [NEW, NEW, RESTARTED, NEW]


def test_exactly_restart_s_back_is_a_new_timeline() -> None:
    assert verdicts([2_000, 1_000]) == [NEW, RESTARTED]


def test_a_short_loop_is_accepted_after_three_frames_in_order() -> None:
    assert verdicts([0, 100, 200, 300, 0, 100, 200, 300]) == [*[NEW] * 4, BACKWARDS, BACKWARDS, RESTARTED, NEW]


def test_one_stamp_from_the_future_does_not_end_the_input() -> None:
    assert verdicts([0, 33, 3_600_000, 66, 100]) == [NEW, NEW, NEW, RESTARTED, NEW]


def test_two_cameras_on_one_topic_give_no_timeline_of_the_late_one() -> None:
    found = verdicts([100, 90, 133, 123, 166, 156, 200, 190])
    assert found == [NEW, BACKWARDS] * 4


@given(st.lists(st.integers(0, 10_000 * MS), min_size=1, max_size=60))
def test_between_restarts_accepted_stamps_increase(stamps: list[int]) -> None:
    order = StampOrder()
    last = -1
    for stamp in stamps:
        verdict = order.judge(stamp)
        if verdict is RESTARTED:
            last = stamp
        elif verdict.accepted:
            assert stamp > last
            last = stamp
        else:
            assert stamp <= last
        assert order.last == last


@given(st.lists(st.integers(0, 10_000 * MS), max_size=30), st.integers(0, 10_000))
def test_whatever_came_before_a_steady_camera_is_heard_within_three_frames(before: list[int], start_ms: int) -> None:
    order = StampOrder()
    for stamp in before:
        order.judge(stamp)
    steady = [order.judge((start_ms + 33 * k) * MS) for k in range(12)]
    first = next(k for k, verdict in enumerate(steady) if verdict.accepted)
    assert first < 3
    assert all(verdict is NEW for verdict in steady[first + 1 :])
