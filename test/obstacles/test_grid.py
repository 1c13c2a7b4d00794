"""What the grid says of each cell: against OpenCV's projection, sight lines past boxes, and drawn ellipses."""

import math
from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from obstacles import silhouettes
from support.contact_points import Touching, standing

from hybrid_seg_ros.frames.camera import CameraModel
from hybrid_seg_ros.obstacles.extract import ExtractOptions, extract
from hybrid_seg_ros.obstacles.grid import FREE, OCCUPIED, UNKNOWN, GridGeometry, OccupancyMapper, unknown_grid
from hybrid_seg_ros.obstacles.ground import GroundProjection
from hybrid_seg_ros.obstacles.pose import CameraPose
from hybrid_seg_ros.obstacles.types import Obstacles, Runs

GEOMETRY = GridGeometry(0.1, 250, 120, 0.0, -6.0)
SIZE = (640, 400)
BENT = CameraModel(*SIZE, 330.0, 337.0, 317.0, 204.0, (-0.3, 0.1, 0.001, -0.002, 0.01))
POSE = CameraPose(1.2, 0.1, 1.4, 0.01, 0.06, 0.02)
DRIVABLE = np.array([True, False])
ROAD = np.zeros(SIZE[::-1], np.uint8)

Points = npt.NDArray[np.float64]


def centres(geometry: GridGeometry = GEOMETRY) -> Points:
    """float64[height, width, 2], m."""
    x = geometry.origin_x + (np.arange(geometry.width) + 0.5) * geometry.resolution
    y = geometry.origin_y + (np.arange(geometry.height) + 0.5) * geometry.resolution
    return np.stack(np.meshgrid(x, y), axis=-1)


def occupied(obstacles: Obstacles, geometry: GridGeometry = GEOMETRY) -> npt.NDArray[np.bool_]:
    cells = OccupancyMapper(geometry).occupancy(obstacles, None, DRIVABLE, GroundProjection(BENT, POSE))
    assert set(np.unique(cells)) <= {UNKNOWN, OCCUPIED}
    return cells == OCCUPIED


def test_cells_are_free_where_the_camera_sees_drivable_ground() -> None:
    labels = ROAD.copy()
    labels[:, :250] = 1
    labels[:, 250:270] = 77  # no class at all
    cells = OccupancyMapper(GEOMETRY).occupancy(standing(size=SIZE), labels, DRIVABLE, GroundProjection(BENT, POSE))
    points = np.concatenate([centres(), np.zeros((120, 250, 1))], axis=2).reshape(-1, 3)
    turn = POSE.rotation.T
    matrix = np.array([[BENT.fx, 0, BENT.cx], [0, BENT.fy, BENT.cy], [0, 0, 1]])
    pixels, _ = cv2.projectPoints(
        points, cv2.Rodrigues(turn)[0], -turn @ POSE.position, matrix, np.array(BENT.distortion)
    )
    u, v = pixels.reshape(-1, 2).T
    # What is far outside of the image a lens polynomial may put into it.
    x, y, z = turn @ (points - POSE.position).T
    near = (z > 0) & (np.hypot(x, y) < 3.0 * z)
    free = near & (u > 269.5) & (u < 639.5) & (v > -0.5) & (v < 399.5)
    np.testing.assert_array_equal((cells.reshape(-1) == FREE), free)
    assert (cells.reshape(-1)[~free] == UNKNOWN).all()
    assert 0.2 < free.mean() < 0.8


def test_the_ground_behind_a_box_is_unknown_and_beyond_its_shadow_free() -> None:
    box = ((8.0, 8.5), (-0.5, 0.5), (0.0, 0.5))
    ground = silhouettes.ground()
    obstacles = extract(
        silhouettes.silhouette([box]), None, None,
        gate=None, drivable=None, ground=ground, options=ExtractOptions(), stamp_ns=1,
    )  # fmt: skip
    labels = np.zeros(obstacles.size[::-1], np.uint8)
    unconfirmed = OccupancyMapper(GEOMETRY).occupancy(obstacles, labels, DRIVABLE, ground)
    assert not (unconfirmed == OCCUPIED).any()
    cells = OccupancyMapper(GEOMETRY).occupancy(obstacles, labels, DRIVABLE, ground, confirmed_only=False)

    def behind(by: float) -> npt.NDArray[np.bool_]:
        """Whether sight lines meet the box, grown by some metres."""
        eye, ends = silhouettes.POSE.position, np.concatenate([centres(), np.zeros((120, 250, 1))], axis=2)
        low, high = np.array([(a - by, b + by) for a, b in box]).T
        with np.errstate(divide="ignore"):
            first, second = (low - eye) / (ends - eye), (high - eye) / (ends - eye)
        enter, leave = np.minimum(first, second).max(axis=2), np.maximum(first, second).min(axis=2)
        result: npt.NDArray[np.bool_] = (enter < leave) & (enter <= 1.0) & (leave >= 0.0)
        return result

    in_view = OccupancyMapper(GEOMETRY).occupancy(standing(size=obstacles.size), labels, DRIVABLE, ground) == FREE
    well_behind = behind(-0.04) & in_view
    assert well_behind.sum() > 100
    assert not (cells[well_behind] == FREE).any()
    assert not (unconfirmed[well_behind] == FREE).any()
    well_clear = ~behind(0.12) & in_view
    assert (cells[well_clear] == FREE).all()
    row = cells[60]  # y = 0.05
    assert [int(row[round(x / 0.1)]) for x in (6.0, 9.5, 12.0, 14.0)] == [FREE, UNKNOWN, UNKNOWN, FREE]
    assert OCCUPIED in row[78:83]
    y, x = np.nonzero(cells == OCCUPIED)
    assert 0.1 * x.min() > 7.7
    assert 0.1 * x.max() < 8.4
    assert y.max() - y.min() == pytest.approx(10, abs=2)


def test_a_hole_in_an_obstacle_shows_no_free_ground() -> None:
    """Between the line on which an obstacle's feet stand and its belly there is ground to be seen, but beyond it."""
    ground = GroundProjection(BENT, POSE)
    around = standing(Touching([(5.0, 0.0)] * 40, first=300, confirmed=False), size=SIZE)
    contacts = replace(around.contacts, row=np.full(40, 320.5, np.float32))
    top = np.array([230], np.int32)
    runs = Runs(top, np.array([300], np.int32), np.array([340], np.int32), np.array([0], np.int32))
    cells = OccupancyMapper(GEOMETRY).occupancy(replace(around, contacts=contacts, runs=runs), ROAD, DRIVABLE, ground)
    uv, seen = ground.to_image(np.concatenate([centres(), np.zeros((120, 250, 1))], axis=2).reshape(-1, 3))
    u, v = np.rint(np.where(seen[:, None], uv, -1)).T
    inside = (u >= 300) & (u < 340) & (v >= 230) & (v <= 320)
    beside = ((u == 299) | (u == 340) | (v == 229) | (v == 321)) & (u >= 0) & (u < 640) & (v >= 0) & (v < 400)
    assert inside.sum() > 50
    assert beside.sum() > 20
    assert (cells.reshape(-1)[inside] == UNKNOWN).all()
    assert (cells.reshape(-1)[beside] == FREE).all()


@pytest.mark.parametrize("point", [(10.0, 0.0), (9.0, 4.0), (14.0, -5.0)])
def test_a_contact_takes_up_what_lies_within_its_standard_deviations(point: tuple[float, float]) -> None:
    along, across = 1.5, 0.4
    found = occupied(standing(Touching([point], sigma=(along, across)), size=SIZE))
    offset = centres() - np.array(point)
    sight = np.array(point) - [POSE.x, POSE.y]
    sight /= np.hypot(*sight)
    forward, aside = offset @ sight, offset @ [-sight[1], sight[0]]
    assert found[np.hypot(forward / along, aside / across) <= 0.95].all()
    assert not found[np.hypot(forward / (along + 0.11), aside / (across + 0.11)) > 1.0].any()


def test_an_exact_contact_takes_up_its_own_cell() -> None:
    found = occupied(standing(Touching([(10.02, 0.31)]), size=SIZE))
    assert np.argwhere(found).tolist() == [[63, 100]]


def test_what_is_known_of_a_contact_s_error_may_be_nothing_or_endless() -> None:
    unknown = occupied(standing(Touching([(10.02, 0.31)], sigma=(math.nan, math.nan)), size=SIZE))
    assert unknown.sum() == 1
    endless = occupied(standing(Touching([(10.02, 0.31)], sigma=(math.inf, 0.0)), size=SIZE))
    assert endless.sum() > 150


def test_neighbouring_columns_of_one_obstacle_are_joined_and_others_are_not() -> None:
    ends = [(10.05, 0.45), (10.05, -0.35)]
    joined = np.argwhere(occupied(standing(Touching(ends, first=3), size=SIZE)))
    assert joined[:, 1].tolist() == [100] * 9
    assert joined[:, 0].tolist() == list(range(56, 65))
    two = standing(Touching(ends[:1], first=3), Touching(ends[1:], first=4, id=2), size=SIZE)
    assert occupied(two).sum() == 2
    apart = standing(Touching([ends[0], (math.nan, math.nan), ends[1]], first=3), size=SIZE)
    assert occupied(apart).sum() == 2


def test_a_step_in_depth_from_one_thing_to_what_stands_behind_it_is_not_a_wall() -> None:
    assert occupied(standing(Touching([(10.05, 0.05), (20.05, 0.15)], first=3), size=SIZE)).sum() == 2


def test_of_what_lies_outside_only_the_part_inside_is_drawn() -> None:
    small = GridGeometry(0.5, 20, 10, 5.0, -2.5)
    for point in [(-50.0, 0.0), (4.9, 0.0), (5.1, 2.6), (100.0, -80.0)]:
        assert not occupied(standing(Touching([point]), size=SIZE), small).any()
    through = occupied(standing(Touching([(8.0, 0.1)], sigma=(200.0, 0.0)), size=SIZE), small)
    assert np.argwhere(through).tolist() == [[5, column] for column in range(20)]


def test_another_pose_gives_another_view() -> None:
    mapper, nothing = OccupancyMapper(GEOMETRY), standing(size=SIZE)
    grounds = [GroundProjection(BENT, replace(POSE, yaw=yaw)) for yaw in (0.0, 1.0)]
    first, second, again = (mapper.occupancy(nothing, ROAD, DRIVABLE, grounds[k]) for k in (0, 1, 0))
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(second, OccupancyMapper(GEOMETRY).occupancy(nothing, ROAD, DRIVABLE, grounds[1]))
    assert (first != second).any()


def test_nothing_is_known_without_labels_and_of_an_unknown_grid() -> None:
    ground = GroundProjection(BENT, POSE)
    cells = OccupancyMapper(GEOMETRY).occupancy(standing(size=SIZE), None, DRIVABLE, ground)
    assert cells.dtype == np.int8
    np.testing.assert_array_equal(cells, unknown_grid(GEOMETRY))
    assert (cells == UNKNOWN).all()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((0.0, 10, 10, 0.0, 0.0), "resolution is 0 m"),
        ((0.1, 10, 0, 0.0, 0.0), "10 x 0 cells"),
        ((0.1, 10, 10, math.nan, 0.0), "origin is"),
    ],
)
def test_what_makes_no_grid_is_refused(arguments: tuple[float, int, int, float, float], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        GridGeometry(*arguments)


def test_sizes_that_do_not_match_are_refused() -> None:
    with pytest.raises(ValueError, match="ground projection is for 640x400 px"):
        OccupancyMapper(GEOMETRY).occupancy(standing(size=(640, 360)), None, DRIVABLE, GroundProjection(BENT, POSE))
