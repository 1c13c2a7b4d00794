"""The cv_bridge names on real messages, serialised and back."""

import array
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

pytest.importorskip("rclpy")
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from hybrid_seg_ros.ros.bridge import (
    ImageFormatError,
    compressed_imgmsg_to_cv2,
    cv2_to_imgmsg,
    frame_from_compressed,
    frame_from_image,
    imgmsg_to_cv2,
)

DTYPES = {"8U": "u1", "8S": "i1", "16U": "u2", "16S": "i2", "32S": "i4", "32F": "f4", "64F": "f8"}
COLORS = ["mono8", "bgr8", "rgb8", "bgra8", "rgba8", "mono16", "bgr16", "rgb16", "bgra16", "rgba16"]


def header() -> Header:
    head = Header(frame_id="front_optical")
    head.stamp.sec, head.stamp.nanosec = 1_700_000_000, 123_456_789
    return head


def scene(width: int = 20, height: int = 12) -> np.ndarray:
    small = np.random.default_rng(4).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    return cv2.resize(small, (width, height))


def over_the_wire(message: Any) -> Any:
    return deserialize_message(serialize_message(message), type(message))


@settings(max_examples=60, deadline=None)
@given(data=st.data(), kind=st.sampled_from(sorted(DTYPES)), channels=st.integers(1, 4), big=st.booleans())
def test_passthrough_brings_every_type_back(data: st.DataObject, kind: str, channels: int, big: bool) -> None:
    dtype = np.dtype(DTYPES[kind]).newbyteorder(">" if big else "<")
    size = data.draw(st.tuples(st.integers(1, 6), st.integers(1, 7)))
    shape = size if channels == 1 else (*size, channels)
    image = data.draw(arrays.arrays(dtype, shape))
    message = over_the_wire(cv2_to_imgmsg(image, header=header()))
    assert message.encoding == f"{kind}C{channels}"
    assert (message.height, message.width) == size
    assert message.header == header()
    out = imgmsg_to_cv2(message)
    assert out.dtype == dtype.newbyteorder("=")
    np.testing.assert_array_equal(out, image)


def test_reading_shares_the_message_buffer() -> None:
    message = over_the_wire(cv2_to_imgmsg(scene(), "bgr8"))
    for out in (imgmsg_to_cv2(message), imgmsg_to_cv2(message, "bgr8"), frame_from_image(message).image):
        assert np.shares_memory(out, np.frombuffer(message.data, np.uint8))
        np.testing.assert_array_equal(out, scene())


def test_padded_rows_are_read() -> None:
    padded = np.zeros((12, 72), np.uint8)
    padded[:, :60] = scene().reshape(12, 60)
    message = Image(height=12, width=20, encoding="bgr8", step=72, data=array.array("B", padded.tobytes()))
    np.testing.assert_array_equal(imgmsg_to_cv2(message, "bgr8"), scene())
    np.testing.assert_array_equal(frame_from_image(message).image, scene())


def by_hand(bgr: np.ndarray, encoding: str) -> np.ndarray:
    """An 8-bit BGR picture in `encoding`, with numpy alone (gray: OpenCV's rounding is its own)."""
    name = encoding.rstrip("0123456789")
    if name == "mono":
        out = cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)
    else:
        out = bgr[..., ["bgr".index(c) for c in name[:3]]]
        if len(name) == 4:
            out = np.dstack([out, np.full(bgr.shape[:2], 255, np.uint8)])
    return out.astype(np.uint16) * 257 if encoding.endswith("16") else np.ascontiguousarray(out)


@pytest.mark.parametrize("source", COLORS)
@pytest.mark.parametrize("target", COLORS)
def test_conversions_between_colors(source: str, target: str) -> None:
    bgr = scene()
    if source.startswith("mono"):
        bgr = np.dstack([bgr[..., 0]] * 3)
    message = over_the_wire(cv2_to_imgmsg(by_hand(bgr, source), source))
    out = imgmsg_to_cv2(message, target)
    expected = by_hand(bgr, target)
    assert out.dtype == expected.dtype
    assert out.shape == expected.shape
    tolerance = 257 if target.endswith("16") else 1
    assert np.abs(out.astype(int) - expected).max() <= (tolerance if target.startswith("mono") else 0)


@pytest.mark.parametrize("encoding", ["nv12", "nv21", "nv24", "yuyv", "uyvy", "yuv422_yuy2", "bayer_gbrg8"])
def test_camera_formats_are_carried_and_shown(encoding: str) -> None:
    gray = np.full((12, 20), 128, np.uint8)
    raw = {
        "nv12": np.vstack([gray, gray[:6]]), "nv21": np.vstack([gray, gray[:6]]), "nv24": np.vstack([gray] * 3),
        "bayer_gbrg8": gray,
    }.get(encoding, np.dstack([gray, gray]))  # fmt: skip
    message = over_the_wire(cv2_to_imgmsg(raw, encoding))
    assert (message.height, message.width) == (12, 20)
    np.testing.assert_array_equal(imgmsg_to_cv2(message), raw)
    for target, channels in (("bgr8", 3), ("rgba8", 4), ("mono8", 1)):
        out = imgmsg_to_cv2(message, target)
        assert out.shape[:2] == (12, 20)
        assert out.size == 240 * channels
    shown = frame_from_image(message).image
    assert np.ptp(shown) == 0
    assert shown[0, 0, 0] == (128 if "bayer" in encoding else 130)  # (128 - 16) * 255 / 219


@pytest.mark.parametrize(
    ("source", "target"),
    [("32FC1", "mono8"), ("8UC3", "bgr8"), ("bgr8", "32FC1"), ("bgr8", "nv12"), ("bgr8", "bayer_rggb8")],
)
def test_conversions_without_sense_are_refused(source: str, target: str) -> None:
    image = np.zeros((4, 4), np.float32) if source == "32FC1" else np.zeros((4, 4, 3), np.uint8)
    with pytest.raises(ImageFormatError):
        imgmsg_to_cv2(cv2_to_imgmsg(image, source), target)


def test_plain_types_convert_number_by_number() -> None:
    depth = np.array([[-3.0, 1.5, 300.4, np.nan]], np.float32)
    message = cv2_to_imgmsg(depth, "32FC1")
    np.testing.assert_array_equal(imgmsg_to_cv2(message, "64FC1"), depth.astype(np.float64))
    np.testing.assert_array_equal(imgmsg_to_cv2(message, "8UC1"), [[0, 2, 255, 0]])
    np.testing.assert_array_equal(imgmsg_to_cv2(cv2_to_imgmsg(scene(), "bgr8"), "32FC3"), scene().astype(np.float32))


@pytest.mark.parametrize(
    ("image", "encoding", "says"),
    [
        (np.zeros((4, 4), np.uint8), "bgr8", "needs uint8 x 3, the image is 8UC1"),
        (np.zeros((4, 4), np.uint8), "mono16", "needs uint16 x 1"),
        (np.zeros((4, 4), bool), "passthrough", "bool"),
        (np.zeros((0, 4), np.uint8), "passthrough", "not empty"),
        (np.zeros((4, 4, 3, 1), np.uint8), "passthrough", r"expected \[H, W\]"),
        (np.zeros((4, 4), np.uint8), "jpeg", "unknown encoding 'jpeg'"),
        (np.zeros((4, 4), np.uint8), "nv12", "multiple of 3"),
        ([[1]], "mono8", "list, expected an ndarray"),
    ],
)
def test_images_that_are_not_what_they_are_called(image: Any, encoding: str, says: str) -> None:
    with pytest.raises(ImageFormatError, match=says):
        cv2_to_imgmsg(image, encoding)


def test_outputs_keep_the_header_bit_for_bit() -> None:
    labels = np.arange(12, dtype=np.uint8).reshape(3, 4)
    score = np.linspace(-9, 3, 12, dtype=np.float32).reshape(3, 4)
    for image, encoding in ((labels, "mono8"), (score, "32FC1"), (scene(), "bgr8")):
        received = over_the_wire(cv2_to_imgmsg(image, encoding, header()))
        assert received.header == header()
        assert received.step == image.strides[0]
        np.testing.assert_array_equal(imgmsg_to_cv2(received), image)


def test_a_single_row_of_a_wider_image_has_the_step_of_its_pixels() -> None:
    image = scene()[:1, :5]
    message = cv2_to_imgmsg(image, "bgr8")
    assert (message.step, len(message.data)) == (15, 15)
    np.testing.assert_array_equal(imgmsg_to_cv2(message), image)


def test_a_strided_image_is_written_densely() -> None:
    image = np.asfortranarray(scene()[:, ::2])
    message = cv2_to_imgmsg(image, "bgr8")
    assert message.step == 30
    np.testing.assert_array_equal(imgmsg_to_cv2(message), image)


def test_frames_carry_stamp_and_frame() -> None:
    frame = frame_from_image(cv2_to_imgmsg(scene(), "bgr8", header()))
    assert (frame.stamp_ns, frame.frame_id, frame.size) == (1_700_000_000_123_456_789, "front_optical", (20, 12))


def compressed(image: np.ndarray, suffix: str, format: str) -> CompressedImage:
    message = CompressedImage(header=header(), format=format)
    message.data.frombytes(cv2.imencode(suffix, image)[1])
    return over_the_wire(message)


def test_compressed_images() -> None:
    message = compressed(scene(), ".png", "bgr8; png compressed bgr8")
    frame = frame_from_compressed(message)
    np.testing.assert_array_equal(frame.image, scene())
    assert frame.stamp_ns == 1_700_000_000_123_456_789
    np.testing.assert_array_equal(compressed_imgmsg_to_cv2(message), scene())
    np.testing.assert_array_equal(compressed_imgmsg_to_cv2(message, "rgb8"), scene()[..., ::-1])
    deep = np.arange(240, dtype=np.uint16).reshape(12, 20) * 250
    message = compressed(deep, ".png", "mono16; png compressed ")
    np.testing.assert_array_equal(compressed_imgmsg_to_cv2(message), deep)
    assert compressed_imgmsg_to_cv2(message, "bgr8").dtype == np.uint8


def test_equals_cv_bridge_where_it_is_installed() -> None:
    cv_bridge = pytest.importorskip("cv_bridge", reason="cv_bridge has no pip package; this runs inside a ROS install")
    theirs = cv_bridge.CvBridge()
    for encoding in COLORS:
        message = cv2_to_imgmsg(by_hand(scene(), encoding), encoding, header())
        assert theirs.cv2_to_imgmsg(by_hand(scene(), encoding), encoding, header()) == message
        for target in ["passthrough", *COLORS]:
            np.testing.assert_array_equal(imgmsg_to_cv2(message, target), theirs.imgmsg_to_cv2(message, target))
