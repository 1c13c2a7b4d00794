"""JPEG and PNG as image_transport sends them, and damaged in every way."""

import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_seg_ros.frames.compressed import decode_compressed, decode_unchanged, read_header
from hybrid_seg_ros.frames.encodings import ImageFormatError


def scene(width: int = 64, height: int = 48) -> np.ndarray:
    small = np.random.default_rng(2).integers(30, 226, (4, 4, 3), dtype=np.uint8)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


def encode(image: np.ndarray, suffix: str, *options: int) -> bytes:
    return cv2.imencode(suffix, image, options)[1].tobytes()


JPEG = encode(scene(), ".jpg")
PROGRESSIVE = encode(scene(), ".jpg", cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
PNG = encode(scene(), ".png")


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_claiming(width: int, height: int) -> bytes:
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + png_chunk(b"IDAT", zlib.compress(b"")) + png_chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "format", ["png", "bgr8; png compressed bgr8", "rgb8; png compressed bgr8", "rgb8; png compressed"]
)
def test_png_is_lossless(format: str) -> None:
    np.testing.assert_array_equal(decode_compressed(PNG, format), scene())


@pytest.mark.parametrize(
    "format", ["jpeg", "jpg", "JPEG", "bgr8; jpeg compressed bgr8", "rgb8; jpeg compressed bgr8", ""]
)
@pytest.mark.parametrize("data", [JPEG, PROGRESSIVE], ids=["baseline", "progressive"])
def test_jpeg_is_close(format: str, data: bytes) -> None:
    assert np.abs(decode_compressed(data, format).astype(int) - scene()).mean() < 3


def test_channels_a_publisher_swapped_are_swapped_back() -> None:
    swapped = encode(scene()[..., ::-1], ".png")
    np.testing.assert_array_equal(decode_compressed(swapped, "rgb8; png compressed rgb8"), scene())


def test_gray_and_alpha_become_bgr() -> None:
    gray = scene()[..., 0]
    np.testing.assert_array_equal(
        decode_compressed(encode(gray, ".png"), "mono8; png compressed "), np.dstack([gray] * 3)
    )
    bgra = np.dstack([scene(), np.full((48, 64), 7, np.uint8)])
    np.testing.assert_array_equal(decode_compressed(encode(bgra, ".png"), "png"), scene())


@pytest.mark.parametrize("channels", [1, 3])
def test_16_bit_png_is_rounded_to_full_scale(channels: int) -> None:
    deep = np.random.default_rng(0).integers(0, 65536, (20, 30, channels)).astype(np.uint16).squeeze()
    data = encode(deep, ".png")
    out = decode_compressed(data, "mono16; png compressed ")
    expected = np.rint(deep / 257.0).astype(np.uint8)
    np.testing.assert_array_equal(out, expected if channels == 3 else np.dstack([expected] * 3))
    np.testing.assert_array_equal(decode_unchanged(data, "png"), deep)


def test_exif_orientation_is_not_applied() -> None:
    # TIFF header, one IFD entry: tag 0x0112, type SHORT, count 1, value 6 (rotate 90 degrees)
    tiff = b"MM\x00\x2a\x00\x00\x00\x08" + struct.pack(">HHHIHHI", 1, 0x0112, 3, 1, 6, 0, 0)
    app1 = b"Exif\x00\x00" + tiff
    data = JPEG[:2] + b"\xff\xe1" + struct.pack(">H", len(app1) + 2) + app1 + JPEG[2:]
    assert cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR).shape == (64, 48, 3), "the tag is effective"
    assert decode_compressed(data, "jpeg").shape == (48, 64, 3)


def test_header_is_read_without_decoding() -> None:
    jpeg, png = read_header(JPEG), read_header(encode(np.zeros((5, 7), np.uint16), ".png"))
    assert (jpeg.codec, jpeg.width, jpeg.height, jpeg.bits) == ("jpeg", 64, 48, 8)
    assert (png.codec, png.width, png.height, png.bits) == ("png", 7, 5, 16)


@pytest.mark.parametrize("data", [JPEG, PROGRESSIVE, PNG], ids=["jpeg", "progressive", "png"])
def test_a_file_cut_anywhere_is_refused(data: bytes) -> None:
    for length in range(len(data) - (2 if data is not PNG else 12) + 1):
        with pytest.raises(ImageFormatError):
            decode_compressed(data[:length], "jpeg")


@pytest.mark.parametrize("data", [JPEG, PNG], ids=["jpeg", "png"])
def test_padding_after_the_end_is_harmless(data: bytes) -> None:
    np.testing.assert_array_equal(decode_compressed(data + bytes(4096), "x"), decode_compressed(data, "x"))


def test_truncation_is_named() -> None:
    with pytest.raises(ImageFormatError, match="jpeg is truncated"):
        decode_compressed(JPEG[:-200], "jpeg")
    with pytest.raises(ImageFormatError, match="png is truncated"):
        decode_compressed(PNG[:-200], "png")


def test_decompression_bomb_is_refused_before_decoding() -> None:
    with pytest.raises(ImageFormatError, match="declares 50000x50000 px, more than the limit of 67108864"):
        decode_compressed(png_claiming(50000, 50000), "png")
    with pytest.raises(ImageFormatError, match="more than the limit of 1000 px"):
        decode_compressed(JPEG, "jpeg", max_pixels=1000)
    with pytest.raises(ImageFormatError, match="0x7 px"):
        decode_compressed(png_claiming(0, 7), "png")


@pytest.mark.parametrize(
    ("data", "format", "says"),
    [
        (b"", "jpeg", "0 bytes is neither JPEG nor PNG"),
        (b"\x00\x00\x00\x01\x67" + bytes(50), "h264", "format 'h264' .* neither JPEG nor PNG .*00 00 00 01 67"),
        (b"\x00" * 12 + PNG, "16UC1; compressedDepth png", "depth image"),
        (b"GIF89a" + bytes(50), "gif", "neither JPEG nor PNG"),
    ],
)
def test_other_formats_are_refused_with_the_reason(data: bytes, format: str, says: str) -> None:
    with pytest.raises(ImageFormatError, match=says):
        decode_compressed(data, format)


@settings(max_examples=200, deadline=None)
@given(
    data=st.sampled_from([JPEG, PROGRESSIVE, PNG]),
    flips=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=8),
)
def test_damage_gives_an_image_of_the_declared_size_or_an_image_format_error(
    data: bytes, flips: list[tuple[int, int]]
) -> None:
    broken = bytearray(data)
    for at, value in flips:
        broken[at % len(broken)] = value
    try:
        out = decode_compressed(broken, "jpeg", max_pixels=1 << 20)
    except ImageFormatError:
        return
    assert out.dtype == np.uint8
    assert out.ndim == 3


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200), st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"]), st.text(max_size=12))
def test_noise_is_refused(data: bytes, magic: bytes, format: str) -> None:
    with pytest.raises(ImageFormatError):
        decode_compressed(magic + data, format)
