"""The scan planners take: the nearest contact along each ray."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.contact_points import Touching, standing

from hybrid_seg_ros.frames.camera import CameraModel
from hybrid_seg_ros.obstacles.ground import GroundProjection
from hybrid_seg_ros.obstacles.pose import CameraPose
from hybrid_seg_ros.obstacles.scan import laser_scan, rays_in_view, scan_bins
from hybrid_seg_ros.obstacles.types import Obstacles

DEGREE = math.pi / 180.0


def scan(obstacles: Obstacles, **changes: object) -> np.ndarray:
    arguments: dict[str, object] = {
        "angle_min": -45 * DEGREE, "angle_max": 45 * DEGREE, "increment": DEGREE,
        "range_min": 0.2, "range_max": 50.0,
    } | changes  # fmt: skip
    return laser_scan(obstacles, **arguments)  # type: ignore[arg-type]


def test_clear_is_infinite_on_every_ray() -> None:
    ranges = scan(standing())
    assert ranges.dtype == np.float32
    assert ranges.shape == (91,)
    assert np.isposinf(ranges).all()


@given(bearing=st.floats(-44.0, 44.0), distance=st.floats(0.5, 49.0))
def test_a_point_is_on_the_ray_that_is_nearest_to_it(bearing: float, distance: float) -> None:
    angle = bearing * DEGREE
    ranges = scan(standing(Touching([(distance * math.cos(angle), distance * math.sin(angle))])))
    (hit,) = np.flatnonzero(np.isfinite(ranges))
    assert abs(hit - 45 - bearing) <= 0.5 + 1e-3
    assert ranges[hit] == pytest.approx(distance, rel=1e-5)


def test_rays_between_neighbouring_columns_hit_the_line_between_their_contacts() -> None:
    ranges = scan(standing(Touching([(10.0, 2.0), (10.0, -2.0)], first=30)))
    reach = math.floor(math.atan2(2.0, 10.0) / DEGREE)
    bearings = np.arange(-reach, reach + 1)
    np.testing.assert_allclose(ranges[45 + bearings], 10.0 / np.cos(bearings * DEGREE), rtol=1e-5)
    assert np.isposinf(np.delete(ranges, 45 + bearings)).all()


def test_rays_between_two_obstacles_and_between_distant_columns_stay_free() -> None:
    apart = standing(Touching([(10.0, 2.0)], first=3), Touching([(10.0, -2.0)], first=4, id=2))
    assert np.isfinite(scan(apart)).sum() == 2
    one = standing(Touching([(10.0, 2.0), (math.nan, math.nan), (10.0, -2.0)], first=3))
    assert np.isfinite(scan(one)).sum() == 2


def test_the_nearest_contact_of_a_ray_counts() -> None:
    ranges = scan(standing(Touching([(20.0, 0.0)]), Touching([(8.0, 0.0)], first=1), Touching([(12.0, 0.0)], first=2)))
    assert ranges[45] == pytest.approx(8.0)


def test_what_is_too_near_is_reported_at_the_least_range_and_what_is_too_far_not_at_all() -> None:
    assert scan(standing(Touching([(0.05, 0.0)])))[45] == np.float32(0.2)
    assert np.isposinf(scan(standing(Touching([(50.5, 0.0)])))).all()


def test_rays_out_of_view_are_nan_unless_something_was_seen_there() -> None:
    view = np.zeros(91, bool)
    view[40:51] = True
    ranges = scan(standing(Touching([(10.0, 0.0)]), Touching([(10.0, 10.0)], first=9)), in_view=view)
    assert ranges[45] == pytest.approx(10.0)
    assert ranges[90] == pytest.approx(math.hypot(10.0, 10.0))
    assert np.isnan(ranges[:40]).all()
    assert np.isnan(ranges[51:90]).all()
    assert np.isposinf(np.delete(ranges[40:51], 5)).all()


def test_unconfirmed_only_where_asked_for() -> None:
    raw = standing(Touching([(10.0, 0.0)], confirmed=False))
    assert np.isposinf(scan(raw)).all()
    assert scan(raw, confirmed_only=False)[45] == pytest.approx(10.0)


@pytest.mark.parametrize("right_to_left", [False, True])
def test_an_obstacle_behind_the_vehicle_crosses_the_seam_of_a_full_turn(right_to_left: bool) -> None:
    points = [(-10.0, -1.0), (-10.0, 1.0)]
    ranges = scan(
        standing(Touching(points[::-1] if right_to_left else points, first=6)),
        angle_min=-math.pi, angle_max=math.pi - DEGREE,
    )  # fmt: skip
    assert ranges.shape == (360,)
    hit = np.flatnonzero(np.isfinite(ranges))
    reach = round(math.atan2(1.0, 10.0) / DEGREE)  # the ends count for the rays nearest to them
    assert hit.tolist() == [*range(reach + 1), *range(360 - reach, 360)]
    np.testing.assert_allclose(ranges[[0, 1, 359]], 10.0 / np.cos(np.array([0, 1, 1]) * DEGREE), rtol=1e-5)


@given(
    seam=st.floats(-math.pi, math.pi),
    ends=st.tuples(st.floats(0.5, 30.0), st.floats(-3.0, 3.0), st.floats(0.5, 30.0), st.floats(-3.0, 3.0)),
)
def test_where_the_scan_begins_does_not_matter(seam: float, ends: tuple[float, float, float, float]) -> None:
    """Turning the scene and the scan together changes nothing: seen against rays cast one by one."""
    x0, y0, x1, y1 = ends
    c, s = math.cos(seam), math.sin(seam)
    turned = [(c * x - s * y, s * x + c * y) for x, y in ((x0, y0), (x1, y1))]
    begin = seam - 1.45
    ranges = scan(standing(Touching(turned)), angle_min=begin, angle_max=begin + 2.9, increment=0.0251)
    for ray, found in enumerate(ranges.tolist()):
        angle = begin + 0.0251 * ray
        dx, dy = turned[1][0] - turned[0][0], turned[1][1] - turned[0][1]
        rx, ry = math.cos(angle), math.sin(angle)
        across = rx * dy - ry * dx
        t = (turned[0][1] * rx - turned[0][0] * ry) / -across if abs(across) > 1e-4 else math.nan
        if 0.01 < t < 0.99:
            cast = rx * (turned[0][0] + t * dx) + ry * (turned[0][1] + t * dy)
            assert found <= max(cast, 0.2) * (1 + 1e-3)
        if math.isfinite(found):
            assert found >= min(math.hypot(x0, y0), math.hypot(x1, y1), _nearest(turned)) * (1 - 1e-4)


def _nearest(ends: list[tuple[float, float]]) -> float:
    """Distance of the line between two points from the origin, never less than the scan's least range."""
    p, q = (np.array(end) for end in ends)
    d = q - p
    t = 0.0 if d @ d == 0.0 else float(np.clip(-(p @ d) / (d @ d), 0.0, 1.0))
    return max(float(np.hypot(*(p + t * d))), 0.2)


def view(pose: CameraPose, **changes: float) -> np.ndarray:
    """Which whole degrees from -180 to 179 a camera with 61 degrees of horizontal view sees, in degrees."""
    camera = CameraModel(640, 400, 320.0 / math.tan(30.5 * DEGREE), 554.3, 319.5, 199.5)
    arguments = {
        "angle_min": -math.pi, "angle_max": math.pi - DEGREE, "increment": DEGREE, "range_min": 0.2, "range_max": 60.0,
    } | changes  # fmt: skip
    rays = rays_in_view(GroundProjection(camera, pose), **arguments)
    assert not rays.flags.writeable
    return np.flatnonzero(rays) - 180


def test_the_rays_in_view_are_those_between_the_sides_of_the_image() -> None:
    assert view(CameraPose(0.0, 0.0, 1.0)).tolist() == list(range(-30, 31))
    assert view(CameraPose(0.0, 0.0, 1.0, yaw=math.pi / 2)).tolist() == list(range(60, 121))


def test_a_camera_that_looks_back_sees_across_the_seam() -> None:
    assert view(CameraPose(0.0, 0.0, 1.0, yaw=math.pi)).tolist() == [*range(-180, -149), *range(150, 180)]


def test_a_camera_that_looks_down_sees_the_rays_of_the_little_that_it_sees() -> None:
    seen = view(CameraPose(0.5, 0.0, 1.0, pitch=1.0), range_max=20.0)
    assert 0 in seen
    assert np.abs(seen).max() < 60


def test_a_ray_that_is_seen_on_its_last_metres_only_is_out_of_view() -> None:
    """Of a camera 10 m ahead of the origin, by the law of sines."""
    enters = {ray: 10.0 * math.sin(149.5 * DEGREE) / math.sin((30.5 - ray) * DEGREE) for ray in (15, 19, 23, 25)}
    assert [round(metres) for metres in enters.values()] == [19, 25, 39, 53]
    seen = view(CameraPose(10.0, 0.0, 1.0))  # rays are seen from 12 m to 60 m: half of that begins at 36 m
    assert [ray in seen for ray in enters] == [True, True, False, False]
    assert view(CameraPose(10.0, 0.0, 1.0), range_max=8.0).size == 0


def test_the_number_of_rays_is_that_of_ros() -> None:
    assert scan_bins(-math.pi / 2, math.pi / 2, DEGREE) == 181


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"increment": 0.0}, "increment"),
        ({"angle_max": -3.0}, "angle_min < angle_max"),
        ({"angle_max": 7.0}, "at most a turn"),
        ({"range_min": 0.0}, "0 < range_min"),
        ({"range_max": 0.1}, "range_min < range_max"),
        ({"in_view": np.ones(3, bool)}, "in_view has shape"),
    ],
)
def test_what_makes_no_scan_is_refused(changes: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        scan(standing(), **changes)
