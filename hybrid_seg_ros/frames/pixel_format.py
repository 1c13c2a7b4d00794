"""What a ROS encoding string says about the bytes of an image, and a view of those bytes.

The names are those of sensor_msgs/image_encodings plus the ones camera drivers really publish
beside them (nv12). Nothing here copies pixels.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


class ImageFormatError(ValueError):
    """An image that cannot be what it claims to be; the message says what was expected and what was found."""


@dataclass(frozen=True, slots=True)
class PixelFormat:
    """One encoding.

    Attributes:
        encoding: the ROS name.
        color: what the channels mean ("bgr", "gray", "bayer_rggb", "uyvy", "nv12", ...); "" for plain numbers.
        dtype: element type, native byte order.
        channels: interleaved elements per pixel of the (first) plane.
    """

    encoding: str
    color: str
    dtype: np.dtype[Any]
    channels: int

    @property
    def pixel_bytes(self) -> int:
        """Bytes per pixel of the (first) plane."""
        return self.channels * self.dtype.itemsize

    def rows(self, height: int) -> int:
        """Rows of `step` bytes that an image of this height takes, chroma plane included."""
        if self.color in ("nv12", "nv21"):
            return height * 3 // 2
        return height * 3 if self.color == "nv24" else height


_U8, _U16 = np.dtype(np.uint8), np.dtype(np.uint16)
_CHANNELS = {"mono": 1, "bgr": 3, "rgb": 3, "bgra": 4, "rgba": 4}
_BAYER = ("bayer_rggb", "bayer_bggr", "bayer_gbrg", "bayer_grbg")
_YUV = {
    "yuv422": ("uyvy", 2),
    "uyvy": ("uyvy", 2),
    "yuv422_yuy2": ("yuyv", 2),
    "yuyv": ("yuyv", 2),
    "nv12": ("nv12", 1),
    "nv21": ("nv21", 1),
    "nv24": ("nv24", 1),
}


def _color_formats() -> dict[str, PixelFormat]:
    table: dict[str, PixelFormat] = {}
    for bits, dtype in ((8, _U8), (16, _U16)):
        for name, channels in _CHANNELS.items():
            color = "gray" if name == "mono" else name
            table[f"{name}{bits}"] = PixelFormat(f"{name}{bits}", color, dtype, channels)
        for name in _BAYER:
            table[f"{name}{bits}"] = PixelFormat(f"{name}{bits}", name, dtype, 1)
    for name, (color, channels) in _YUV.items():
        table[name] = PixelFormat(name, color, _U8, channels)
    return table


COLOR_FORMATS: Mapping[str, PixelFormat] = MappingProxyType(_color_formats())
"""Every encoding whose channels have a meaning as colours."""

_PLAIN = re.compile(r"(8|16|32|64)([USF])C([1-9][0-9]?)")
_PLAIN_KIND = {"U": "u", "S": "i", "F": "f"}
_NO_SUCH_TYPE = {("8", "F"), ("16", "F"), ("32", "U"), ("64", "U"), ("64", "S")}


def plain_format(encoding: str) -> PixelFormat | None:
    """The format of an OpenCV type name ("8UC3", "32FC1"), or None where `encoding` is no such name."""
    match = _PLAIN.fullmatch(encoding)
    if match is None or match.group(1, 2) in _NO_SUCH_TYPE:
        return None
    bits, kind, channels = match.groups()
    return PixelFormat(encoding, "", np.dtype(f"{_PLAIN_KIND[kind]}{int(bits) // 8}"), int(channels))


def pixel_format(encoding: str) -> PixelFormat:
    """The format behind any supported encoding name; raises ImageFormatError with the list of names."""
    found = COLOR_FORMATS.get(encoding) or plain_format(encoding)
    if found is None:
        names = ", ".join(sorted(COLOR_FORMATS))
        raise ImageFormatError(f"unknown encoding {encoding!r}; supported: {names}, and types such as 8UC3 or 32FC1")
    return found


def as_bytes(data: object) -> npt.NDArray[np.uint8]:
    """A uint8[N] view of any contiguous buffer (bytes, array.array, memoryview, ndarray)."""
    try:
        return np.frombuffer(memoryview(data).cast("B"), np.uint8)  # type: ignore[arg-type]
    except (TypeError, ValueError, BufferError) as error:
        raise ImageFormatError(f"image data is {type(data).__name__}, expected a contiguous buffer: {error}") from error


def raw_view(
    data: object, fmt: PixelFormat, *, width: int, height: int, step: int, is_bigendian: bool | int = False
) -> Array:
    """The image as it lies in memory, without copying.

    Returns:
        dtype[H, W] for one channel, dtype[H, W, C] for more, dtype[3H/2, W] for nv12 and nv21; rows are `step`
        bytes apart, elements in the byte order of the message. nv24 comes as uint8[3H, step], because its
        chroma rows are twice as long as its luma rows.

    Raises:
        ImageFormatError: zero size, a step shorter than a row, fewer bytes than step x rows, or a size that
            the chroma subsampling does not divide.
    """
    what = f"{fmt.encoding} image of {width}x{height}"
    if width <= 0 or height <= 0:
        raise ImageFormatError(f"{what}: the size is zero, expected at least 1x1")
    _check_subsampling(fmt, width, height, what)
    row_bytes = width * fmt.pixel_bytes
    if step < row_bytes:
        raise ImageFormatError(f"{what}: step is {step} bytes, expected at least {row_bytes} ({fmt.pixel_bytes}/pixel)")
    buffer = as_bytes(data)
    rows = fmt.rows(height)
    if buffer.size < rows * step:
        raise ImageFormatError(
            f"{what}: data holds {buffer.size} bytes, expected {rows * step} ({rows} rows of step {step}); truncated?"
        )
    dtype = fmt.dtype.newbyteorder(">" if is_bigendian else "<")
    if fmt.color == "nv24":
        return np.ndarray((rows, step), dtype, buffer=buffer, strides=(step, 1))
    shape = (rows, width) if fmt.channels == 1 else (rows, width, fmt.channels)
    strides = (step, fmt.pixel_bytes, dtype.itemsize)[: len(shape)]
    return np.ndarray(shape, dtype, buffer=buffer, strides=strides)


def _check_subsampling(fmt: PixelFormat, width: int, height: int, what: str) -> None:
    if fmt.color in ("uyvy", "yuyv", "nv12", "nv21") and width % 2:
        raise ImageFormatError(f"{what}: two pixels share their chroma, expected an even width")
    if fmt.color in ("nv12", "nv21") and height % 2:
        raise ImageFormatError(f"{what}: two rows share their chroma, expected an even height")
    if fmt.color in _BAYER and (width < 3 or height < 3):
        raise ImageFormatError(f"{what}: too small to interpolate the Bayer pattern, expected at least 3x3")
