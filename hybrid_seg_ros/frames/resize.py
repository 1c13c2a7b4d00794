"""Resizing an image into the network input: one rule for the node, training and evaluation."""

import cv2
import numpy as np
import numpy.typing as npt


def resize_image(image: npt.NDArray[np.uint8], size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """Resize by halving while a side shrinks to half or less, then bilinearly.

    Bilinear sampling alone would skip source pixels below half size and turn fine texture into noise; area averaging
    by an odd factor costs ten times as much. Every step maps the whole image onto the whole image with half-pixel
    centres, so geometry is that of one bilinear resize.

    Args:
        image: uint8[H, W, 3]; may be strided and read-only.
        size: (width, height) wanted, px.

    Returns:
        uint8[height, width, 3]; the image itself when it has that size already.
    """
    height, width = image.shape[:2]
    while width >= 2 * size[0] or height >= 2 * size[1]:
        width = (width + 1) // 2 if width >= 2 * size[0] else width
        height = (height + 1) // 2 if height >= 2 * size[1] else height
        image = _bilinear(image, (width, height))
    return image if (width, height) == size else _bilinear(image, size)


def _bilinear(image: npt.NDArray[np.uint8], size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), np.uint8)
