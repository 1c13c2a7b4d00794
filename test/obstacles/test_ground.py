import math
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_seg_ros.frames.camera import CameraModel
from hybrid_seg_ros.obstacles.ground import GroundProjection
from hybrid_seg_ros.obstacles.pose import CameraPose
from hybrid_seg_ros.scenes.drive import Drive

PLAIN = CameraModel(640, 400, 500.0, 500.0, 319.5, 199.5)
BENT = CameraModel(640, 400, 330.0, 337.0, 317.0, 204.0, (-0.3, 0.1, 0.001, -0.002, 0.01))
ROUND = CameraModel(640, 400, 330.0, 337.0, 317.0, 204.0, (-0.02, 0.01, -0.003, 0.001), "equidistant")
CAMERAS = [PLAIN, BENT, ROUND]

poses = st.builds(
    CameraPose,
    st.floats(-2, 2), st.floats(-2, 2), st.floats(0.3, 4),
    st.floats(-0.4, 0.4), st.floats(-0.3, 1.2), st.floats(-3, 3),
)  # fmt: skip


def test_a_level_camera_by_hand() -> None:
    ground = GroundProjection(PLAIN, CameraPose(1.0, 0.5, 1.2))
    xy, valid = ground.to_ground([319.5, 369.5, 319.5, 0.0], [259.5, 259.5, 199.5, 100.0])
    # 60 px below the horizon at 500 px focal length: 1.2 * 500 / 60 = 10 m ahead; 50 px to the right: 1 m.
    np.testing.assert_allclose(xy[:2], [[11.0, 0.5], [11.0, -0.5]], rtol=1e-6)
    assert valid.tolist() == [True, True, False, False]
    assert np.isnan(xy[2:]).all()


def test_what_is_too_far_has_no_ground_point() -> None:
    ground = GroundProjection(PLAIN, CameraPose(100.0, 0.0, 1.2), max_range_m=20.0)
    xy, valid = ground.to_ground([319.5, 319.5], [199.5 + 30.1, 199.5 + 29.9])  # 19.9 m, 20.1 m from the camera
    assert valid.tolist() == [True, False]
    assert xy[0, 0] == pytest.approx(100 + 600 / 30.1)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(CAMERAS), poses, st.floats(0, 639), st.floats(0, 399))
def test_ground_points_come_back_to_their_pixels(camera: CameraModel, pose: CameraPose, u: float, v: float) -> None:
    ground = GroundProjection(camera, pose)
    xy, valid = ground.to_ground([u], [v])
    if not valid[0]:
        assert np.isnan(xy).all()
        return
    uv, seen = ground.to_image([[*xy[0], 0.0]])
    assert seen.all()
    # Points are float32: far ones are known to 1e-5 m only.
    np.testing.assert_allclose(uv, [[u, v]], atol=0.02)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([PLAIN, BENT]), poses)
def test_pixels_are_those_of_opencv(camera: CameraModel, pose: CameraPose) -> None:
    rng = np.random.default_rng(0)
    optical = np.stack([rng.uniform(-1, 1, 40), rng.uniform(-0.7, 0.7, 40), np.ones(40)], 1)
    optical *= rng.uniform(1, 30, (40, 1))
    points = optical @ pose.rotation.T + pose.position
    turn = pose.rotation.T
    matrix = np.array([[camera.fx, 0, camera.cx], [0, camera.fy, camera.cy], [0, 0, 1.0]])
    want, _ = cv2.projectPoints(
        points, cv2.Rodrigues(turn)[0], -turn @ pose.position, matrix, np.array(camera.distortion or (0.0,) * 4)
    )
    uv, seen = GroundProjection(camera, pose).to_image(points)
    assert seen.all()
    np.testing.assert_allclose(uv, want[:, 0], atol=1e-5)


def test_contact_points_of_the_drive_are_where_they_are() -> None:
    drive = Drive(seed=4, size=(320, 180), n_frames=40, obstacle_gap=12.0)
    checked = 0
    for index in (0, 13, 27, 39):
        view = drive.view(index)
        pose = CameraPose.from_rotation(view.rotation.T, np.array([0.0, 0.0, view.position[2]]))
        ground = GroundProjection(drive.camera, replace(pose, yaw=0.0))  # the truth's frame turns with the camera
        for obstacle in drive[index].obstacles:
            xy, valid = ground.to_ground([obstacle.contact_pixel[0]], [obstacle.contact_pixel[1]])
            if 5.0 <= obstacle.distance <= 40.0 and obstacle.contact[0] > 1.0:
                assert valid.all()
                np.testing.assert_allclose(xy[0], obstacle.contact, atol=1e-3)
                checked += 1
    assert checked > 20


@pytest.mark.parametrize("camera", CAMERAS)
def test_sigma_is_the_spread_of_points_whose_pixels_have_errors(camera: CameraModel) -> None:
    rng, n = np.random.default_rng(3), 20000
    pose = CameraPose(0.5, 0.2, 1.4, 0.05, 0.1, 0.6)
    ground = GroundProjection(camera, pose)
    for u, v in [(320.0, 300.0), (60.0, 380.0), (600.0, 290.0)]:
        xy, valid = ground.to_ground([u], [v])
        assert valid.all()
        want = ground.sigma([u], [v], xy, 0.5)[0]
        moved, ok = ground.to_ground(u + 0.5 * rng.standard_normal(n), v + 0.5 * rng.standard_normal(n))
        sight = (xy[0] - [pose.x, pose.y]) / np.hypot(*(xy[0] - [pose.x, pose.y]))
        off = moved[ok] - xy[0]
        along, across = off @ sight, off @ [-sight[1], sight[0]]
        # The median of |error| of a normal distribution is 0.6745 sigma; robust against the far tail.
        got = np.median(np.abs(along)) / 0.6745, np.median(np.abs(across)) / 0.6745
        np.testing.assert_allclose(got, want, rtol=0.06)


def test_sigma_of_a_level_camera_by_hand() -> None:
    ground = GroundProjection(PLAIN, CameraPose(0.0, 0.0, 1.2, yaw=1.0))
    xy, _ = ground.to_ground([319.5], [259.5])  # 10 m ahead
    # d = h f / v: one pixel is d^2 / (h f) = 1/6 m along and d / f = 2 cm across.
    np.testing.assert_allclose(ground.sigma([319.5], [259.5], xy, 1.0), [[1 / 6, 0.02]], rtol=1e-4)
    # Pitch moves d by (h^2 + d^2) / h, height by d / h.
    only_pitch = ground.sigma([319.5], [259.5], xy, 0.0, pitch_sigma=0.01)
    np.testing.assert_allclose(only_pitch, [[0.01 * (1.44 + 100) / 1.2, 0.0]], rtol=1e-4, atol=1e-7)
    only_height = ground.sigma([319.5], [259.5], xy, 0.0, height_sigma=0.06)
    np.testing.assert_allclose(only_height, [[0.5, 0.0]], rtol=1e-4, atol=1e-7)
    together = ground.sigma([319.5], [259.5], xy, 1.0, pitch_sigma=0.01, height_sigma=0.06)
    assert together[0, 0] == pytest.approx(math.hypot(1 / 6, 0.01 * 101.44 / 1.2, 0.5), rel=1e-4)


def test_points_that_are_none_have_no_sigma() -> None:
    ground = GroundProjection(PLAIN, CameraPose(0.0, 0.0, 1.2))
    xy, _ = ground.to_ground([10.0, 319.5], [10.0, 259.5])
    sigma = ground.sigma([10.0, 319.5], [10.0, 259.5], xy, 1.0)
    assert np.isnan(sigma[0]).all()
    assert np.isfinite(sigma[1]).all()


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(CAMERAS), poses, st.integers(0, 639), st.floats(0, 399))
def test_a_pixel_looks_at_the_ground_where_it_lies_below_the_horizon_row(
    camera: CameraModel, pose: CameraPose, column: int, row: float
) -> None:
    ground = GroundProjection(camera, pose, max_range_m=1e6)
    horizon = ground.horizon_rows()
    assert horizon.dtype == np.float32
    assert horizon.shape == (640,)
    if abs(row - horizon[column]) > 0.05:
        valid = ground.to_ground([column], [row])[1][0]
        assert valid == (row > horizon[column])


def test_the_horizon_of_a_level_camera_is_its_principal_row() -> None:
    np.testing.assert_allclose(GroundProjection(PLAIN, CameraPose(0, 0, 1.0)).horizon_rows(), 199.5, atol=1e-3)


@pytest.mark.parametrize("camera", CAMERAS)
def test_cameras_that_see_one_side_of_the_horizon_only(camera: CameraModel) -> None:
    assert (GroundProjection(camera, CameraPose(0, 0, 1.0, 0, math.pi / 2)).horizon_rows() < -0.5).all()
    assert (GroundProjection(camera, CameraPose(0, 0, 1.0, 0, -1.4)).horizon_rows() > 399.5).all()


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(CAMERAS), poses, st.floats(2, 30), st.floats(-0.3, 0.3), st.floats(0, 3))
def test_the_height_of_what_stands_on_the_ground(
    camera: CameraModel, pose: CameraPose, distance: float, bearing: float, height: float
) -> None:
    ground = GroundProjection(camera, pose)
    x = pose.x + distance * math.cos(pose.yaw + bearing)
    y = pose.y + distance * math.sin(pose.yaw + bearing)
    uv, seen = ground.to_image([[x, y, height]])
    if seen[0]:
        got = ground.height_over_ground(uv[:, 0], uv[:, 1], np.array([[x, y]], np.float32))
        assert got[0] == pytest.approx(height, abs=1e-3)


def test_no_height_where_the_ground_is_not_known_or_behind() -> None:
    ground = GroundProjection(PLAIN, CameraPose(0.0, 0.0, 1.2))
    got = ground.height_over_ground([300.0, 300.0], [100.0, 100.0], np.array([[np.nan, 0.0], [-5.0, 0.0]], np.float32))
    assert np.isnan(got).all()


def test_nothing_in_nothing_out() -> None:
    ground = GroundProjection(BENT, CameraPose(0, 0, 1.0))
    xy, valid = ground.to_ground([], [])
    assert xy.shape == (0, 2)
    assert valid.shape == (0,)
    assert ground.sigma([], [], xy, 1.0).shape == (0, 2)
    assert ground.to_image(np.empty((0, 3)))[0].shape == (0, 2)


def test_cameras_over_no_ground_are_refused() -> None:
    with pytest.raises(ValueError, match="upside down"):
        GroundProjection(PLAIN, CameraPose(0, 0, 1.0, roll=math.pi))
    with pytest.raises(ValueError, match="max_range_m is 0"):
        GroundProjection(PLAIN, CameraPose(0, 0, 1.0), max_range_m=0.0)
