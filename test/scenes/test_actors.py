import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_seg_ros.scenes.actors import Actor, LanePath, footprint_radius
from hybrid_seg_ros.scenes.noise import stream
from hybrid_seg_ros.scenes.road import Road
from hybrid_seg_ros.scenes.scenario import drive_actors, own_path
from hybrid_seg_ros.scenes.street import lay_street


@pytest.fixture(scope="module")
def road() -> Road:
    return lay_street(stream(6, 1), -20.0, 150.0).road


@given(st.floats(-50, 50), st.floats(-20, 20), st.floats(-3, 3), st.floats(3, 12))
@settings(deadline=None)
def test_slopes_are_derivatives(x: float, at: float, shift: float, length: float) -> None:
    path = LanePath(1.5, ((at, shift, length), (at + 9.0, -shift, length)))
    step = 1e-5
    assert path.slope(x) == pytest.approx((path.at(x + step) - path.at(x - step)) / (2 * step), abs=1e-4)


def test_traffic_heads_where_it_goes(road: Road) -> None:
    for speed, across in ((9.0, 0.0), (-7.0, 0.0), (0.0, 1.2), (2.0, -1.0)):
        actor = Actor("pedestrian", 1, 20.0, LanePath(1.0, ((24.0, 0.5, 6.0),)), speed, across)
        (x0, y0, _), _ = actor.place(road, 0.999)
        (x1, y1, _), heading = actor.place(road, 1.0)
        (x2, y2, _), _ = actor.place(road, 1.001)
        assert math.remainder(heading - math.atan2(y2 - y0, x2 - x0), 2 * math.pi) == pytest.approx(0.0, abs=1e-3)
        assert (x0 + x2) / 2 == pytest.approx(x1)
        assert (y0 + y2) / 2 == pytest.approx(y1, abs=1e-5)


def test_standing_actors_keep_their_yaw_relative_to_the_road(road: Road) -> None:
    actor = Actor("sofa", 1, 20.0, LanePath(1.0), yaw=0.4)
    place, heading = actor.place(road, 0.0)
    assert (place, heading) == actor.place(road, 9.0)
    assert heading == pytest.approx(math.atan(road.slope(20.0)) + 0.4)
    assert place == road.point(20.0, 1.0)
    assert not actor.known
    assert replace(actor, kind="car").known


@pytest.mark.parametrize("seed", range(5))
def test_the_own_course_keeps_clear_of_obstacles_that_share_the_road(seed: int) -> None:
    street = lay_street(stream(seed, 1), -20.0, 300.0)
    road = street.road
    actors = drive_actors(stream(seed, 3), street, 120.0, 9.0, 13.0, 30.0)
    path = own_path(road, actors)
    for actor in actors:
        if not actor.known and abs(actor.path.d) < road.half_width:
            gap = abs(path.at(actor.x) - actor.path.d)
            assert gap > footprint_radius(actor) + 0.95


def test_a_gait_repeats_and_moves_the_limbs() -> None:
    walker = Actor("pedestrian", 5, 0.0, LanePath(0.0), speed=1.0)
    once, later = walker.solid(0.0), walker.solid(0.5)
    assert walker.solid(0.0) is once
    assert np.abs(once.mesh.vertices - later.mesh.vertices).max() > 0.05


@pytest.mark.parametrize("seed", range(5))
def test_nobody_on_a_crossing_is_run_over(seed: int) -> None:
    street = lay_street(stream(seed, 1), -20.0, 300.0)
    speed = 9.0
    actors = drive_actors(stream(seed, 3), street, 120.0, speed, 13.0, 0.0)
    for actor in actors:
        if actor.across:
            when = actor.x / speed
            assert actor.path.d + actor.across * when > street.road.half_width + 1.0
