"""A camera image as it lies in its message: decoded where it is needed, on the CPU or on the device."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.frames.color import recolor, to_8bit
from hybrid_seg_ros.frames.pixel_format import Array, PixelFormat


@dataclass(frozen=True)
class RawImage:
    """One sensor_msgs/Image that was found to be what it claims.

    Attributes:
        data: uint8[rows, step], the message's bytes, chroma rows included; a view.
        view: the same in the encoding's own elements, see `pixel_format.raw_view`.
        format: what the bytes mean.
        width: px.
        height: px.
    """

    data: npt.NDArray[np.uint8]
    view: Array
    format: PixelFormat
    width: int
    height: int

    @property
    def step(self) -> int:
        """Bytes from row to row."""
        return int(self.data.shape[1])

    @cached_property
    def bgr(self) -> npt.NDArray[np.uint8]:
        """uint8[H, W, 3], BGR, converted when first asked for; a read-only view of the message for bgr8."""
        raw = to_8bit(self.view) if self.view.dtype.itemsize == 2 else self.view
        bgr = recolor(raw, self.format.color, "bgr", width=self.width)
        if bgr is raw:
            bgr = raw.view()
            bgr.flags.writeable = False
        return bgr

    @property
    def glimpse(self) -> npt.NDArray[np.uint8]:
        """uint8[h, w] or uint8[h, w, 3], about how bright the image is where; a view, but for 16-bit encodings.

        For monitors, to which exact colours are nothing and a conversion of every image is much: the luma plane, the
        channels in the order of the message, or the green pixels of every other row of a Bayer pattern.
        """
        if self.view.dtype.itemsize == 2 or self.format.color == "":
            return self.bgr
        return self._bright

    def sparse(self, rows: int, columns: int) -> npt.NDArray[np.uint8]:
        """uint8[h, w], a few of the places of `glimpse`, their middle channel, for who looks at every image.

        Args:
            rows: of them, where there are so many; up to twice as many come.
            columns: likewise.
        """
        plane = self._bright[..., 1] if self._bright.ndim == 3 else self._bright
        few = plane[:: max(1, plane.shape[0] // rows), :: max(1, plane.shape[1] // columns)]
        return to_8bit(few) if few.dtype.itemsize == 2 else np.ascontiguousarray(few)

    @property
    def _bright(self) -> Array:
        """What tells brightness, in the elements of the message; a view."""
        color, view = self.format.color, self.view
        if color.startswith("bayer"):
            green = 1 if color in ("bayer_rggb", "bayer_bggr") else 0
            return np.asarray(view[::2, green::2])
        if color in ("uyvy", "yuyv"):
            return np.asarray(view[..., 1 if color == "uyvy" else 0])
        if color.startswith("nv"):
            return np.asarray(view[: self.height, : self.width])
        return np.asarray(view[..., :3] if view.ndim == 3 else view)
