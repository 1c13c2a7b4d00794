"""The time filter, against what it promises: how late it may be, what it may not lose, what it may not invent."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_seg_ros.obstacles.associate import pair
from hybrid_seg_ros.obstacles.sightings import sightings
from hybrid_seg_ros.obstacles.track import FilterOptions, ObstacleFilter
from hybrid_seg_ros.obstacles.types import Obstacle, Obstacles, empty_contacts, empty_runs

STEP_NS = 66_666_667
Place = tuple[float, float]


def at(xy: Place, score: float = 5.0, width: float = 0.6) -> Obstacle:
    """An obstacle on the ground at (x, y) m, with the box that a level camera of 400 px focal length gives it."""
    x, y = xy
    scale = 400.0 / x
    u, v = 320 - y * scale, 180 + 1.35 * scale
    box = (math.floor(u - width * scale / 2), math.floor(v - width * scale), math.ceil(u + width * scale / 2), int(v))
    return Obstacle(box, _area(box), score, score, 11, math.hypot(x, y), xy, width, width)


def boxed(*bbox: int, score: float = 5.0) -> Obstacle:
    """One without a place on the ground."""
    box = (bbox[0], bbox[1], bbox[2], bbox[3])
    return Obstacle(box, _area(box), score, score)


def _area(box: tuple[int, int, int, int]) -> int:
    return (box[2] - box[0]) * (box[3] - box[1])


def image(index: int, *found: Obstacle, step_ns: int = STEP_NS) -> Obstacles:
    return Obstacles(1_000 + index * step_ns, (640, 360), found, empty_contacts(), empty_runs())


def confirmed(result: Obstacles) -> list[bool]:
    return [o.confirmed for o in result.obstacles]


def ids(result: Obstacles) -> list[int]:
    return [o.id for o in result.obstacles]


# Obstacles anywhere, so close to each other that tracks compete: the promise must not depend on the assignment.
# Of all sizes, so that some are crumbs of others.
somewhere = st.builds(
    at, st.tuples(st.floats(8.0, 14.0), st.floats(-3.0, 3.0)), width=st.sampled_from([0.2, 0.6, 0.9, 2.0])
)  # fmt: skip
crowds = st.lists(st.lists(somewhere, max_size=5), min_size=3, max_size=9)


@given(crowds, st.integers(1, 4), st.integers(0, 3))
@settings(max_examples=60, deadline=None)
def test_never_later_than_k_minus_1_frames_after_the_first_of_k_sightings_in_a_row(
    crowd: list[list[Obstacle]], k: int, more: int
) -> None:
    options = FilterOptions(confirm_hits=k, confirm_window=k + more, max_speed_mps=15.0)
    chosen = ObstacleFilter(options)
    frames = [image(index, *found) for index, found in enumerate(crowd)]
    in_a_row: list[int] = []
    passed: list[bool] = []
    for index, frame in enumerate(frames):
        result = chosen.update(frame)
        now = sightings(frame)
        reach = np.ones(len(now), int)
        if index and in_a_row:
            before = sightings(frames[index - 1])
            room_m = np.full(len(before), options.max_speed_mps * STEP_NS * 1e-9)
            pairs = pair(before, before, now, room_m, np.full(len(before), options.gate_px))
            # A crumb of something confirmed is a thing of its own; all else goes on.
            may = pairs.continues & (pairs.fair | ~np.array(passed)[:, None])
            reach += np.where(may, np.array(in_a_row)[:, None], 0).max(axis=0, initial=0)
        in_a_row, passed = reach.tolist(), confirmed(result)
        assert all(passes for passes, seen in zip(confirmed(result), in_a_row, strict=True) if seen >= k)
        if index < k - 1:
            assert not any(confirmed(result))


@given(crowds, st.integers(1, 3))
@settings(max_examples=30, deadline=None)
def test_the_obstacles_are_those_of_the_image_and_ids_are_unique(crowd: list[list[Obstacle]], k: int) -> None:
    chosen = ObstacleFilter(FilterOptions(confirm_hits=k))
    first_seen: dict[int, int] = {}
    for index, found in enumerate(crowd):
        frame = image(index, *found)
        result = chosen.update(frame)
        assert [o.bbox for o in result.obstacles] == [o.bbox for o in frame.obstacles]
        assert [o.position for o in result.obstacles] == [o.position for o in frame.obstacles]
        assert len(set(ids(result))) == len(found)
        for obstacle in result.obstacles:
            assert obstacle.id > 0
            assert obstacle.age == index - first_seen.setdefault(obstacle.id, index) + 1


def test_one_hit_passes_at_once() -> None:
    chosen = ObstacleFilter(FilterOptions(confirm_hits=1, confirm_window=1))
    assert confirmed(chosen.update(image(0, at((20, 0)), at((10, 2))))) == [True, True]


def test_k_of_n_hits_need_not_be_in_a_row() -> None:
    chosen = ObstacleFilter(FilterOptions(confirm_hits=3, confirm_window=5))
    seen = [True, False, True, False, True]
    results = [chosen.update(image(i, *([at((20, 0))] if here else []))) for i, here in enumerate(seen)]
    assert [confirmed(r) for r in results] == [[False], [], [False], [], [True]]
    assert [ids(r) for r in results] == [[1], [], [1], [], [1]]


def test_hits_outside_the_window_do_not_count() -> None:
    chosen = ObstacleFilter(FilterOptions(confirm_hits=3, confirm_window=4))
    seen = [True, False, True, False, True]
    results = [chosen.update(image(i, *([at((20, 0))] if here else []))) for i, here in enumerate(seen)]
    assert not any(any(confirmed(r)) for r in results)


def test_single_flickers_at_many_places_are_never_confirmed() -> None:
    chosen = ObstacleFilter(FilterOptions(confirm_hits=2, confirm_window=3, max_speed_mps=15.0))
    for index in range(30):
        result = chosen.update(image(index, at((10 + 10 * (index % 5), -4 + 4 * (index % 3)))))
        assert confirmed(result) == [False]


@pytest.mark.parametrize(("missed", "still"), [(1, True), (2, True), (3, False), (4, False)])
def test_a_confirmed_obstacle_is_dropped_after_m_misses(missed: int, still: bool) -> None:
    chosen = ObstacleFilter(FilterOptions(confirm_hits=2, confirm_window=2, drop_after=3))
    for index in range(3):
        chosen.update(image(index, at((20, 0))))
    for index in range(3, 3 + missed):
        assert chosen.update(image(index)).obstacles == ()
    result = chosen.update(image(3 + missed, at((20, 0))))
    assert confirmed(result) == [still]
    assert (ids(result) == [1]) is still
    assert [o.age for o in result.obstacles] == [4 + missed if still else 1]


def test_weak_sightings_keep_what_is_confirmed_and_start_nothing() -> None:
    chosen = ObstacleFilter(FilterOptions(confirm_hits=2, confirm_window=3, drop_after=1, hysteresis=1.0), 4.0)
    for index in range(4):
        result = chosen.update(image(index, at((20, 0), score=3.5)))
        assert (ids(result), confirmed(result), result.obstacles[0].age) == ([0], [False], 0)
    chosen.update(image(4, at((20, 0), score=4.5)))
    assert confirmed(chosen.update(image(5, at((20, 0), score=3.5)))) == [False]
    assert confirmed(chosen.update(image(6, at((20, 0), score=4.5)))) == [True]
    for index in range(7, 20):
        result = chosen.update(image(index, at((20, 0), score=3.5)))
        assert (ids(result), confirmed(result)) == ([1], [True])
    chosen.update(image(20))
    assert confirmed(chosen.update(image(21, at((20, 0), score=3.5)))) == [False]


def test_the_threshold_may_change_while_running() -> None:
    chosen = ObstacleFilter(FilterOptions(confirm_hits=1, confirm_window=1, hysteresis=1.0), 4.0)
    assert confirmed(chosen.update(image(0, at((20, 0), score=3.5)))) == [False]
    assert confirmed(chosen.update(image(1, at((20, 0), score=3.5)), 3.0)) == [True]
    assert confirmed(chosen.update(image(2, at((20, 8), score=3.5)))) == [True]
    assert FilterOptions(hysteresis=1.5).off_threshold(4.0) == 2.5


def test_without_a_score_map_nothing_is_weak() -> None:
    chosen = ObstacleFilter(FilterOptions(confirm_hits=1, confirm_window=1, hysteresis=1.0), 4.0)
    assert confirmed(chosen.update(image(0, at((20, 0), score=math.nan)))) == [True]


def test_a_part_that_breaks_off_is_confirmed_with_the_whole_and_the_id_goes_to_the_larger_part() -> None:
    chosen = ObstacleFilter(FilterOptions(confirm_hits=3, confirm_window=3))
    for index in range(3):
        chosen.update(image(index, boxed(100, 100, 200, 160)))
    result = chosen.update(image(3, boxed(100, 100, 130, 160), boxed(140, 100, 200, 160)))
    assert confirmed(result) == [True, True]
    assert ids(result)[1] == 1
    assert ids(result)[0] > 1


def test_a_crumb_that_breaks_off_must_earn_its_own_sightings() -> None:
    chosen = ObstacleFilter(FilterOptions(confirm_hits=3, confirm_window=3))
    for index in range(5):
        chosen.update(image(index, boxed(100, 100, 200, 160)))
    rest, crumb = boxed(100, 100, 180, 160), boxed(185, 150, 200, 160)
    results = [chosen.update(image(index, rest, crumb)) for index in range(5, 8)]
    assert [confirmed(result) for result in results] == [[True, False], [True, False], [True, True]]
    assert [ids(result) for result in results] == [[1, 2]] * 3


@pytest.mark.parametrize(("height", "passes"), [(29, False), (31, True)])
def test_a_part_is_fair_from_a_quarter_of_the_pixels_on(height: int, passes: bool) -> None:
    chosen = ObstacleFilter(FilterOptions(confirm_hits=3, confirm_window=3))
    for index in range(3):
        chosen.update(image(index, boxed(100, 100, 200, 160)))
    result = chosen.update(image(3, boxed(100, 100, 145, 160), boxed(150, 100, 200, 100 + height)))
    assert confirmed(result) == [True, passes]


def test_a_crumb_of_what_is_not_confirmed_yet_has_its_sightings() -> None:
    chosen = ObstacleFilter(FilterOptions(confirm_hits=3, confirm_window=5))
    for index in range(2):
        chosen.update(image(index, boxed(100, 100, 200, 160)))
    result = chosen.update(image(2, boxed(100, 100, 180, 160), boxed(185, 150, 200, 160)))
    assert confirmed(result) == [True, True]


def test_what_is_left_of_an_obstacle_stays_it_however_little() -> None:
    chosen = ObstacleFilter(FilterOptions(confirm_hits=3, confirm_window=3))
    for index in range(3):
        chosen.update(image(index, boxed(100, 100, 200, 160)))
    result = chosen.update(image(3, boxed(120, 150, 135, 160)))
    assert (confirmed(result), ids(result)) == ([True], [1])


def test_a_merge_takes_nobodys_history() -> None:
    chosen = ObstacleFilter(FilterOptions(confirm_hits=3, confirm_window=3))
    for index in range(2):
        chosen.update(image(index, boxed(100, 100, 115, 110), boxed(120, 60, 220, 160)))
    assert confirmed(chosen.update(image(2, boxed(100, 60, 220, 160)))) == [True]


def test_the_upper_part_that_seems_to_stand_far_behind_is_confirmed_too() -> None:
    chosen = ObstacleFilter(FilterOptions(confirm_hits=3, confirm_window=3))
    whole = Obstacle((300, 150, 340, 250), 900, 5.0, 5.0, 11, 8.0, (8.0, 0.0), 0.8, 2.0)
    for index in range(3):
        chosen.update(image(index, whole))
    upper = Obstacle((300, 150, 340, 195), 400, 5.0, 5.0, 11, 60.0, (60.0, 0.0), 6.0, 4.0)
    lower = Obstacle((300, 205, 340, 250), 400, 5.0, 5.0, 11, 8.0, (8.0, 0.0), 0.8, 0.9)
    result = chosen.update(image(3, upper, lower))
    assert confirmed(result) == [True, True]
    assert ids(result)[1] == 1


def test_a_weak_part_that_breaks_off_stays_confirmed_as_long_as_it_is_seen() -> None:
    chosen = ObstacleFilter(FilterOptions(confirm_hits=1, confirm_window=1, hysteresis=1.0), 4.0)
    chosen.update(image(0, boxed(100, 100, 200, 160)))
    for index in range(1, 5):
        halves = boxed(100, 100, 145, 160, score=3.5), boxed(155, 100, 200, 160, score=3.5)
        assert confirmed(chosen.update(image(index, *halves))) == [True, True]


def test_what_flickers_up_beside_a_confirmed_obstacle_waits_like_any_other() -> None:
    chosen = ObstacleFilter(FilterOptions(confirm_hits=2, confirm_window=2))
    for index in range(3):
        chosen.update(image(index, at((12, 0))))
    assert confirmed(chosen.update(image(3, at((12, 0)), at((12, 1.5))))) == [True, False]
    assert confirmed(chosen.update(image(4, at((12, 0)), at((12, 1.5))))) == [True, True]


def test_two_that_merge_and_part_again_keep_their_ids() -> None:
    chosen = ObstacleFilter(FilterOptions(confirm_hits=1, confirm_window=1, drop_after=3))
    apart = boxed(100, 100, 140, 160), boxed(150, 100, 200, 160)
    assert ids(chosen.update(image(0, *apart))) == [1, 2]
    merged = chosen.update(image(1, boxed(100, 100, 200, 160)))
    assert (ids(merged), confirmed(merged)) == ([2], [True])
    assert ids(chosen.update(image(2, *apart))) == [1, 2]


def test_neighbours_that_all_come_closer_keep_their_ids() -> None:
    chosen = ObstacleFilter(FilterOptions(max_speed_mps=15.0))
    for index in range(20):
        x = 30.0 - 0.6 * index
        places = [(x, -2.0), (x, 2.0), (x + 6.0, 0.0)]
        result = chosen.update(image(index, *map(at, places)))
        assert ids(result) == [1, 2, 3]
    assert confirmed(result) == [True] * 3


@pytest.mark.parametrize("stamp_ns", [1_000 + STEP_NS, 1_000, 1_000 + STEP_NS + 1_000_000_001])
def test_stamps_that_do_not_go_on_reset(stamp_ns: int) -> None:
    chosen = ObstacleFilter(FilterOptions(confirm_hits=2, confirm_window=2, reset_after_s=1.0))
    for index in range(2):
        assert confirmed(chosen.update(image(index, at((20, 0))))) == [index == 1]
    later = Obstacles(stamp_ns, (640, 360), (at((20, 0)),), empty_contacts(), empty_runs())
    result = chosen.update(later)
    assert (ids(result), confirmed(result)) == ([2], [False])
    assert chosen.tracks.resets == 1


def test_a_gap_that_is_short_enough_resets_nothing() -> None:
    chosen = ObstacleFilter(FilterOptions(confirm_hits=2, confirm_window=2, reset_after_s=1.0))
    chosen.update(image(0, at((20, 0))))
    assert confirmed(chosen.update(image(1, at((20, 0)), step_ns=1_000_000_000))) == [True]


def test_memory_is_bounded_and_the_nearest_are_kept() -> None:
    chosen = ObstacleFilter(FilterOptions(confirm_hits=2, confirm_window=2, max_tracks=4, max_speed_mps=1.0))
    places = [(10.0 + i, 2.0 * i - 8.0) for i in range(10)]
    chosen.update(image(0, *map(at, places)))
    assert (chosen.tracks.kept, chosen.tracks.forgotten, chosen.tracks.started) == (4, 6, 10)
    assert confirmed(chosen.update(image(1, *map(at, places)))) == [True] * 4 + [False] * 6
    assert chosen.tracks.confirmed == 4
    for index in range(2, 8):
        chosen.update(image(index))
    assert chosen.tracks.kept == 0


def test_an_image_without_obstacles_is_one() -> None:
    chosen = ObstacleFilter(FilterOptions())
    assert chosen.update(image(0)).obstacles == ()
    assert chosen.tracks.kept == 0


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"confirm_hits": 0}, "confirm_hits"),
        ({"confirm_hits": 4, "confirm_window": 3}, "4 of 3"),
        ({"confirm_window": 64}, "63"),
        ({"drop_after": 0}, "drop_after"),
        ({"max_tracks": 0}, "max_tracks"),
        ({"hysteresis": -0.1}, "hysteresis"),
        ({"hysteresis": math.nan}, "hysteresis"),
        ({"max_speed_mps": 0.0}, "max_speed_mps"),
        ({"gate_px": math.inf}, "gate_px"),
        ({"reset_after_s": -1.0}, "reset_after_s"),
    ],
)
def test_options_that_make_no_filter_are_refused(changes: dict[str, float], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        FilterOptions(**changes)  # type: ignore[arg-type]
