"""JPEG and PNG images of sensor_msgs/CompressedImage, as BGR.

OpenCV answers a damaged file with None, an exception or a half-grey picture, depending on version and
codec. So the container is walked first: size, completeness and kind are known before a pixel is decoded.
"""

import re
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.frames.color import to_8bit
from hybrid_seg_ros.frames.pixel_format import ImageFormatError, as_bytes

MAX_PIXELS = 1 << 26
"""Default limit of the declared size, px: 8192 x 8192. A small file may claim far more memory than there is."""

_JPEG_MAGIC = b"\xff\xd8\xff"
_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_CHANNELS_SWAPPED = re.compile(r"compressed rgb")


@dataclass(frozen=True, slots=True)
class Header:
    """What the container declares: codec ("jpeg" or "png"), size in px, bits per sample."""

    codec: str
    width: int
    height: int
    bits: int


def decode_compressed(data: object, format: str, *, max_pixels: int = MAX_PIXELS) -> npt.NDArray[np.uint8]:
    """One JPEG or PNG as BGR.

    Args:
        data: contiguous buffer with the whole file.
        format: "jpeg", "png", or image_transport's "bgr8; jpeg compressed bgr8". The bytes decide what the
            file is; the string only tells that a publisher has swapped the channels ("compressed rgb8").
        max_pixels: refuse files that declare more, px.

    Returns:
        uint8[H, W, 3], BGR, as the sensor saw it: an EXIF orientation is not applied, so that CameraInfo fits.

    Raises:
        ImageFormatError: not a JPEG or PNG, truncated, damaged or too large.
    """
    header = _admitted_header(data, format, max_pixels)
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    image = _imdecode(data, header, flags | (cv2.IMREAD_ANYDEPTH if header.bits == 16 else 0))
    if image.dtype == np.uint16:
        image = to_8bit(image)
    if _CHANNELS_SWAPPED.search(format):
        image = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    return image


def decode_unchanged(data: object, format: str, *, max_pixels: int = MAX_PIXELS) -> npt.NDArray[Any]:
    """One JPEG or PNG with its own depth and channels: uint8 or uint16, [H, W] or BGR[H, W, 3] or BGRA[H, W, 4].

    Raises:
        ImageFormatError: as `decode_compressed`.
    """
    return _imdecode(data, _admitted_header(data, format, max_pixels), cv2.IMREAD_UNCHANGED)


def read_header(data: object, format: str = "") -> Header:
    """What the file declares, once its container is known to be complete.

    Raises:
        ImageFormatError: not a JPEG or PNG, or cut off.
    """
    file = as_bytes(data).tobytes()
    if "compressedDepth" in format:
        raise ImageFormatError(f"format {format!r} is a depth image, but a colour camera is expected")
    if file.startswith(_JPEG_MAGIC):
        return _jpeg_header(file)
    if file.startswith(_PNG_MAGIC):
        return _png_header(file)
    raise ImageFormatError(
        f"compressed image of format {format!r} and {len(file)} bytes is neither JPEG nor PNG "
        f"(it begins with {file[:8].hex(' ') or 'nothing'})"
    )


def _admitted_header(data: object, format: str, max_pixels: int) -> Header:
    header = read_header(data, format)
    size = f"{header.codec} declares {header.width}x{header.height} px"
    if header.width <= 0 or header.height <= 0:
        raise ImageFormatError(f"{size}, expected at least 1x1")
    if header.width * header.height > max_pixels:
        raise ImageFormatError(f"{size}, more than the limit of {max_pixels} px")
    return header


def _imdecode(data: object, header: Header, flags: int) -> npt.NDArray[Any]:
    what = f"{header.codec} of {header.width}x{header.height} px"
    try:
        image = cv2.imdecode(as_bytes(data), flags)
    except cv2.error as error:
        raise ImageFormatError(f"{what} cannot be decoded: {error}") from error
    if image is None:
        raise ImageFormatError(f"{what} cannot be decoded: its data is damaged or of an unsupported kind")
    if image.shape[:2] != (header.height, header.width):
        raise ImageFormatError(f"{what} decodes to {image.shape[1]}x{image.shape[0]} px: its data is damaged")
    return image


def _jpeg_header(file: bytes) -> Header:
    """ITU-T T.81, B.1: marker segments up to the first scan; the scan must end with EOI."""
    frame: Header | None = None
    at = 2
    while at + 4 <= len(file):
        if file[at] != 0xFF:
            raise ImageFormatError(f"jpeg: expected a marker at byte {at}, found {file[at]:#04x}: its data is damaged")
        marker = file[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
            continue
        if marker == 0x01 or 0xD0 <= marker <= 0xD7:  # markers without a segment
            at += 2
            continue
        length = int.from_bytes(file[at + 2 : at + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC) and at + 9 <= len(file):  # SOFn
            height, width = (int.from_bytes(file[at + i : at + i + 2], "big") for i in (5, 7))
            frame = Header("jpeg", width, height, file[at + 4])
        if marker == 0xDA:  # SOS; inside a scan ff d9 can only be EOI
            if frame is None:
                raise ImageFormatError("jpeg: a scan without a frame header: its data is damaged")
            if file.rfind(b"\xff\xd9", at) < 0:
                raise ImageFormatError(f"jpeg is truncated: no end marker in {len(file)} bytes")
            return frame
        at += 2 + max(length, 2)
    raise ImageFormatError(f"jpeg is truncated: {len(file)} bytes end before the first scan")


def _png_header(file: bytes) -> Header:
    """PNG specification, section 5: chunks from IHDR to IEND."""
    if file[12:16] != b"IHDR" or len(file) < 33:
        raise ImageFormatError("png: the first chunk is not IHDR: its data is damaged or truncated")
    width, height = (int.from_bytes(file[i : i + 4], "big") for i in (16, 20))
    header = Header("png", width, height, bits=file[24])
    at = len(_PNG_MAGIC)
    while at + 12 <= len(file):
        if file[at + 4 : at + 8] == b"IEND":
            return header
        at += 12 + int.from_bytes(file[at : at + 4], "big")
    raise ImageFormatError(f"png is truncated: no IEND chunk in {len(file)} bytes")
