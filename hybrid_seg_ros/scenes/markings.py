"""Painted lines, averaged exactly over a pixel's footprint so that they fade instead of flickering."""

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.scenes.road import Road

Floats = npt.NDArray[np.float32]

_ZEBRA_M = 2.6


def step(value: Floats, edge: float | np.float32, width: Floats) -> Floats:
    """Share of a pixel of the given width that lies beyond an edge."""
    return np.asarray(np.clip((value - edge) / width + np.float32(0.5), 0.0, 1.0), np.float32)


def dashes(x: Floats, period: float, dash: float, width: Floats) -> Floats:
    """Share of a pixel that lies on dashes: a pulse train averaged over the pixel's width."""

    def integral(at: Floats) -> Floats:
        turns = np.floor(at * np.float32(1.0 / period))
        return np.asarray(turns * dash + np.minimum(at - turns * np.float32(period), np.float32(dash)), np.float32)

    half = np.asarray(np.maximum(width, np.float32(0.02)) / 2, np.float32)
    return np.asarray((integral(np.asarray(x + half)) - integral(np.asarray(x - half))) / (2 * half), np.float32)


def band(d: Floats, middle: float, wide: float, width: Floats) -> Floats:
    """Share of a pixel that lies on a lengthwise line."""
    low, high = np.float32(middle - wide / 2), np.float32(middle + wide / 2)
    part = np.minimum(d + width / 2, high) - np.maximum(d - width / 2, low)
    return np.asarray(np.clip(part / width, 0.0, 1.0), np.float32)


def lane_lines(x: Floats, d: Floats, road: Road, across: Floats, along: Floats) -> Floats:
    """Share of each ground pixel under the white paint of lanes and zebra crossings.

    Args:
        x: along the road, m.
        d: from its centre line, m.
        road: what is painted.
        across: width of a pixel across the road, m.
        along: length of a pixel along the road, m.
    """
    cover = np.zeros_like(d)
    if road.marking == "dashes":
        cover = band(d, 0.0, 0.12, across) * dashes(x, 6.0, 3.2, along)
    elif road.marking == "solid":
        cover = np.maximum(band(d, -0.12, 0.10, across), band(d, 0.12, 0.10, across))
    elif road.marking == "lanes":
        cover = band(d, 0.0, 0.12, across)
        for offset in (-road.half_width / 2, road.half_width / 2):
            cover = np.maximum(cover, band(d, offset, 0.12, across) * dashes(x, 9.0, 3.0, along))
    nearest, farthest = float(x.min()), float(x.max())
    for at in road.crossings:
        if not nearest - _ZEBRA_M < at < farthest:
            continue
        zebra = step(x, np.float32(at), along) - step(x, np.float32(at + _ZEBRA_M), along)
        stripes = dashes(d + np.float32(100.0), 1.1, 0.55, across) * (np.abs(d) < road.half_width - 0.3)
        cover = cover * (1.0 - zebra) + zebra * stripes
    return np.asarray(cover, np.float32)


def kerb_lines(reach: Floats, road: Road, across: Floats) -> Floats:
    """Share of each ground pixel under the lines along the kerbs; `reach` is |d|, m."""
    cover = np.zeros_like(reach)
    for k in range(road.edge_lines):
        cover += band(reach, road.half_width - 0.28 - 0.20 * k, 0.09, across)
    return cover
