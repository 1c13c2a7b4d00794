"""CameraInfo of outputs: points of the world must land on the pixels that show them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("rclpy")
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import CameraInfo, RegionOfInterest
from std_msgs.msg import Header

from hybrid_seg_ros.bags.messages import camera_info_message
from hybrid_seg_ros.frames import CameraModel
from hybrid_seg_ros.frames.camera_info import CameraInfoError, camera_model
from hybrid_seg_ros.ros.camera_info import resized_camera_info

CAMERA = CameraModel(640, 480, 500.0, 510.0, 320.0, 236.0, (0.1, -0.2, 0.0, 0.0, 0.01))
ROTATION = [0.0, -1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0]


def plain_info() -> CameraInfo:
    return deserialize_message(camera_info_message(CAMERA, stamp=0, frame_id="right"), CameraInfo)


def stereo_info(**fields: object) -> CameraInfo:
    info = plain_info()
    info.r = ROTATION
    info.p[3] = -60.0  # -fx * baseline
    for name, value in fields.items():
        setattr(info, name, value)
    return info


def project(p: object, point: tuple[float, float, float]) -> np.ndarray:
    u, v, w = np.array(p).reshape(3, 4) @ np.array([*point, 1.0])
    return np.array([u, v]) / w


def test_a_camera_survives_the_message() -> None:
    assert camera_model(plain_info()) == CAMERA


@settings(max_examples=60, deadline=None)
@given(
    size=st.tuples(st.integers(16, 2000), st.integers(16, 2000)),
    point=st.tuples(st.floats(-5, 5), st.floats(-3, 3), st.floats(1, 50)),
    window=st.tuples(st.integers(0, 100), st.integers(0, 100), st.integers(50, 500), st.integers(50, 380)),
    cropped=st.booleans(),
    binning=st.sampled_from([(0, 0), (1, 1), (2, 2), (2, 1)]),
)
def test_pixels_move_as_the_image_does(
    size: tuple[int, int],
    point: tuple[float, float, float],
    window: tuple[int, int, int, int],
    cropped: bool,
    binning: tuple[int, int],
) -> None:
    x, y, w, h = window
    info = stereo_info(binning_x=binning[0], binning_y=binning[1])
    if cropped:
        info.roi = RegionOfInterest(x_offset=x, y_offset=y, width=w, height=h)
    else:
        x, y, w, h = 0, 0, 640, 480
    image = np.array([w // max(1, binning[0]), h // max(1, binning[1])])
    out = resized_camera_info(info, *size)
    # by hand, with pixel borders instead of centres: crop, bin, stretch
    border = (project(info.p, point) + 0.5 - [x, y]) / np.maximum(binning, 1)
    expected = border * (np.array(size) / image) - 0.5
    np.testing.assert_allclose(project(out.p, point), expected, atol=1e-6)
    assert (out.width, out.height) == size
    np.testing.assert_array_equal(out.r, ROTATION)
    np.testing.assert_array_equal(out.d, info.d)
    assert (out.roi, out.binning_x, out.binning_y) == (RegionOfInterest(), 0, 0)


def test_agrees_with_the_camera_model() -> None:
    out = resized_camera_info(plain_info(), 320, 120, Header(frame_id="new"))
    camera = camera_model(out)
    expected = CAMERA.resized(320, 120)
    np.testing.assert_allclose(
        [camera.fx, camera.fy, camera.cx, camera.cy], [expected.fx, expected.fy, expected.cx, expected.cy]
    )
    assert out.header.frame_id == "new"


def test_uncalibrated_stays_uncalibrated() -> None:
    out = resized_camera_info(CameraInfo(width=640, height=480), 320, 240)
    assert not np.any(out.k)
    assert not np.any(out.p)
    assert (out.width, out.height) == (320, 240)


def test_no_size_is_an_error() -> None:
    with pytest.raises(CameraInfoError, match="0x0"):
        resized_camera_info(CameraInfo(), 320, 240)
