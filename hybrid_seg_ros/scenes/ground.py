"""The ground plane, pixel by pixel: asphalt, lane markings, kerbs, pavement, grass; colour, depth and labels."""

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.scenes.classes import PAVEMENT, ROAD, TREE
from hybrid_seg_ros.scenes.patch import Canvas
from hybrid_seg_ros.scenes.road import GRASS, KERB_M, SIDE_ROAD, Road
from hybrid_seg_ros.scenes.surfaces import TEXELS_PER_M, TILE_M, Pyramid, asphalt, grass, slabs
from hybrid_seg_ros.scenes.view import View
from hybrid_seg_ros.scenes.weather import Weather

Floats = npt.NDArray[np.float32]

FAR_M = 700.0
"""Depth of the last row of ground."""


class GroundMap(NamedTuple):
    """Where the ground pixels lie.

    Attributes:
        top: first image row that holds ground.
        x: float32[h, W] world x, m, of rows top and below.
        d: float32[h, W] distance from the road's centre line, m.
        depth: float32[h, W] m along the optical axis; 0 where the pixel is above the horizon.
    """

    top: int
    x: Floats
    d: Floats
    depth: Floats


def map_ground(view: View, rays: Floats, road: Road) -> GroundMap | None:
    """Intersect the pixels' rays with z = 0; None when no pixel sees the ground."""
    height = np.float32(view.position[2])
    down = -rays[..., 2]
    seen = down * np.float32(FAR_M) > height
    rows = np.flatnonzero(seen.any(axis=1))
    if rows.size == 0:
        return None
    top = int(rows[0])
    depth = np.where(seen[top:], height / np.maximum(down[top:], height / np.float32(FAR_M)), np.float32(0.0))
    x = np.float32(view.position[0]) + depth * rays[top:, :, 0]
    y = np.float32(view.position[1]) + depth * rays[top:, :, 1]
    return GroundMap(top, x, y - road.centres(x), depth.astype(np.float32))


def paint_ground(canvas: Canvas, view: View, ground: GroundMap, road: Road, weather: Weather) -> None:
    """Paint every ground pixel of the canvas under open sky (shadows come after)."""
    top, x, d, depth = ground
    across = np.maximum(depth / np.float32(view.camera.fx), np.float32(1e-4))
    along = np.maximum(depth * depth / np.float32(view.camera.fy * view.position[2]), np.float32(1e-4))
    asphalt_tile, slab_tile, grass_tile = (make(road.surface_seed) for make in (asphalt, slabs, grass))
    half = np.float32(road.half_width)
    reach = np.abs(d)
    left = d > 0
    verge = np.where(left, road.verges[0][road.cell(x)], road.verges[1][road.cell(x)])
    pavement_edge = np.where(left, half + np.float32(road.pavements[0]), half + np.float32(road.pavements[1]))
    mouth = verge == SIDE_ROAD
    on_grass = (verge == GRASS) & (reach > pavement_edge)

    stone = _sample(asphalt_tile, x, d, along, across)
    worn = 1.0 + 0.05 * np.cos(np.clip((reach - half * 0.5) / half * 2.0, -1, 1) * np.float32(np.pi) * 2.0)
    lane = (stone * worn)[..., None] * np.asarray(road.tone, np.float32)
    _mark(lane, stone, ground, road, across, along)
    side = _sample(slab_tile, x, d, along, across)[..., None] * np.asarray(road.pavement_tone, np.float32)
    if on_grass.any():
        turf = _sample(grass_tile, x, d, along, across)[..., None] * np.asarray(road.grass_tone, np.float32)
        side = np.where(on_grass[..., None], turf, side)
    kerb = _step(reach, half, across) - _step(reach, half + KERB_M, across)
    kerb_tone = np.asarray(road.pavement_tone, np.float32) * np.float32(1.18)
    side += (kerb * (1.0 - mouth))[..., None] * (kerb_tone * stone[..., None] - side)
    gutter = np.exp(-np.square((reach - half) / np.float32(0.18))) * 0.35 * (reach < half)
    lane *= (1.0 - gutter)[..., None]
    outside = (_step(reach, half, across) * (1.0 - mouth))[..., None]
    lane += outside * (side - lane)
    factor = weather.light.diffuse((0.0, 0.0, 1.0)) * np.float32(255.0 * (1.0 - 0.35 * weather.wetness))
    seen = depth > 0
    window = np.s_[top:]
    np.copyto(canvas.colour[window], lane * factor, where=seen[..., None])
    np.copyto(canvas.depth[window], depth, where=seen)
    labels = np.where((reach <= half) | mouth, np.uint8(ROAD), np.uint8(PAVEMENT))
    labels[on_grass] = TREE
    np.copyto(canvas.labels[window], labels, where=seen)


def _step(value: Floats, edge: float | Floats, width: Floats) -> Floats:
    """Share of a pixel of the given width that lies beyond an edge."""
    return np.asarray(np.clip((value - edge) / width + np.float32(0.5), 0.0, 1.0), np.float32)


def _dashes(x: Floats, period: float, dash: float, width: Floats) -> Floats:
    """Share of a pixel that lies on dashes: a pulse train averaged over the pixel's footprint."""

    def integral(at: Floats) -> Floats:
        turns = np.floor(at / np.float32(period))
        return np.asarray(turns * dash + np.minimum(at - turns * np.float32(period), np.float32(dash)), np.float32)

    w = np.maximum(width, np.float32(0.02))
    return np.asarray((integral(x + w / 2) - integral(x - w / 2)) / w, np.float32)


def _band(d: Floats, middle: float, wide: float, across: Floats) -> Floats:
    """Share of a pixel that lies on a lengthwise line."""
    low, high = np.float32(middle - wide / 2), np.float32(middle + wide / 2)
    part = np.minimum(d + across / 2, high) - np.maximum(d - across / 2, low)
    return np.asarray(np.clip(part / across, 0.0, 1.0), np.float32)


def _mark(lane: Floats, stone: Floats, ground: GroundMap, road: Road, across: Floats, along: Floats) -> None:
    """Lay worn paint on the asphalt."""
    x, d = ground.x, ground.d
    white = np.asarray((0.72, 0.74, 0.74), np.float32)
    yellow = np.asarray((0.22, 0.52, 0.62), np.float32)
    worn = np.clip(1.9 - stone * 1.05, 0.35, 0.92)
    cover = np.zeros_like(d)
    if road.marking == "dashes":
        cover = _band(d, 0.0, 0.12, across) * _dashes(x, 6.0, 3.2, along)
    elif road.marking == "solid":
        cover = np.maximum(_band(d, -0.12, 0.10, across), _band(d, 0.12, 0.10, across))
    elif road.marking == "lanes":
        quarter = road.half_width / 2
        cover = _band(d, 0.0, 0.12, across)
        for offset in (-quarter, quarter):
            cover = np.maximum(cover, _band(d, offset, 0.12, across) * _dashes(x, 9.0, 3.0, along))
    for at in road.crossings:
        zebra = _step(x, np.float32(at), along) - _step(x, np.float32(at + 2.6), along)
        if zebra.any():
            stripes = _dashes(d + np.float32(100.0), 1.1, 0.55, across) * (np.abs(d) < road.half_width - 0.3)
            cover = cover * (1.0 - zebra) + zebra * stripes
    paint = (cover * worn)[..., None]
    lane += paint * (white - lane)
    reach = np.abs(d)
    for k in range(road.edge_lines):
        line = _band(reach, road.half_width - 0.28 - 0.20 * k, 0.09, across)
        lane += (line * worn)[..., None] * ((yellow if road.edge_yellow else white) - lane)


def _sample(pyramid: Pyramid, x: Floats, d: Floats, along: Floats, across: Floats) -> Floats:
    """Look a tile up, in bands of rows that share a minified version."""
    footprint = np.sqrt(along * across).max(axis=1) * np.float32(TEXELS_PER_M)
    levels = np.clip(np.round(np.log2(np.maximum(footprint, 1.0))), 0, len(pyramid) - 1).astype(int)
    result = np.empty_like(x)
    edges = np.flatnonzero(np.diff(levels, prepend=-1, append=-1))
    for low, high in zip(edges[:-1], edges[1:], strict=True):
        tile = pyramid[levels[low]]
        texels = np.float32(tile.shape[0] / TILE_M)
        size = np.float32(tile.shape[0])
        u = np.mod(x[low:high] * texels, size)
        v = np.mod(d[low:high] * texels, size)
        result[low:high] = cv2.remap(tile, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    return result
