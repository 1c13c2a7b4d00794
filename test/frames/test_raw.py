"""A raw image keeps its message's bytes and becomes the very BGR that decoding gives."""

import numpy as np
import pytest

from hybrid_seg_ros.frames import Frame
from hybrid_seg_ros.frames.encodings import ENCODINGS, ImageFormatError, decode, raw_image


@pytest.mark.parametrize("encoding", sorted(ENCODINGS))
def test_bytes_stay_and_pixels_are_those_of_decode(encoding: str) -> None:
    fmt, width, height = ENCODINGS[encoding], 24, 10
    step = width * fmt.pixel_bytes + 6
    data = np.random.default_rng(0).integers(0, 256, fmt.rows(height) * step + 9, dtype=np.uint8).tobytes()
    image = raw_image(data, width=width, height=height, encoding=encoding, step=step)
    assert image.data.tobytes() == data[: fmt.rows(height) * step]
    assert (image.step, image.format.encoding) == (step, encoding)
    frame = Frame(image, 7, "camera")
    assert frame.size == (width, height)
    np.testing.assert_array_equal(frame.image, decode(data, width=width, height=height, encoding=encoding, step=step))
    assert frame.image is frame.image


def test_an_image_that_is_not_what_it_claims_is_refused_before_anything_is_converted() -> None:
    with pytest.raises(ImageFormatError, match="data holds 10 bytes, expected 108"):
        raw_image(bytes(10), width=6, height=6, encoding="bgr8", step=18)


@pytest.mark.parametrize("encoding", sorted(ENCODINGS))
def test_a_glimpse_is_as_bright_as_the_image_and_of_its_shape(encoding: str) -> None:
    fmt, width, height = ENCODINGS[encoding], 64, 36
    for value, low, high in ((0, 0, 20), (128, 100, 156), (255, 235, 255)):
        data = bytes([value]) * (fmt.rows(height) * width * fmt.pixel_bytes * (2 if "24" in encoding else 1))
        image = raw_image(data, width=width, height=height, encoding=encoding, step=width * fmt.pixel_bytes)
        glimpse = Frame(image).glimpse
        assert glimpse.dtype == np.uint8
        assert glimpse.ndim == 2 or glimpse.shape[2] == 3
        assert glimpse.shape[1] * height == glimpse.shape[0] * width
        if fmt.color in ("uyvy", "yuyv", "nv12", "nv21", "nv24") and value == 128:
            continue  # the luma itself
        assert low <= glimpse.mean() <= high


@pytest.mark.parametrize("encoding", sorted(ENCODINGS))
@pytest.mark.parametrize("size", [(64, 36), (642, 366), (4, 4)])
def test_a_few_places_are_those_of_the_image(encoding: str, size: tuple[int, int]) -> None:
    fmt, (width, height) = ENCODINGS[encoding], size
    step = width * fmt.pixel_bytes
    data = np.random.default_rng(0).integers(0, 256, fmt.rows(height) * step, dtype=np.uint8).tobytes()
    image = raw_image(data, width=width, height=height, encoding=encoding, step=step)
    few = image.sparse(12, 20)
    assert few.dtype == np.uint8
    assert few.flags.c_contiguous
    assert min(12, height // 2) <= few.shape[0] < 24
    assert min(20, width // 2) <= few.shape[1] < 40
    if fmt.color == "bgr":
        rows, columns = max(1, height // 12), max(1, width // 20)
        np.testing.assert_array_equal(few, image.bgr[::rows, ::columns, 1])
