"""The camera image with what the detector saw on it."""

from collections.abc import Sequence
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.bundle.manifest import ClassInfo
from hybrid_seg_ros.visual.colors import Bgr, colorize_labels

OBSTACLE = (255, 0, 255)
"""BGR of obstacle pixels: magenta is rare on roads and in class tables."""
OBSTACLE_EDGE = (255, 255, 255)


class Segmented(Protocol):
    """What is drawn of a `detector.Segmentation`; arrays are H x W of one size, None where not computed."""

    @property
    def labels(self) -> npt.NDArray[np.uint8] | None:
        """Class ids."""
        ...

    @property
    def score(self) -> npt.NDArray[np.float32] | None:
        """Anomaly score, higher = more anomalous."""
        ...

    @property
    def mask(self) -> npt.NDArray[np.uint8] | None:
        """255 on obstacles, else 0."""
        ...

    @property
    def threshold(self) -> float:
        """The threshold that made `mask`."""
        ...


def overlay(image: Bgr, segmentation: Segmented, classes: Sequence[ClassInfo], *, alpha: float = 0.4) -> Bgr:
    """Class colours over the image, obstacles in magenta with a white edge.

    Args:
        image: uint8[H, W, 3], BGR; not changed.
        segmentation: of any size (stretched to the image); outputs that are None are not drawn.
        classes: the class table.
        alpha: share of the class colour, 0..1.

    Returns:
        uint8[H, W, 3], BGR, a new array.
    """
    out = image.copy()
    if segmentation.labels is not None:
        colors = _stretched(colorize_labels(segmentation.labels, classes), out)
        out = np.asarray(cv2.addWeighted(out, 1.0 - alpha, colors, alpha, 0.0), np.uint8)
    if segmentation.mask is not None:
        paint_obstacles(out, segmentation.mask)
    return out


def paint_obstacles(image: Bgr, mask: npt.NDArray[np.uint8]) -> None:
    """Paint obstacle pixels into uint8[H, W, 3] in place: 70 % magenta, edge white."""
    mask = _stretched(mask, image)
    left, top, width, height = cv2.boundingRect(mask)
    if width == 0:
        return
    window = (slice(max(0, top - 1), top + height + 1), slice(max(0, left - 1), left + width + 1))
    seen, inside = image[window], mask[window]
    flat = np.empty_like(seen)
    flat[:] = OBSTACLE
    cv2.copyTo(cv2.addWeighted(seen, 0.3, flat, 0.7, 0.0), inside, seen)
    flat[:] = OBSTACLE_EDGE
    cv2.copyTo(flat, cv2.subtract(cv2.dilate(inside, np.ones((3, 3), np.uint8)), inside), seen)


def _stretched(array: npt.NDArray[np.uint8], image: Bgr) -> npt.NDArray[np.uint8]:
    if array.shape[:2] == image.shape[:2]:
        return array
    size = image.shape[1], image.shape[0]
    return np.asarray(cv2.resize(array, size, interpolation=cv2.INTER_NEAREST), np.uint8)
