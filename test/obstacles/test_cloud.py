"""The cloud planners take: contacts lifted into their height band."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.contact_points import Touching, standing

from hybrid_seg_ros.obstacles.cloud import POINT, point_cloud

WALL = Touching([(10.0, 1.0), (10.0, 0.0), (10.0, -1.0)], first=5, id=7, score=2.5, sigma=(0.4, 0.02))


def test_a_contact_becomes_a_column_of_points_in_the_band() -> None:
    points = point_cloud(standing(WALL), z_min=0.1, z_max=1.0, layers=2, ground_z=-0.3)
    assert points.dtype == POINT
    assert points.shape == (6,)
    np.testing.assert_allclose(points["x"], 10.0)
    np.testing.assert_allclose(points["y"], [1.0, 0.0, -1.0] * 2)
    np.testing.assert_allclose(points["z"], [0.025] * 3 + [0.475] * 3, atol=1e-6)
    assert set(points["id"].tolist()) == {7}
    np.testing.assert_allclose(points["intensity"], 2.5)
    np.testing.assert_allclose(points["sigma_range"], 0.4)
    np.testing.assert_allclose(points["sigma_across"], 0.02)


@given(
    low=st.floats(-1.0, 2.0),
    height=st.floats(0.01, 3.0),
    layers=st.integers(1, 8),
    ground=st.floats(-2.0, 2.0),
)
def test_every_point_stands_within_the_band_and_not_on_its_bounds(
    low: float, height: float, layers: int, ground: float
) -> None:
    points = point_cloud(standing(WALL), z_min=low, z_max=low + height, layers=layers, ground_z=ground)
    above = points["z"].astype(np.float64) - ground
    assert len(points) == 3 * layers
    assert (above > low).all()
    assert (above < low + height).all()


def test_nothing_unconfirmed_unless_asked_for() -> None:
    scene = standing(WALL, Touching([(5.0, 2.0)], first=80, id=0, confirmed=False))
    assert set(point_cloud(scene, z_min=0.1, z_max=1.0)["id"].tolist()) == {7}
    assert set(point_cloud(scene, z_min=0.1, z_max=1.0, confirmed_only=False)["id"].tolist()) == {0, 7}


def test_clear_is_an_empty_cloud() -> None:
    points = point_cloud(standing(), z_min=0.1, z_max=1.0)
    assert points.dtype == POINT
    assert points.shape == (0,)


def test_contacts_of_unknown_place_are_left_out() -> None:
    scene = standing(Touching([(10.0, 1.0), (math.nan, math.nan), (10.0, -1.0)]))
    np.testing.assert_allclose(point_cloud(scene, z_min=0.1, z_max=1.0)["y"], [1.0, -1.0])


def test_a_voxel_keeps_its_contact_with_the_greatest_score() -> None:
    scene = standing(
        Touching([(10.01, 0.01), (10.05, 0.30)], first=0, id=1, score=1.0),
        Touching([(10.02, 0.02)], first=9, id=2, score=3.0),
    )
    points = point_cloud(scene, z_min=0.1, z_max=1.0, voxel_m=0.1)
    np.testing.assert_allclose(points["x"], [10.05, 10.02], rtol=1e-6)
    assert points["id"].tolist() == [1, 2]


def test_voxels_lose_no_ground_that_was_touched() -> None:
    xy = np.random.default_rng(3).uniform(-4.0, 4.0, (400, 2))
    scene = standing(Touching([(x, y) for x, y in xy.tolist()]))
    points = point_cloud(scene, z_min=0.1, z_max=1.0, voxel_m=0.5)
    kept = {(math.floor(x / 0.5), math.floor(y / 0.5)) for x, y in zip(points["x"], points["y"], strict=True)}
    assert kept == {(math.floor(x / 0.5), math.floor(y / 0.5)) for x, y in xy.astype(np.float32)}
    assert len(points) == len(kept)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"z_min": 1.0, "z_max": 1.0}, "height band"),
        ({"z_min": 0.1, "z_max": 1.0, "layers": 0}, "layers is 0"),
        ({"z_min": 0.1, "z_max": 1.0, "voxel_m": -1.0}, "voxel_m is -1"),
    ],
)
def test_what_makes_no_cloud_is_refused(arguments: dict[str, float], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        point_cloud(standing(WALL), **arguments)  # type: ignore[arg-type]
