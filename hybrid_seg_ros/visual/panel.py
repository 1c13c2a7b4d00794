"""Camera, semantic, anomaly and mask side by side, and sheets of many such panels."""

from collections.abc import Sequence

import cv2
import numpy as np

from hybrid_seg_ros.bundle.manifest import ClassInfo
from hybrid_seg_ros.visual.colors import Bgr, colorize_labels, heat_limits, heat_map
from hybrid_seg_ros.visual.overlay import Segmented, paint_obstacles
from hybrid_seg_ros.visual.tiles import GAP, canvas, captioned, fitted, grid, legend, write

_BAR = 8


def panel(
    image: Bgr,
    segmentation: Segmented,
    classes: Sequence[ClassInfo],
    threshold: float | None = None,
    *,
    title: str = "",
    limits: tuple[float, float] | None = None,
    columns: int = 2,
    tile_width: int = 480,
) -> Bgr:
    """Four tiles: camera, classes, anomaly score, and the obstacle mask on the dimmed camera image.

    Args:
        image: uint8[H, W, 3], BGR.
        segmentation: outputs of any one size; a tile whose output is None says so.
        classes: the class table; it also makes the legend under the tiles.
        threshold: where the heat scale has its middle; that of the segmentation when None.
        title: written above the first tile.
        limits: (lo, hi) of the heat scale; `heat_limits(threshold)` when None. Keep it constant in a video.
        columns: 2 for a square, 4 for a row.
        tile_width: px; the height follows from the image.

    Returns:
        uint8[h, w, 3], BGR; the same size for every image of one size.
    """
    tau = segmentation.threshold if threshold is None else threshold
    lo, hi = limits or heat_limits(tau)
    width, height = tile_width, max(1, round(tile_width * image.shape[0] / image.shape[1]))
    missing = canvas(width, height)
    write(missing, "not computed", 8, height // 2)

    labels, score, mask = segmentation.labels, segmentation.score, segmentation.mask
    camera = fitted(image, width, height)
    semantic = missing if labels is None else _nearest(colorize_labels(labels, classes), width, height)
    heat = missing if score is None else _with_scale(heat_map(fitted(score, width, height), lo, hi), lo, hi, tau)
    obstacles = missing
    if mask is not None:
        obstacles = _dimmed(camera)
        # any obstacle pixel of the cell counts: small obstacles must not vanish in a small picture
        paint_obstacles(obstacles, _covering(mask, width, height))
    tiles = [
        captioned(camera, title or "camera"),
        captioned(semantic, "classes"),
        captioned(heat, f"anomaly score, {lo:.3g} to {hi:.3g}"),
        captioned(obstacles, f"obstacles: score > {tau:.4g}"),
    ]
    body = grid(tiles, columns)
    return np.vstack([body, canvas(body.shape[1], GAP), legend(classes, body.shape[1])])


def contact_sheet(panels: Sequence[Bgr], *, columns: int = 2, width: int = 1920) -> Bgr:
    """Many pictures on one sheet of about `width` px: each scaled to its column, cells as tall as the first picture.

    Raises:
        ValueError: no pictures.
    """
    if not panels:
        raise ValueError("a contact sheet needs at least one picture, found none")
    columns = min(columns, len(panels))
    cell = (width - (columns - 1) * GAP) // columns
    height = max(1, round(cell * panels[0].shape[0] / panels[0].shape[1]))
    return grid([fitted(picture, cell, height) for picture in panels], columns)


def _nearest(picture: Bgr, width: int, height: int) -> Bgr:
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)


def _dimmed(picture: Bgr) -> Bgr:
    gray = cv2.convertScaleAbs(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), alpha=0.5)
    return np.asarray(cv2.cvtColor(gray, cv2.COLOR_GRAY2BGR), np.uint8)


def _covering(mask: Bgr, width: int, height: int) -> Bgr:
    coverage = cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA)
    return np.where(coverage > 0, np.uint8(255), np.uint8(0))


def _with_scale(heat: Bgr, lo: float, hi: float, tau: float) -> Bgr:
    """The heat map with its colour scale along the lower edge and a tick at the threshold."""
    height, width = heat.shape[:2]
    if height <= 4 * _BAR:
        return heat
    out = heat.copy()
    ramp = np.linspace(lo, hi, width, dtype=np.float32)[None].repeat(_BAR, axis=0)
    out[-_BAR:] = heat_map(ramp, lo, hi)
    out[-_BAR - 1] = 255
    at = round((tau - lo) / (hi - lo) * (width - 1))
    if 0 <= at < width:
        out[-_BAR - 5 :, max(0, at - 1) : at + 1] = 255
    return out
