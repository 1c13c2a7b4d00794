"""One image on its way through the detector."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.frames.camera import CameraModel
from hybrid_seg_ros.frames.raw import RawImage


@dataclass(frozen=True, slots=True)
class Frame:
    """One acquired image.

    Attributes:
        pixels: uint8[H, W, 3], BGR, perhaps a read-only strided view of the message buffer; or the image as it lies
            in its message, for detectors that take it so.
        stamp_ns: acquisition time, ns; carried bit for bit to every output.
        frame_id: TF frame of the camera's optical centre.
        camera: intrinsics for exactly this image size, or None when unknown.
    """

    pixels: npt.NDArray[np.uint8] | RawImage
    stamp_ns: int = 0
    frame_id: str = ""
    camera: CameraModel | None = None

    @property
    def image(self) -> npt.NDArray[np.uint8]:
        """uint8[H, W, 3], BGR; may be read-only and strided."""
        return self.pixels.bgr if isinstance(self.pixels, RawImage) else self.pixels

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        if isinstance(self.pixels, RawImage):
            return self.pixels.width, self.pixels.height
        return self.pixels.shape[1], self.pixels.shape[0]

    @property
    def glimpse(self) -> npt.NDArray[np.uint8]:
        """uint8[h, w] or uint8[h, w, 3] for monitors, see `RawImage.glimpse`."""
        return self.pixels.glimpse if isinstance(self.pixels, RawImage) else self.pixels
