"""Conversions between pixel formats, by OpenCV, with cv_bridge's rules about which of them make sense."""

from types import MappingProxyType
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.frames.pixel_format import Array, ImageFormatError, PixelFormat

# OpenCV names a Bayer pattern by the second row's second and third pixel, ROS by the first row's first two:
# bayer_rggb is BayerBG (newer OpenCV calls it BayerRGGB as well; the old names exist everywhere).
_DIRECT = MappingProxyType(
    {
        ("gray", "bgr"): cv2.COLOR_GRAY2BGR,
        ("gray", "rgb"): cv2.COLOR_GRAY2RGB,
        ("gray", "bgra"): cv2.COLOR_GRAY2BGRA,
        ("gray", "rgba"): cv2.COLOR_GRAY2RGBA,
        ("bgr", "gray"): cv2.COLOR_BGR2GRAY,
        ("bgr", "rgb"): cv2.COLOR_BGR2RGB,
        ("bgr", "bgra"): cv2.COLOR_BGR2BGRA,
        ("bgr", "rgba"): cv2.COLOR_BGR2RGBA,
        ("rgb", "gray"): cv2.COLOR_RGB2GRAY,
        ("rgb", "bgr"): cv2.COLOR_RGB2BGR,
        ("rgb", "bgra"): cv2.COLOR_RGB2BGRA,
        ("rgb", "rgba"): cv2.COLOR_RGB2RGBA,
        ("bgra", "gray"): cv2.COLOR_BGRA2GRAY,
        ("bgra", "bgr"): cv2.COLOR_BGRA2BGR,
        ("bgra", "rgb"): cv2.COLOR_BGRA2RGB,
        ("bgra", "rgba"): cv2.COLOR_BGRA2RGBA,
        ("rgba", "gray"): cv2.COLOR_RGBA2GRAY,
        ("rgba", "bgr"): cv2.COLOR_RGBA2BGR,
        ("rgba", "rgb"): cv2.COLOR_RGBA2RGB,
        ("rgba", "bgra"): cv2.COLOR_RGBA2BGRA,
        ("bayer_rggb", "bgr"): cv2.COLOR_BayerBG2BGR,
        ("bayer_bggr", "bgr"): cv2.COLOR_BayerRG2BGR,
        ("bayer_gbrg", "bgr"): cv2.COLOR_BayerGR2BGR,
        ("bayer_grbg", "bgr"): cv2.COLOR_BayerGB2BGR,
        ("bayer_rggb", "gray"): cv2.COLOR_BayerBG2GRAY,
        ("bayer_bggr", "gray"): cv2.COLOR_BayerRG2GRAY,
        ("bayer_gbrg", "gray"): cv2.COLOR_BayerGR2GRAY,
        ("bayer_grbg", "gray"): cv2.COLOR_BayerGB2GRAY,
        ("uyvy", "bgr"): cv2.COLOR_YUV2BGR_UYVY,
        ("yuyv", "bgr"): cv2.COLOR_YUV2BGR_YUYV,
        ("uyvy", "gray"): cv2.COLOR_YUV2GRAY_UYVY,
        ("yuyv", "gray"): cv2.COLOR_YUV2GRAY_YUYV,
        ("nv12", "bgr"): cv2.COLOR_YUV2BGR_NV12,
        ("nv21", "bgr"): cv2.COLOR_YUV2BGR_NV21,
        ("nv12", "gray"): cv2.COLOR_YUV2GRAY_NV12,
        ("nv21", "gray"): cv2.COLOR_YUV2GRAY_NV21,
    }
)

# BT.601, limited range, the matrix OpenCV uses for the subsampled formats: [Y, U, V, 1] -> [B, G, R].
_BT601 = np.array([[1.164, 2.018, 0.0], [1.164, -0.391, -0.813], [1.164, 0.0, 1.596]])
_YUV_TO_BGR = np.hstack([_BT601, _BT601 @ np.array([[-16.0], [-128.0], [-128.0]])])


def recolor(raw: Array, source: str, target: str, *, width: int) -> Array:
    """Pixels of colour layout `source` as layout `target`, same element type.

    Args:
        raw: what `pixel_format.raw_view` returns.
        source: colour layout, `PixelFormat.color`.
        target: one of gray, bgr, rgb, bgra, rgba.
        width: image width, px (only nv24 needs it: its raw view is as wide as its step).

    Raises:
        ImageFormatError: there is no such conversion.
    """
    if source == target:
        return raw
    raw = native(raw)
    if source == "nv24":
        return _from_nv24(raw, target, width)
    code = _DIRECT.get((source, target))
    if code is not None:
        return cv2.cvtColor(raw, code)
    if (source, "bgr") not in _DIRECT or ("bgr", target) not in _DIRECT:
        raise ImageFormatError(f"there is no conversion from {source} to {target}")
    return cv2.cvtColor(cv2.cvtColor(raw, _DIRECT[source, "bgr"]), _DIRECT["bgr", target])


def _from_nv24(raw: Array, target: str, width: int) -> Array:
    rows, step = raw.shape
    luma = raw[: rows // 3, :width]
    if target == "gray":
        return luma
    chroma = raw[rows // 3 :].reshape(rows // 3, 2 * step)[:, : 2 * width].reshape(rows // 3, width, 2)
    bgr = cv2.transform(cv2.merge([luma, *cv2.split(chroma)]), _YUV_TO_BGR)
    return recolor(bgr, "bgr", target, width=width)


def native(raw: Array) -> Array:
    """The same numbers in this machine's byte order and aligned, copied only where they are not already."""
    if raw.dtype.isnative and raw.flags.aligned:
        return raw
    return np.require(raw, raw.dtype.newbyteorder("="), "A")


def rescale(image: Array, dtype: np.dtype[Any]) -> Array:
    """The image as `dtype`: 8 and 16 bit unsigned map white to white (x 257); all else keeps its numbers, clipped."""
    image = native(image)
    if image.dtype == dtype:
        return image
    if image.dtype == np.uint16 and dtype == np.uint8:
        return to_8bit(image)
    if image.dtype == np.uint8 and dtype == np.uint16:
        return image.astype(np.uint16) * np.uint16(257)
    if dtype.kind == "f":
        return image.astype(dtype)
    limits = np.iinfo(dtype)
    numbers = np.rint(np.nan_to_num(image)) if image.dtype.kind == "f" else image.astype(np.int64)
    clipped: Array = np.clip(numbers, limits.min, limits.max).astype(dtype)
    return clipped


def to_8bit(image: Array) -> npt.NDArray[np.uint8]:
    """uint16 -> uint8, round(v / 257): full scale stays full scale."""
    scaled: Array = cv2.convertScaleAbs(native(image), alpha=1.0 / 257.0)
    return scaled


def convert(raw: Array, source: PixelFormat, target: PixelFormat, *, width: int) -> Array:
    """`raw` in format `target`, by cv_bridge's rules: between colours anything, plain numbers only number by number.

    Raises:
        ImageFormatError: plain numbers asked for as colours, a channel count that differs, or a target that
            cannot be made (Bayer, YUV).
    """
    if source.color == target.color and source.dtype == target.dtype and source.channels == target.channels:
        return native(raw)
    if not source.color and target.color:
        raise ImageFormatError(f"{source.encoding} is no colour format but {target.encoding} is; ask for 'passthrough'")
    if not target.color:
        if source.channels != target.channels or source.color in ("nv12", "nv21", "nv24"):
            raise ImageFormatError(
                f"{source.encoding} has {source.channels} channel(s), {target.encoding} has {target.channels}: "
                "expected the same"
            )
        return rescale(raw, target.dtype)
    return rescale(recolor(raw, source.color, target.color, width=width), target.dtype)
