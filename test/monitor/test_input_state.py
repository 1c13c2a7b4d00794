"""One input through all its states."""

from hybrid_seg_ros.monitor.input_state import InputMonitor, InputState
from hybrid_seg_ros.monitor.stamps import StampVerdict

S = 1_000_000_000


def watched(stale_after_s: float = 1.0) -> InputMonitor:
    monitor = InputMonitor(stale_after_s)
    monitor.watch(100.0)
    return monitor


def test_waits_until_the_first_message() -> None:
    report = watched().report(103.0)
    assert report.state is InputState.WAITING
    assert report.silent_s == 3.0


def test_is_ok_after_a_good_frame_and_stale_after_silence() -> None:
    monitor = watched()
    assert monitor.arrived(5 * S, 101.0).accepted
    monitor.used((640, 480))
    assert monitor.report(101.5).state is InputState.OK
    assert monitor.report(102.0).state is InputState.OK  # exactly the limit
    assert monitor.report(102.1).state is InputState.STALE


def test_is_bad_while_the_last_message_was_bad() -> None:
    monitor = watched()
    monitor.arrived(5 * S, 101.0)
    monitor.refuse("bad_image", "truncated", 101.0)
    report = monitor.report(101.2)
    assert report.state is InputState.BAD
    assert (report.problem, report.rejected) == ("truncated", {"bad_image": 1})
    monitor.arrived(6 * S, 101.3)
    monitor.used((640, 480))
    report = monitor.report(101.4)
    assert report.state is InputState.OK
    assert round(report.problem_age_s, 6) == 0.4


def test_bad_input_that_stops_is_stale() -> None:
    monitor = watched()
    monitor.arrived(5 * S, 101.0)
    monitor.refuse("bad_image", "truncated", 101.0)
    assert monitor.report(105.0).state is InputState.STALE


def test_counts_size_changes_in_mid_stream() -> None:
    monitor = watched()
    changes = [monitor.used(size) for size in ((640, 480), (640, 480), (320, 240), (320, 240), (640, 480))]
    assert changes == [False, False, True, False, True]
    assert monitor.report(101.0).size_changes == 2
    assert monitor.report(101.0).size == (640, 480)


def test_counts_restarts() -> None:
    monitor = watched()
    assert [monitor.arrived(t * S, 101.0) for t in (50, 51, 1)][-1] is StampVerdict.RESTARTED
    assert monitor.report(101.0).restarts == 1


def test_watching_again_forgets_the_timeline_but_not_the_counts() -> None:
    monitor = watched()
    monitor.arrived(50 * S, 101.0)
    monitor.used((640, 480))
    monitor.watch(200.0)
    report = monitor.report(200.0)
    assert report.state is InputState.WAITING
    assert (report.received, report.good, report.size) == (1, 1, None)
    # the same moment may come again after a restart of the input
    assert monitor.arrived(50 * S, 201.0) is StampVerdict.NEW
    assert not monitor.used((320, 240)), "another size after a restart is no change in mid-stream"
