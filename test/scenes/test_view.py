import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_seg_ros.scenes.view import View, camera_for, optical_axes

angles = st.floats(-0.6, 0.6)


@given(angles, angles, angles, st.floats(0.5, 3.0), st.tuples(st.floats(3, 60), st.floats(-8, 8), st.floats(0, 5)))
@settings(deadline=None)
def test_projection_agrees_with_opencv(
    yaw: float, pitch: float, roll: float, height: float, point: tuple[float, float, float]
) -> None:
    view = View(camera_for(640, 360, 62.0), optical_axes(yaw, pitch, roll), np.array([1.0, -2.0, height]))
    pixel, depth = view.project(point)
    if depth < 0.5:
        return
    c = view.camera
    k = np.array([[c.fx, 0, c.cx], [0, c.fy, c.cy], [0, 0, 1]])
    rotation, _ = cv2.Rodrigues(view.rotation)
    expected, _ = cv2.projectPoints(np.array([point]), rotation, -view.rotation @ view.position, k, None)
    np.testing.assert_allclose(pixel, expected.ravel(), atol=1e-5)
    np.testing.assert_allclose(view.locate(point), view.to_optical(point), atol=1e-9)


@given(angles, angles, angles)
@settings(deadline=None)
def test_axes_are_a_rotation_and_pitch_looks_down(yaw: float, pitch: float, roll: float) -> None:
    axes = optical_axes(yaw, pitch, roll)
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(axes) == pytest.approx(1.0)
    assert axes[2, 2] == pytest.approx(-np.sin(pitch))


def test_rays_lead_back_to_their_pixels() -> None:
    view = View(camera_for(64, 48, 70.0), optical_axes(0.2, 0.1, -0.05), np.array([3.0, 1.0, 1.4]))
    points = view.position + 7.0 * np.moveaxis(view.rays(), 0, -1).astype(np.float64)
    pixels, depth = view.project(points)
    u, v = np.meshgrid(np.arange(64), np.arange(48))
    np.testing.assert_allclose(pixels[..., 0], u, atol=1e-3)
    np.testing.assert_allclose(pixels[..., 1], v, atol=1e-3)
    np.testing.assert_allclose(depth, 7.0, atol=1e-4)


@pytest.mark.parametrize(("width", "height", "fov"), [(0, 10, 60.0), (10, -1, 60.0), (10, 10, 0.5), (10, 10, 175.0)])
def test_an_impossible_camera_is_refused(width: int, height: int, fov: float) -> None:
    with pytest.raises(ValueError, match="found"):
        camera_for(width, height, fov)
