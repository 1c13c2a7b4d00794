"""A point for every pixel: ground where it lies, obstacles where they stand, nothing else."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from obstacles import silhouettes
from support.contact_points import standing

from hybrid_seg_ros.frames.camera import CameraModel
from hybrid_seg_ros.obstacles.extract import ExtractOptions, extract
from hybrid_seg_ros.obstacles.ground import GroundProjection
from hybrid_seg_ros.obstacles.organised import OrganisedCloud
from hybrid_seg_ros.obstacles.pose import CameraPose
from hybrid_seg_ros.obstacles.types import Obstacles

SIZE = (637, 397)
"""No multiple of any stride."""
PLAIN = CameraModel(*SIZE, 500.0, 500.0, 318.0, 198.0)
BENT = CameraModel(*SIZE, 330.0, 337.0, 317.0, 204.0, (-0.3, 0.1, 0.001, -0.002, 0.01))
ROUND = CameraModel(*SIZE, 230.0, 237.0, 317.0, 204.0, (-0.02, 0.01, -0.003, 0.001), "equidistant")
DRIVABLE = np.array([True, False])
ROAD = np.zeros(SIZE[::-1], np.uint8)


def seen(*things: silhouettes.Box, confirmed: bool = True) -> Obstacles:
    """The obstacles that a mask of boxes gives."""
    found = extract(
        silhouettes.silhouette(things), None, None,
        gate=None, drivable=None, ground=silhouettes.ground(), options=ExtractOptions(), stamp_ns=1,
    )  # fmt: skip
    return replace(found, obstacles=tuple(replace(o, confirmed=confirmed) for o in found.obstacles))


@settings(max_examples=25, deadline=None)
@given(
    camera=st.sampled_from([PLAIN, BENT, ROUND]),
    pose=st.builds(
        CameraPose, st.floats(-2, 2), st.floats(-2, 2), st.floats(0.5, 3),
        st.floats(-0.2, 0.2), st.floats(-0.2, 1.2), st.floats(-3, 3),
    ),
)  # fmt: skip
def test_ground_pixels_lie_where_the_projection_puts_them(camera: CameraModel, pose: CameraPose) -> None:
    ground = GroundProjection(camera, pose)
    cloud = OrganisedCloud().cloud(standing(size=SIZE), ROAD, DRIVABLE, ground, ground_z=-0.4)
    v, u = (a.ravel() for a in np.mgrid[0 : SIZE[1] : 7, 0 : SIZE[0] : 5])
    xy, valid = ground.to_ground(u, v)
    points = cloud[v, u]
    distance = np.hypot(xy[:, 0] - pose.x, xy[:, 1] - pose.y)
    # The last metres before the range's end, where a point is or is not, are a matter of rounding.
    sure = valid & (distance < 0.99 * ground.max_range_m)
    assert np.isfinite(points[sure]).all()
    error = np.hypot(*(points[sure, :2] - xy[sure]).T)
    assert (error <= 0.005 * distance[sure] + 1e-3).all()
    assert (points[sure, 2] == np.float32(-0.4)).all()
    assert (points[sure, 3] == 0.0).all()
    found = np.isfinite(points[:, 0])
    assert (np.hypot(points[found, 0] - pose.x, points[found, 1] - pose.y) <= ground.max_range_m * 1.0001).all()
    assert not (found & ~valid & (v < ground.horizon_rows()[u] - 0.05)).any()


def test_only_drivable_ground_has_points() -> None:
    labels = ROAD.copy()
    labels[:, 200:] = 1
    labels[:, 400:] = 255  # no class at all
    ground = GroundProjection(PLAIN, CameraPose(0.0, 0.0, 1.4, 0.0, 0.2))
    cloud = OrganisedCloud().cloud(standing(size=SIZE), labels, DRIVABLE, ground)
    assert np.isfinite(cloud[300:, :200]).all()
    assert np.isnan(cloud[:, 200:]).all()


def test_an_obstacle_stands_where_it_touches_the_ground_and_is_not_smeared_behind() -> None:
    boxes = silhouettes.trolley(9.0, -0.3)
    obstacles, ground = seen(*boxes), silhouettes.ground()
    labels = np.zeros(obstacles.size[::-1], np.uint8)
    cloud = OrganisedCloud().cloud(obstacles, labels, DRIVABLE, ground)
    v, u = np.nonzero(silhouettes.silhouette(boxes))
    points = cloud[v, u]
    standing_on = np.isfinite(points[:, 0])
    assert standing_on.mean() > 0.8  # its handle sticks out beyond its wheels: no contact there
    assert (points[standing_on, 0] > 8.7).all()
    assert (points[standing_on, 0] < 10.2).all()
    laid_down, _ = ground.to_ground(u, v)
    assert np.nanmax(laid_down[:, 0]) > 20.0
    free = np.ones(labels.shape, bool)
    free[v, u] = False
    laid, valid = ground.to_ground(*np.nonzero(free)[::-1])
    assert (np.isfinite(cloud[free][:, 0]) == valid).mean() > 0.999
    np.testing.assert_allclose(cloud[free][valid][:, :2], laid[valid], rtol=2e-3, atol=2e-3)


def test_every_pixel_of_a_column_has_that_column_s_contact_and_score() -> None:
    obstacles = seen(((10.0, 10.5), (-1.0, 1.0), (0.0, 1.5)))
    count = obstacles.contacts.column.size
    score = np.linspace(1.0, 2.0, count, dtype=np.float32)
    obstacles = replace(obstacles, contacts=replace(obstacles.contacts, score=score))
    cloud = OrganisedCloud().cloud(obstacles, None, DRIVABLE, silhouettes.ground(), ground_z=0.25)
    mask = silhouettes.silhouette([((10.0, 10.5), (-1.0, 1.0), (0.0, 1.5))]) > 0
    for k in (0, count // 2, count - 1):
        column = obstacles.contacts.column[k]
        expected = [*obstacles.contacts.xy[k], 0.25, score[k]]
        np.testing.assert_array_equal(
            cloud[mask[:, column], column], np.tile(np.float32(expected), (mask[:, column].sum(), 1))
        )
    assert np.isnan(cloud[~mask]).all()  # without labels nothing is known to be ground


def test_what_is_not_confirmed_is_neither_an_obstacle_nor_ground() -> None:
    box = ((10.0, 10.5), (-1.0, 1.0), (0.0, 0.5))
    obstacles = seen(box, confirmed=False)
    labels = np.zeros(obstacles.size[::-1], np.uint8)
    mask = silhouettes.silhouette([box]) > 0
    cloud = OrganisedCloud().cloud(obstacles, labels, DRIVABLE, silhouettes.ground())
    assert np.isnan(cloud[mask]).all()
    raw = OrganisedCloud().cloud(obstacles, labels, DRIVABLE, silhouettes.ground(), confirmed_only=False)
    assert np.isfinite(raw[mask][:, 0]).mean() > 0.95


def test_sizes_that_do_not_match_are_refused() -> None:
    ground = GroundProjection(PLAIN, CameraPose(0.0, 0.0, 1.4))
    with pytest.raises(ValueError, match="ground projection is for 637x397 px"):
        OrganisedCloud().cloud(standing(size=(640, 360)), None, DRIVABLE, ground)
    with pytest.raises(ValueError, match=r"labels have shape \(2, 2\)"):
        OrganisedCloud().cloud(standing(size=SIZE), np.zeros((2, 2), np.uint8), DRIVABLE, ground)
