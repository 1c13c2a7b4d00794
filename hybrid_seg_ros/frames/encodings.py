"""Raw camera images of every encoding cameras publish, as BGR.

>>> decode(bytes(2 * 8), width=2, height=2, encoding="bgr8", step=8).shape   # rows padded to 8 bytes
(2, 2, 3)
"""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.frames.pixel_format import (
    COLOR_FORMATS,
    ImageFormatError,
    PixelFormat,
    as_bytes,
    plain_format,
    raw_view,
)
from hybrid_seg_ros.frames.raw import RawImage

__all__ = ["ENCODINGS", "ImageFormatError", "camera_format", "decode", "raw_image"]

# Drivers publish plain OpenCV types for colour images too; they mean what OpenCV would draw.
_PLAIN_COLORS = {1: "gray", 3: "bgr", 4: "bgra"}


def _camera_formats() -> dict[str, PixelFormat]:
    table = dict(COLOR_FORMATS)
    for bits in (8, 16):
        for channels, color in _PLAIN_COLORS.items():
            name = f"{bits}UC{channels}"
            table[name] = PixelFormat(name, color, np.dtype(f"u{bits // 8}"), channels)
    return table


ENCODINGS: Mapping[str, PixelFormat] = MappingProxyType(_camera_formats())
"""Every encoding that `decode` takes."""


def camera_format(encoding: str) -> PixelFormat:
    """The format of a camera image; raises ImageFormatError for anything else, naming what is supported."""
    fmt = ENCODINGS.get(encoding)
    if fmt is not None:
        return fmt
    supported = f"supported: {', '.join(sorted(ENCODINGS))}"
    if plain_format(encoding) is not None:
        raise ImageFormatError(
            f"encoding {encoding!r} holds plain numbers, as depth and disparity images do, but a colour camera is "
            f"expected: remap the image topic to the camera's colour images; {supported}"
        )
    raise ImageFormatError(f"unknown encoding {encoding!r}; {supported}")


def decode(
    data: object, *, width: int, height: int, encoding: str, step: int, is_bigendian: bool | int = False
) -> npt.NDArray[np.uint8]:
    """One sensor_msgs/Image as BGR.

    bgr8 and 8UC3 come as a read-only view of `data`, padded rows included; all else is converted once.
    16-bit values are taken as full scale 65535 and come as round(v / 257). YUV is BT.601, limited range.
    nv24 rows of chroma are 2 x step apart, as in V4L2.

    Args:
        data: contiguous buffer: bytes, array.array, memoryview or ndarray.
        width: px.
        height: px; for nv12, nv21 and nv24 that of the luma plane.
        encoding: a name of `ENCODINGS`.
        step: bytes from row to row (of the luma plane).
        is_bigendian: byte order of 16-bit elements.

    Returns:
        uint8[H, W, 3], BGR.

    Raises:
        ImageFormatError: whatever is wrong with the image; nothing else is raised for bad input.
    """
    image = raw_image(data, width=width, height=height, encoding=encoding, step=step, is_bigendian=is_bigendian)
    return image.bgr


def raw_image(
    data: object, *, width: int, height: int, encoding: str, step: int, is_bigendian: bool | int = False
) -> RawImage:
    """A sensor_msgs/Image, checked but not converted.

    Args:
        data: contiguous buffer: bytes, array.array, memoryview or ndarray.
        width: px.
        height: px; for nv12, nv21 and nv24 that of the luma plane.
        encoding: a name of `encodings.ENCODINGS`.
        step: bytes from row to row (of the luma plane).
        is_bigendian: byte order of 16-bit elements.

    Raises:
        ImageFormatError: whatever is wrong with the image; nothing else is raised for bad input.
    """
    fmt = camera_format(encoding)
    view = raw_view(data, fmt, width=width, height=height, step=step, is_bigendian=is_bigendian)
    rows = fmt.rows(height)
    return RawImage(as_bytes(data)[: rows * step].reshape(rows, step), view, fmt, width, height)
