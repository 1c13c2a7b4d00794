"""One image on its way through the detector."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.frames.camera import CameraModel


@dataclass(frozen=True, slots=True)
class Frame:
    """One acquired image.

    Attributes:
        image: uint8[H, W, 3], BGR; may be a read-only strided view of the message buffer.
        stamp_ns: acquisition time, ns; carried bit for bit to every output.
        frame_id: TF frame of the camera's optical centre.
        camera: intrinsics for exactly this image size, or None when unknown.
    """

    image: npt.NDArray[np.uint8]
    stamp_ns: int = 0
    frame_id: str = ""
    camera: CameraModel | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.image.shape[1], self.image.shape[0]
