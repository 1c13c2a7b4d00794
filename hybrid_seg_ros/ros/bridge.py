"""Between ROS image messages and arrays, under the names cv_bridge gave them.

    from hybrid_seg_ros.ros.bridge import cv2_to_imgmsg, imgmsg_to_cv2

Same contract as cv_bridge, plus nv12, nv21, nv24, uyvy and yuyv, padded rows and NumPy 2; no compiled part.
Reading does not copy where the message already holds what is asked for. Writing goes through
`array.array.frombytes`: assigning an ndarray or bytes to `data` makes rclpy check every byte, 0.5 s for 6 MB.
"""

import sys
from collections.abc import Collection

import numpy as np
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from hybrid_seg_ros.frames import Frame
from hybrid_seg_ros.frames.color import convert, native
from hybrid_seg_ros.frames.compressed import decode_compressed, decode_unchanged
from hybrid_seg_ros.frames.encodings import raw_image
from hybrid_seg_ros.frames.pixel_format import Array, ImageFormatError, PixelFormat, pixel_format, raw_view

__all__ = [
    "ImageFormatError",
    "compressed_imgmsg_to_cv2",
    "cv2_to_imgmsg",
    "frame_from_compressed",
    "frame_from_image",
    "imgmsg_to_cv2",
    "stamp_to_ns",
]

_TYPE_NAMES = {
    "uint8": "8U",
    "int8": "8S",
    "uint16": "16U",
    "int16": "16S",
    "int32": "32S",
    "float32": "32F",
    "float64": "64F",
}
_DECODED = {1: "mono", 3: "bgr", 4: "bgra"}


def imgmsg_to_cv2(img_msg: Image, desired_encoding: str = "passthrough") -> Array:
    """The message's image as an array.

    Args:
        img_msg: sensor_msgs/Image.
        desired_encoding: "passthrough" keeps element type and channels; else mono, bgr, rgb, bgra or rgba with
            8 or 16 bits (between 8 and 16 bits white stays white), or a plain type (8UC3, 32FC1, ...) with the same
            number of channels.

    Returns:
        dtype[H, W] or dtype[H, W, C]: a view of the message (writable where its buffer is) when nothing has
        to be converted. nv12 and nv21 pass through as uint8[3H/2, W], nv24 as uint8[3H, step].

    Raises:
        ImageFormatError: a damaged message, an unknown encoding, or a conversion that makes no sense.
    """
    source = pixel_format(img_msg.encoding)
    raw = raw_view(
        img_msg.data,
        source,
        width=img_msg.width,
        height=img_msg.height,
        step=img_msg.step,
        is_bigendian=img_msg.is_bigendian,
    )
    if desired_encoding == "passthrough":
        return native(raw)
    return convert(raw, source, pixel_format(desired_encoding), width=img_msg.width)


def compressed_imgmsg_to_cv2(cmprs_img_msg: CompressedImage, desired_encoding: str = "passthrough") -> Array:
    """A JPEG or PNG message as an array; "passthrough" keeps depth and channels of the file (BGR order).

    Raises:
        ImageFormatError: as `imgmsg_to_cv2`, or a file that is truncated, damaged or too large.
    """
    image = decode_unchanged(cmprs_img_msg.data, cmprs_img_msg.format)
    if desired_encoding == "passthrough":
        return image
    channels = 1 if image.ndim == 2 else image.shape[2]
    source = pixel_format(f"{_DECODED[channels]}{8 * image.dtype.itemsize}")
    return convert(image, source, pixel_format(desired_encoding), width=image.shape[1])


def cv2_to_imgmsg(cvim: Array, encoding: str = "passthrough", header: Header | None = None) -> Image:
    """A message holding the array's bytes as they are; nothing is converted.

    Args:
        cvim: dtype[H, W] or dtype[H, W, C] (nv12 and nv21: uint8[3H/2, W]).
        encoding: what the numbers mean; "passthrough" names the plain type ("8UC3", "32FC1").
        header: of the message.

    Raises:
        ImageFormatError: the encoding needs another element type or number of channels, or the array is empty.
    """
    if not isinstance(cvim, np.ndarray):
        raise ImageFormatError(f"image is {type(cvim).__name__}, expected an ndarray")
    channels = 1 if cvim.ndim == 2 else cvim.shape[-1]
    type_name = f"{_TYPE_NAMES.get(cvim.dtype.name, cvim.dtype.name)}C{channels}"
    if cvim.ndim not in (2, 3) or cvim.size == 0 or cvim.dtype.name not in _TYPE_NAMES:
        raise ImageFormatError(
            f"image is {cvim.dtype}{list(cvim.shape)}, expected [H, W] or [H, W, C], not empty, of "
            f"{', '.join(_TYPE_NAMES)}"
        )
    fmt = pixel_format(type_name if encoding == "passthrough" else encoding)
    if (fmt.dtype, fmt.channels) != (cvim.dtype.newbyteorder("="), channels):
        raise ImageFormatError(f"encoding {encoding} needs {fmt.dtype} x {fmt.channels}, the image is {type_name}")
    message = Image(height=_height(fmt, cvim.shape[0]), width=cvim.shape[1], encoding=fmt.encoding)
    if header is not None:
        message.header = header
    pixels = np.ascontiguousarray(cvim)
    message.is_bigendian = int(pixels.dtype.byteorder == ">" or (sys.byteorder == "big" and pixels.dtype.isnative))
    message.step = pixels.nbytes // pixels.shape[0]  # strides of a single row may be anything
    message.data.frombytes(pixels.reshape(-1).view(np.uint8).data)
    return message


def _height(fmt: PixelFormat, rows: int) -> int:
    """Image height of an array of `rows` rows, the chroma plane of nv12, nv21 and nv24 taken off."""
    height = {"nv12": rows * 2 // 3, "nv21": rows * 2 // 3, "nv24": rows // 3}.get(fmt.color, rows)
    if fmt.rows(height) != rows:
        raise ImageFormatError(f"{fmt.encoding} image of {rows} rows: expected luma and chroma rows, a multiple of 3")
    return height


def stamp_to_ns(header: Header) -> int:
    """Acquisition time of a message, ns."""
    return int(header.stamp.sec) * 1_000_000_000 + int(header.stamp.nanosec)


def frame_from_image(msg: Image, raw: Collection[str] = ()) -> Frame:
    """A camera image of any encoding in `frames.encodings.ENCODINGS`, zero-copy for bgr8; without its camera.

    Args:
        msg: sensor_msgs/Image.
        raw: encodings that stay as they lie in the message, for detectors that convert them on a device.

    Raises:
        ImageFormatError: the image is not what it declares.
    """
    image = raw_image(
        msg.data,
        width=msg.width,
        height=msg.height,
        encoding=msg.encoding,
        step=msg.step,
        is_bigendian=msg.is_bigendian,
    )
    pixels = image if msg.encoding in raw else image.bgr
    return Frame(pixels, stamp_to_ns(msg.header), msg.header.frame_id)


def frame_from_compressed(msg: CompressedImage) -> Frame:
    """A JPEG or PNG camera image; otherwise as `frame_from_image`."""
    return Frame(decode_compressed(msg.data, msg.format), stamp_to_ns(msg.header), msg.header.frame_id)
