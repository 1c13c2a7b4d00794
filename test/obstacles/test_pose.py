"""The camera over the ground, against the generated drive's own axes and SciPy's rotations."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from hybrid_seg_ros.obstacles.pose import CameraPose
from hybrid_seg_ros.scenes.view import optical_axes

angles = st.floats(-3.1, 3.1)
tilts = st.floats(-1.5, 1.5)


@given(angles, tilts, angles)
def test_the_rotation_is_that_of_the_rendered_camera(yaw: float, pitch: float, roll: float) -> None:
    pose = CameraPose(0.0, 0.0, 1.5, roll, pitch, yaw)
    assert np.allclose(pose.rotation, optical_axes(yaw, pitch, roll).T, atol=1e-12)


@given(angles, tilts, angles)
def test_rotations_and_quaternions_come_back(yaw: float, pitch: float, roll: float) -> None:
    pose = CameraPose(1.0, -2.0, 1.5, roll, pitch, yaw)
    quaternion = Rotation.from_matrix(pose.rotation).as_quat()
    again = CameraPose.from_quaternion(tuple(float(value) for value in quaternion), pose.position)
    assert np.allclose(again.rotation, pose.rotation, atol=1e-9)
    assert np.allclose(again.position, pose.position)


def test_looking_straight_down_has_no_roll() -> None:
    pose = CameraPose(0.0, 0.0, 2.0, 0.0, math.pi / 2, 0.3)
    again = CameraPose.from_rotation(pose.rotation, pose.position)
    assert again.roll == 0.0
    assert np.allclose(again.rotation, pose.rotation, atol=1e-9)


@pytest.mark.parametrize("z", [0.0, -1.0, math.nan])
def test_a_camera_that_is_not_above_the_ground_is_refused(z: float) -> None:
    with pytest.raises(ValueError, match="expected"):
        CameraPose(0.0, 0.0, z)


def test_a_quaternion_without_length_is_refused() -> None:
    with pytest.raises(ValueError, match="length 1"):
        CameraPose.from_quaternion((0.0, 0.0, 0.0, 0.0), np.array([0.0, 0.0, 1.0]))
