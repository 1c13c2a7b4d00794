"""Source image to network tensor: resize into place, normalise, channels first."""

import cv2
import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.bundle import NetworkInput
from hybrid_seg_ros.frames.geometry import Placement
from hybrid_seg_ros.frames.resize import resize_image


class Preprocessor:
    """Fills one tensor, made once, from images of any size.

    A function of the manifest and the image's size alone; letterbox padding is 0 after normalisation, the mean
    colour.
    """

    def __init__(self, spec: NetworkInput, network: tuple[int, int]) -> None:
        width, height = network
        self._tensor = np.zeros((1, 3, height, width), np.float32)
        # (pixel / 255 - mean) / std = pixel * scale + offset, per channel in the network's order.
        mean, std = np.asarray(spec.mean, np.float64), np.asarray(spec.std, np.float64)
        self._scale = (1 / (255 * std)).astype(np.float32)
        self._offset = (-mean / std).astype(np.float32)
        self._order = (2, 1, 0) if spec.color_order == "rgb" else (0, 1, 2)
        self._box = (0, 0, 0, 0)

    def __call__(self, image: npt.NDArray[np.uint8], placement: Placement) -> npt.NDArray[np.float32]:
        """Resize and normalise.

        Args:
            image: uint8[H, W, 3], BGR; may be strided and read-only.
            placement: where the image goes; of this image's size and this network's.

        Returns:
            float32[1, 3, h, w], valid until the next call.
        """
        left, top = placement.pad_left, placement.pad_top
        width, height = placement.content
        if (left, top, width, height) != self._box:
            self._tensor[...] = 0  # another camera's content may lie where this one's padding is
            self._box = (left, top, width, height)
        content = self._tensor[0, :, top : top + height, left : left + width]
        channels = cv2.split(resize_image(image, placement.content))
        for plane, channel, scale, offset in zip(content, self._order, self._scale, self._offset, strict=True):
            np.multiply(channels[channel], scale, out=plane, dtype=np.float32)
            plane += offset
        return self._tensor
