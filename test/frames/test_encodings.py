"""Every encoding against OpenCV's forward conversion or the formula by hand, and every way to get it wrong."""

import array
import re
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_seg_ros.frames.encodings import ENCODINGS, ImageFormatError, decode

REQUIRED = {
    "rgb8", "bgr8", "rgba8", "bgra8", "mono8", "mono16", "yuv422", "uyvy", "yuv422_yuy2", "yuyv", "nv12", "nv21",
    "nv24", "8UC1", "8UC3", "8UC4", "16UC1",
    *(f"bayer_{p}{b}" for p in ("rggb", "bggr", "gbrg", "grbg") for b in (8, 16)),
}  # fmt: skip
BIG = sys.byteorder == "big"


def scene(width: int, height: int, seed: int = 0) -> np.ndarray:
    """A smooth BGR picture: chroma subsampling and demosaicing lose little of it."""
    rng = np.random.default_rng(seed)
    small = rng.integers(30, 226, (4, 4, 3), dtype=np.uint8)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


def pad_rows(plane: np.ndarray, step: int) -> bytes:
    """The rows of `plane` (2-D, any element type), each padded with noise to `step` bytes."""
    rows = np.ascontiguousarray(plane).view(np.uint8).reshape(plane.shape[0], -1)
    padded = np.random.default_rng(1).integers(0, 256, (rows.shape[0], step), dtype=np.uint8)
    padded[:, : rows.shape[1]] = rows
    return padded.tobytes()


def test_every_encoding_cameras_publish_is_there() -> None:
    assert set(ENCODINGS) >= REQUIRED


@pytest.mark.parametrize(
    ("encoding", "code"),
    [
        ("bgr8", None), ("8UC3", None), ("rgb8", cv2.COLOR_BGR2RGB), ("bgra8", cv2.COLOR_BGR2BGRA),
        ("8UC4", cv2.COLOR_BGR2BGRA), ("rgba8", cv2.COLOR_BGR2RGBA),
    ],
)  # fmt: skip
@pytest.mark.parametrize("padding", [0, 1, 13])
@pytest.mark.parametrize("bits", [8, 16])
def test_interleaved_colors_come_back_exactly(encoding: str, code: int | None, padding: int, bits: int) -> None:
    bgr = scene(37, 11)
    pixels = bgr if code is None else cv2.cvtColor(bgr, code)
    if bits == 16:
        encoding = encoding.replace("8", "16", 1)
        pixels = pixels.astype(np.uint16) * 257
    step = pixels[0].nbytes + padding
    data = pad_rows(pixels.reshape(11, -1), step)
    out = decode(data, width=37, height=11, encoding=encoding, step=step, is_bigendian=BIG)
    assert out.dtype == np.uint8
    np.testing.assert_array_equal(out, bgr)


@pytest.mark.parametrize("encoding", ["mono8", "8UC1"])
def test_gray_is_repeated(encoding: str) -> None:
    gray = scene(9, 6)[..., 0]
    out = decode(pad_rows(gray, 12), width=9, height=6, encoding=encoding, step=12)
    np.testing.assert_array_equal(out, np.dstack([gray] * 3))


@settings(max_examples=40, deadline=None)
@given(
    width=st.integers(1, 40),
    height=st.integers(1, 20),
    padding=st.integers(0, 9),
    big=st.booleans(),
    encoding=st.sampled_from(["mono16", "16UC1"]),
    seed=st.integers(0, 99),
)
def test_16_bit_of_either_byte_order_is_rounded_to_full_scale(
    width: int, height: int, padding: int, big: bool, encoding: str, seed: int
) -> None:
    values = np.random.default_rng(seed).integers(0, 65536, (height, width)).astype(">u2" if big else "<u2")
    step = 2 * width + padding
    out = decode(pad_rows(values, step), width=width, height=height, encoding=encoding, step=step, is_bigendian=big)
    np.testing.assert_array_equal(out[..., 1], np.rint(values.astype(float) / 257).astype(np.uint8))


def test_all_65536_values_round_as_the_formula_says() -> None:
    values = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    out = decode(values, width=256, height=256, encoding="mono16", step=512, is_bigendian=BIG)
    np.testing.assert_array_equal(out[..., 0], np.rint(values / 257.0).astype(np.uint8))


PATTERNS = {"rggb": ("rg", "gb"), "bggr": ("bg", "gr"), "gbrg": ("gb", "rg"), "grbg": ("gr", "bg")}


def mosaic(bgr: np.ndarray, pattern: str) -> np.ndarray:
    """Sample one colour a pixel, by the plain meaning of the ROS name: first row, first two letters."""
    out = np.empty(bgr.shape[:2], bgr.dtype)
    for y in range(2):
        for x in range(2):
            out[y::2, x::2] = bgr[y::2, x::2, "bgr".index(PATTERNS[pattern][y][x])]
    return out


@pytest.mark.parametrize("pattern", sorted(PATTERNS))
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("big", [False, True])
def test_bayer_names_mean_the_first_row(pattern: str, bits: int, big: bool) -> None:
    bgr = np.full((20, 30, 3), (40, 120, 210), np.uint8)
    raw = mosaic(bgr, pattern)
    if bits == 16:
        raw = (raw.astype(np.uint16) * 257).astype(">u2" if big else "<u2")
    step = raw[0].nbytes + 5
    name = f"bayer_{pattern}{bits}"
    out = decode(pad_rows(raw, step), width=30, height=20, encoding=name, step=step, is_bigendian=big)
    np.testing.assert_array_equal(out, bgr)


@pytest.mark.parametrize("pattern", sorted(PATTERNS))
def test_bayer_restores_a_smooth_scene(pattern: str) -> None:
    bgr = scene(160, 120, seed=3)
    out = decode(mosaic(bgr, pattern), width=160, height=120, encoding=f"bayer_{pattern}8", step=160)
    inner = (slice(2, -2), slice(2, -2))
    assert np.abs(out[inner].astype(int) - bgr[inner]).max() <= 6


def yuv_limited(bgr: np.ndarray) -> np.ndarray:
    """BT.601 studio swing, the textbook formula (ITU-R BT.601-7, 2.5.3): float Y, U, V."""
    b, g, r = (bgr[..., i].astype(float) / 255 for i in range(3))
    y = 16 + 65.481 * r + 128.553 * g + 24.966 * b
    u = 128 - 37.797 * r - 74.203 * g + 112.0 * b
    v = 128 + 112.0 * r - 93.786 * g - 18.214 * b
    return np.dstack([y, u, v])


def bgr_of(yuv: np.ndarray) -> np.ndarray:
    """The inverse of `yuv_limited` for uint8[H, W, 3], by solving its linear system."""
    origin = yuv_limited(np.zeros((1, 1, 3)))[0, 0]
    forward = np.column_stack([yuv_limited(np.eye(3)[None, i : i + 1] * 255)[0, 0] - origin for i in range(3)])
    bgr = (yuv.astype(float) - origin) @ np.linalg.inv(forward).T * 255
    return np.clip(np.rint(bgr), 0, 255).astype(np.uint8)


def yuv_message(bgr: np.ndarray, encoding: str, padding: int) -> tuple[bytes, int, np.ndarray]:
    """The picture as a camera would send it, and what it then shows: (data, step, BGR with shared chroma)."""
    yuv = yuv_limited(bgr)
    height, width = bgr.shape[:2]
    tall, wide = {"nv24": (1, 1), "nv12": (2, 2), "nv21": (2, 2)}.get(encoding, (1, 2))
    luma = np.rint(yuv[..., 0]).astype(np.uint8)
    chroma = np.rint(yuv[..., 1:].reshape(height // tall, tall, width // wide, wide, 2).mean((1, 3))).astype(np.uint8)
    shown = bgr_of(np.dstack([luma, chroma.repeat(tall, 0).repeat(wide, 1)]))
    if encoding in ("nv12", "nv21"):
        planes = np.vstack([luma, chroma[..., :: -1 if encoding == "nv21" else 1].reshape(height // 2, width)])
        return pad_rows(planes, width + padding), width + padding, shown
    if encoding == "nv24":
        step = width + padding
        return pad_rows(luma, step) + pad_rows(chroma.reshape(height, 2 * width), 2 * step), step, shown
    interleaved = chroma.reshape(height, width)
    pair = (interleaved, luma) if encoding in ("uyvy", "yuv422") else (luma, interleaved)
    step = 2 * width + padding
    return pad_rows(np.dstack(pair).reshape(height, 2 * width), step), step, shown


@settings(max_examples=60, deadline=None)
@given(
    encoding=st.sampled_from(["uyvy", "yuv422", "yuyv", "yuv422_yuy2", "nv12", "nv21", "nv24"]),
    half_width=st.integers(1, 40),
    half_height=st.integers(1, 20),
    padding=st.integers(0, 33),
    seed=st.integers(0, 99),
)
def test_yuv_equals_the_bt601_formula(
    encoding: str, half_width: int, half_height: int, padding: int, seed: int
) -> None:
    width, height = 2 * half_width, 2 * half_height
    data, step, shown = yuv_message(scene(width, height, seed), encoding, padding)
    out = decode(data, width=width, height=height, encoding=encoding, step=step)
    assert np.abs(out.astype(int) - shown).max() <= 2


@pytest.mark.parametrize("encoding", ["uyvy", "yuyv", "nv12", "nv21", "nv24"])
@pytest.mark.parametrize("color", [(0, 0, 255), (255, 0, 0), (0, 255, 0), (255, 255, 255), (0, 0, 0)])
def test_yuv_primaries_are_not_swapped(encoding: str, color: tuple[int, int, int]) -> None:
    bgr = np.full((4, 6, 3), color, np.uint8)
    data, step, _ = yuv_message(bgr, encoding, 2)
    assert np.abs(decode(data, width=6, height=4, encoding=encoding, step=step).astype(int) - bgr).max() <= 3


@pytest.mark.parametrize("encoding", ["bgr8", "8UC3"])
@pytest.mark.parametrize("kind", ["bytes", "array", "memoryview", "ndarray"])
def test_bgr_is_a_read_only_view_of_the_message(encoding: str, kind: str) -> None:
    raw = scene(10, 8).tobytes()
    data = {
        "bytes": raw, "array": array.array("B", raw), "memoryview": memoryview(bytearray(raw)),
        "ndarray": np.frombuffer(raw, np.uint8),
    }[kind]  # fmt: skip
    out = decode(data, width=10, height=8, encoding=encoding, step=30)
    assert np.shares_memory(out, np.frombuffer(data, np.uint8))
    assert not out.flags.writeable


def test_view_sees_through_padding_without_a_copy() -> None:
    data = bytearray(8 * 40)
    out = decode(data, width=10, height=8, encoding="bgr8", step=40)
    data[40 + 3] = 99
    assert out[1, 1, 0] == 99
    assert out.strides == (40, 3, 1)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"width": 0}, "size is zero"),
        ({"height": 0}, "size is zero"),
        ({"step": 29}, "step is 29 bytes, expected at least 30"),
        ({"step": 0}, "step is 0 bytes"),
        ({"height": 9}, "data holds 240 bytes, expected 270"),
        ({"data": b""}, "truncated"),
        ({"encoding": "bgr9"}, "unknown encoding 'bgr9'; supported: .*bayer_rggb8.*nv12.*yuyv"),
        ({"encoding": ""}, "unknown encoding ''"),
        ({"encoding": "32FC1"}, "colour camera is expected"),
        ({"encoding": "64FC1"}, "colour camera is expected"),
        ({"encoding": "8UC2"}, "colour camera is expected"),
        ({"encoding": "16SC1"}, "colour camera is expected"),
        ({"encoding": "yuyv", "width": 9}, "even width"),
        ({"encoding": "nv12", "width": 9}, "even width"),
        ({"encoding": "nv21", "height": 7}, "even height"),
        ({"encoding": "nv12", "height": 8, "step": 30}, "expected 360 .12 rows"),
        ({"encoding": "bayer_rggb8", "height": 2}, "at least 3x3"),
        ({"data": [0] * 240}, "contiguous buffer"),
        ({"data": np.zeros((8, 60), np.uint8)[:, ::2]}, "contiguous buffer"),
    ],
)
def test_bad_images_are_refused_with_the_reason(change: dict[str, object], says: str) -> None:
    good = {"data": bytes(240), "width": 10, "height": 8, "encoding": "bgr8", "step": 30}
    call = {**good, **change}
    with pytest.raises(ImageFormatError, match=says):
        decode(call.pop("data"), **call)  # type: ignore[arg-type]


def test_a_nan_depth_image_is_refused() -> None:
    depth = np.full((4, 5), np.nan, np.float32)
    with pytest.raises(ImageFormatError, match="depth"):
        decode(depth, width=5, height=4, encoding="32FC1", step=20)


@settings(max_examples=300, deadline=None)
@given(
    data=st.binary(max_size=600),
    width=st.integers(0, 40),
    height=st.integers(0, 12),
    step=st.integers(0, 130),
    encoding=st.sampled_from([*sorted(ENCODINGS), "32FC1", "8UC7", "junk"]),
    big=st.booleans(),
)
def test_whatever_arrives_it_is_an_image_or_an_image_format_error(
    data: bytes, width: int, height: int, step: int, encoding: str, big: bool
) -> None:
    try:
        out = decode(data, width=width, height=height, encoding=encoding, step=step, is_bigendian=big)
    except ImageFormatError:
        return
    assert out.shape == (height, width, 3)
    assert out.dtype == np.uint8


def test_the_documentation_names_every_encoding() -> None:
    page = (Path(__file__).parents[2] / "docs" / "images.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(\w+)`", page))
    named |= {name.replace("8", "16") for name in named if name.startswith("bayer_")}
    assert set(ENCODINGS) <= named
