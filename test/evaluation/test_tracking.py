"""Figures of following obstacles: hand-made sequences whose figures can be counted on the fingers."""

from collections.abc import Sequence

import numpy as np
import pytest

from hybrid_seg_ros.evaluation.tracking import TrackingReport, TrackingWatch, join_reports

STEP_NS = 100_000_000
NOTHING = np.zeros((20, 40), np.uint16)
Seen = tuple[int, bool] | None


def block(x: int, value: int = 1, width: int = 8) -> np.ndarray:
    result = NOTHING.copy()
    result[5:15, x : x + width] = value
    return result


def follow(*seen: Seen) -> TrackingReport:
    """One object in the middle of every frame; per frame (id, confirmed) of the obstacle on it, or None."""
    watch = TrackingWatch()
    for index, item in enumerate(seen):
        painted = NOTHING if item is None else block(10)
        ids, confirmed = ([], []) if item is None else ([item[0]], [item[1]])
        watch.add(index * STEP_NS, block(10), painted, ids, confirmed)
    return watch.report()


def test_one_that_is_followed_all_along() -> None:
    report = follow((4, False), (4, True), (4, True))
    (item,) = report.objects
    assert (item.truth, item.frames, item.detected, item.confirmed) == (1, 3, 3, 2)
    assert (item.id_switches, item.fragmentations, item.delay_frames, item.longest_wait) == (0, 0, 1, 1)
    assert (report.confirmed_tracks, report.false_tracks) == (1, 0)


@pytest.mark.parametrize(
    ("seen", "switches", "fragmentations"),
    [
        (((1, True), (2, True), (2, True)), 1, 0),
        (((1, True), None, (1, True)), 0, 1),
        (((1, True), (1, False), (1, True)), 0, 1),
        (((1, True), None, (2, True)), 1, 1),
        (((1, True), (2, True), (1, True)), 2, 0),
        (((1, True), None, None), 0, 0),
        ((None, (1, False), (1, True)), 0, 0),
        (((1, True), None, (1, True), None, (1, True)), 0, 2),
    ],
)
def test_switches_and_fragmentations(seen: Sequence[Seen], switches: int, fragmentations: int) -> None:
    report = follow(*seen)
    assert (report.id_switches, report.fragmentations) == (switches, fragmentations)


@pytest.mark.parametrize(
    ("seen", "delay", "wait"),
    [
        (((1, True),), 0, 0),
        ((None, (1, False), (1, False), (1, True), (1, True)), 2, 2),
        (((1, False), None, (1, False), (1, False), None, (1, True)), 5, 2),
        (((1, False), (2, False), (3, False)), None, 3),
        (((1, True), (1, False), (1, False), (1, True)), 0, 0),
        ((None, None), None, 0),
    ],
)
def test_delay_and_wait(seen: Sequence[Seen], delay: int | None, wait: int) -> None:
    (item,) = follow(*seen).objects
    assert (item.delay_frames, item.longest_wait) == (delay, wait)


def test_an_object_keeps_its_id_while_a_larger_obstacle_lies_on_it_too() -> None:
    watch = TrackingWatch()
    watch.add(0, block(10), block(10), [7], [True])
    both = block(10, 2)
    both[5:15, 10:12] = 1
    watch.add(STEP_NS, block(10), both, [7, 8], [True, True])
    assert watch.report().id_switches == 0
    watch.add(2 * STEP_NS, block(10), both, [9, 8], [True, True])
    assert watch.report().id_switches == 1
    watch.add(3 * STEP_NS, block(10), block(10), [8], [True])
    assert watch.report().id_switches == 1


def test_an_object_that_leaves_the_view_or_gets_too_small_is_not_interrupted() -> None:
    watch = TrackingWatch(min_pixels=40)
    watch.add(0, block(10), block(10), [1], [True])
    watch.add(STEP_NS, NOTHING, NOTHING, [], [])
    watch.add(2 * STEP_NS, block(10, width=3), NOTHING, [], [])
    watch.add(3 * STEP_NS, block(10), block(10), [1], [True])
    (item,) = watch.report().objects
    assert (item.frames, item.fragmentations, item.id_switches) == (2, 0, 0)


def test_false_tracks_are_those_that_never_were_on_anything_true() -> None:
    watch = TrackingWatch()
    for index in range(5):
        painted = block(30, 2) + (block(10) if index == 0 else block(0))
        watch.add(index * STEP_NS, block(10), painted, [1, 2], [index > 0, index > 2])
    watch.add(60_000_000_000, block(10), block(30), [3], [False])
    report = watch.report()
    assert (report.confirmed_tracks, report.false_tracks) == (2, 1)
    assert report.seconds == pytest.approx(60.0)
    assert report.false_alarms_per_10_min == pytest.approx(10.0)


def test_false_frames_are_told_although_the_id_was_on_something_true_before() -> None:
    watch = TrackingWatch()
    seen = [(block(10), True), (block(30), True), (block(30), False), (block(30), True), (NOTHING, False)]
    for index, (painted, passes) in enumerate(seen):
        watch.add(index * STEP_NS, block(10), painted, [1], [passes])
    report = watch.report()
    assert (report.false_tracks, report.false_frames) == (0, 2)


def test_an_obstacle_on_an_object_that_is_not_watched_is_no_false_alarm() -> None:
    watch = TrackingWatch()
    watch.add(0, block(10, 3), block(10), [1], [True], watched=[5])
    report = watch.report()
    assert (report.objects, report.confirmed_tracks, report.false_tracks) == ((), 1, 0)


def test_touching_is_not_being_on_it() -> None:
    watch = TrackingWatch(min_share=0.25)
    watch.add(0, block(10), block(17), [1], [True])
    (item,) = watch.report().objects
    assert item.detected == 0
    assert watch.report().false_tracks == 1
    watch.add(STEP_NS, block(10), block(16), [1], [True])
    assert watch.report().objects[0].detected == 1
    assert watch.report().false_tracks == 0


def test_a_small_object_under_a_large_obstacle_is_detected() -> None:
    watch = TrackingWatch(min_share=0.5)
    watch.add(0, block(10, width=2), block(5, width=30), [1], [True])
    assert watch.report().objects[0].confirmed == 1


def test_drives_join() -> None:
    joined = join_reports([follow((1, True), (2, True)), follow((1, False), (1, True))])
    assert (len(joined.objects), joined.frames, joined.id_switches, joined.delays) == (2, 4, 1, (0, 1))
    assert joined.seconds == pytest.approx(0.2)
    assert joined.longest_wait == 1
    assert joined.confirmed_tracks == 3


def test_no_time_no_rate() -> None:
    assert TrackingWatch().report() == TrackingReport((), 0.0, 0, 0, 0, 0)
    assert TrackingWatch().report().false_alarms_per_10_min is None


def test_frames_that_cannot_be_counted_are_refused() -> None:
    watch = TrackingWatch()
    with pytest.raises(ValueError, match="equal shapes"):
        watch.add(0, NOTHING, NOTHING[1:], [], [])
    with pytest.raises(ValueError, match="one of each"):
        watch.add(0, NOTHING, NOTHING, [1], [])
    with pytest.raises(ValueError, match=r"0\.\.1, the number"):
        watch.add(0, NOTHING, block(0, 2), [1], [True])
    watch.add(5, NOTHING, NOTHING, [], [])
    with pytest.raises(ValueError, match="later"):
        watch.add(5, NOTHING, NOTHING, [], [])


@pytest.mark.parametrize("bad", [{"min_pixels": 0}, {"min_share": 1.5}])
def test_options_out_of_range_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(bad))):
        TrackingWatch(**bad)  # type: ignore[arg-type]
