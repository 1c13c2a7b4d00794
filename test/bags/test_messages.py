"""Serialised messages are checked against rclpy where ROS is installed: two implementations, one wire format."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.recordings import CAMERA, picture

from hybrid_seg_ros.bags.cdr import header_stamp_ns
from hybrid_seg_ros.bags.messages import camera_info_message, frame_from_message, image_message, ros_types
from hybrid_seg_ros.bags.topics import CAMERA_INFO, IMAGE
from hybrid_seg_ros.frames import CameraModel


@given(st.integers(0, 2**31 - 1), st.integers(0, 999_999_999), st.text(max_size=20))
def test_the_stamp_is_read_from_the_header_bytes(sec: int, nanosec: int, frame_id: str) -> None:
    stamp = sec * 1_000_000_000 + nanosec
    assert header_stamp_ns(camera_info_message(CAMERA, stamp=stamp, frame_id=frame_id.replace("\0", ""))) == stamp


def test_the_stamp_of_a_big_endian_message() -> None:
    data = bytes([0, 0, 0, 0]) + (5).to_bytes(4, "big") + (9).to_bytes(4, "big") + bytes(40)
    assert header_stamp_ns(data) == 5_000_000_009


def test_too_few_bytes_for_a_header() -> None:
    with pytest.raises(ValueError, match="at least 12 bytes, found 11"):
        header_stamp_ns(bytes(11))


def test_rclpy_reads_what_is_written_here() -> None:
    serialization = pytest.importorskip("rclpy.serialization", reason="ROS is not installed")
    messages = pytest.importorskip("sensor_msgs.msg")
    score = np.linspace(-9, 9, 12, dtype=np.float32).reshape(3, 4)
    image = serialization.deserialize_message(
        image_message(score, "32FC1", stamp=3_000_000_004, frame_id="front"), messages.Image
    )
    assert (image.header.stamp.sec, image.header.stamp.nanosec, image.header.frame_id) == (3, 4, "front")
    assert (image.height, image.width, image.encoding, image.step, image.is_bigendian) == (3, 4, "32FC1", 16, 0)
    np.testing.assert_array_equal(np.frombuffer(image.data, np.float32).reshape(3, 4), score)
    info = serialization.deserialize_message(camera_info_message(CAMERA, stamp=1, frame_id="f"), messages.CameraInfo)
    assert list(info.k) == [60.0, 0, 31.5, 0, 61.0, 23.5, 0, 0, 1]
    assert list(info.p) == [60.0, 0, 31.5, 0, 0, 61.0, 23.5, 0, 0, 0, 1, 0]


def test_a_strided_view_is_written_row_by_row() -> None:
    whole = picture(0)
    view = whole[4:20, 8:40]
    store = ros_types()
    message = store.deserialize_cdr(image_message(view, "bgr8", stamp=0, frame_id=""), "sensor_msgs/msg/Image")
    np.testing.assert_array_equal(np.asarray(message.data).reshape(16, 32, 3), view)


def test_intrinsics_of_a_recording_are_those_of_the_image_that_arrived() -> None:
    """Region of interest and binning count offline as they do in the node."""
    store = ros_types()
    image = store.deserialize_cdr(image_message(picture(0), "bgr8", stamp=7, frame_id="front"), IMAGE)
    height, width = picture(0).shape[:2]
    sensor = CameraModel(width=4 * width, height=4 * height, fx=200.0, fy=200.0, cx=2.0 * width, cy=2.0 * height)
    info = store.deserialize_cdr(camera_info_message(sensor, stamp=7, frame_id="front"), CAMERA_INFO)
    window = store.types["sensor_msgs/msg/RegionOfInterest"](
        x_offset=width, y_offset=height, width=2 * width, height=2 * height, do_rectify=False
    )
    binned = replace(info, roi=window, binning_x=2, binning_y=2)
    frame = frame_from_message(image, IMAGE, binned)
    assert frame.camera == CameraModel(width, height, 100.0, 100.0, width / 2 - 0.25, height / 2 - 0.25)
    assert frame_from_message(image, IMAGE, replace(info, k=np.zeros(9))).camera is None
    assert frame_from_message(image, IMAGE, None).camera is None


def test_a_single_row_has_the_step_of_its_pixels() -> None:
    message = ros_types().deserialize_cdr(image_message(picture(0)[:1, :5], "bgr8", stamp=0, frame_id=""), IMAGE)
    assert (message.step, len(message.data)) == (15, 15)
