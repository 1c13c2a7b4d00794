"""One place of an image in a row: where it is, what is there, the score, the mask and the truth."""

import cv2
import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.visual.colors import Bgr, heat_map
from hybrid_seg_ros.visual.overlay import paint_obstacles
from hybrid_seg_ros.visual.tiles import captioned, fitted, grid

Box = tuple[int, int, int, int]
"""x, y, width, height, px."""

TRUTH = (0, 200, 255)
"""BGR of the anomalies of the truth."""
MARK = (255, 255, 255)
_VOID = (96, 96, 96)
_TILE_WIDTH = 320
# The least share of the image's sides that a close-up shows, and how much it shows around the place.
_LEAST, _MARGIN = 0.2, 1.0


def strip(
    image: Bgr,
    score: npt.NDArray[np.float32],
    truth: npt.NDArray[np.uint8],
    box: Box,
    *,
    threshold: float,
    limits: tuple[float, float],
) -> Bgr:
    """Five tiles: the image with the close-up's frame, then the close-up as image, heat map, mask and truth.

    Args:
        image: uint8[H, W, 3], BGR.
        score: float32[H, W].
        truth: uint8[H, W], 0 known, 1 anomaly, else void.
        box: what the close-up is made around.
        threshold: of the mask.
        limits: (lo, hi) of the heat map.

    Returns:
        uint8[h, w, 3], BGR.
    """
    left, top, width, height = window = close_up(box, (image.shape[1], image.shape[0]))
    part = slice(top, top + height), slice(left, left + width)
    size = _TILE_WIDTH, max(1, round(_TILE_WIDTH * image.shape[0] / image.shape[1]))

    def tile(picture: Bgr, caption: str) -> Bgr:
        return captioned(fitted(picture, *size), caption)

    seen = np.ascontiguousarray(image[part])
    mask = seen.copy()
    paint_obstacles(mask, np.where(score[part] > np.float32(threshold), np.uint8(255), np.uint8(0)))
    heat = heat_map(np.ascontiguousarray(score[part]), *limits)
    return grid(
        [
            tile(_framed(image, window), "camera"),
            tile(seen, "close-up"),
            tile(heat, f"score, {limits[0]:.3g} to {limits[1]:.3g}"),
            tile(mask, f"mask: score > {threshold:.4g}"),
            tile(_true(seen, truth[part]), "truth; gray: void"),
        ],
        5,
    )


def close_up(box: Box, size: tuple[int, int]) -> Box:
    """A window of the image's shape around a box: its size again on each side, and at least a fifth of the image."""
    share = max(_LEAST, *((1 + 2 * _MARGIN) * side / whole for side, whole in zip(box[2:], size, strict=True)))
    sides = [max(1, round(min(share, 1.0) * whole)) for whole in size]
    corner = [
        min(max(round(start + length / 2 - side / 2), 0), whole - side)
        for start, length, side, whole in zip(box[:2], box[2:], sides, size, strict=True)
    ]
    return corner[0], corner[1], sides[0], sides[1]


def _framed(image: Bgr, window: Box) -> Bgr:
    left, top, width, height = window
    out = image.copy()
    thickness = max(1, round(2 * image.shape[1] / _TILE_WIDTH))
    cv2.rectangle(out, (left, top), (left + width - 1, top + height - 1), MARK, thickness)
    return out


def _true(picture: Bgr, truth: npt.NDArray[np.uint8]) -> Bgr:
    out = (picture // 2).astype(np.uint8)
    out[truth == 1] = TRUTH
    out[truth > 1] = _VOID
    return out
