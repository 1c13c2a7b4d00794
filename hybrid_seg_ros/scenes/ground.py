"""The ground plane, pixel by pixel: asphalt, lane markings, kerbs, pavement, grass; colour, depth and labels."""

import itertools
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.scenes.classes import PAVEMENT, ROAD, TREE
from hybrid_seg_ros.scenes.markings import kerb_lines, lane_lines, step
from hybrid_seg_ros.scenes.patch import Canvas, Plane
from hybrid_seg_ros.scenes.road import GRASS, KERB_M, SIDE_ROAD, Road
from hybrid_seg_ros.scenes.surfaces import TEXELS_PER_M, TILE_M, Pyramid, ground_tiles
from hybrid_seg_ros.scenes.view import Rays, View
from hybrid_seg_ros.scenes.weather import Weather

Floats = npt.NDArray[np.float32]

FAR_M = 700.0
"""Depth of the last row of ground."""

_WHITE, _YELLOW = (0.72, 0.74, 0.74), (0.22, 0.52, 0.62)


class GroundMap(NamedTuple):
    """Where the ground pixels lie.

    Attributes:
        top: first image row that holds ground.
        x: float32[h, W] world x, m, of rows top and below.
        d: float32[h, W] distance from the road's centre line, m.
        depth: float32[h, W] m along the optical axis.
        seen: bool[h, W], False above the horizon, where x, d and depth mean nothing.
    """

    top: int
    x: Floats
    d: Floats
    depth: Floats
    seen: npt.NDArray[np.bool_]


def map_ground(view: View, rays: Rays, road: Road) -> GroundMap | None:
    """Intersect the pixels' rays with z = 0; None when no pixel sees the ground."""
    height = np.float32(view.position[2])
    steepest = height / np.float32(FAR_M)
    down = -rays[2]
    rows = np.flatnonzero(down.max(axis=1) > steepest)
    if rows.size == 0:
        return None
    top = int(rows[0])
    down = down[top:]
    seen = down > steepest
    depth = np.asarray(height / np.maximum(down, steepest), np.float32)
    x = np.asarray(np.float32(view.position[0]) + depth * rays[0, top:], np.float32)
    y = np.asarray(np.float32(view.position[1]) + depth * rays[1, top:], np.float32)
    return GroundMap(top, x, y - road.centres(x), depth, seen)


def ground_plane(view: View) -> Plane:
    """1 / depth of the ground as an affine function of the pixel, see Patch.plane."""
    c, r, height = view.camera, view.rotation, float(view.position[2])
    a, b = -r[0, 2] / (c.fx * height), -r[1, 2] / (c.fy * height)
    return float(a), float(b), float(-r[2, 2] / height - a * c.cx - b * c.cy)


def own_ground(canvas: Canvas, view: View, ground: GroundMap, road: Road) -> None:
    """Make road, pavement and grass the owners of the ground pixels."""
    plane = ground_plane(view)
    owners = np.array([canvas.add_owner(plane, label) for label in (ROAD, PAVEMENT, TREE)], np.uint16)
    verge, beyond = _verges(ground, road)
    kind = (np.abs(ground.d) > road.half_width) & (verge != SIDE_ROAD)
    owner = owners[kind.astype(np.uint8)]
    owner[(verge == GRASS) & beyond] = owners[2]
    np.copyto(canvas.owner[ground.top :], owner, where=ground.seen)


def ground_colour(view: View, ground: GroundMap, road: Road, weather: Weather, share: Floats) -> Floats:
    """BGR of the ground pixels in open daylight, float32[h, W, 3] 0..255.

    Args:
        view: the camera.
        ground: its ground pixels.
        road: what lies where.
        weather: daylight and wetness.
        share: float32[h, W], what shadows under things leave of the light.
    """
    _, x, d, depth, _ = ground
    across = np.maximum(depth * np.float32(1.0 / view.camera.fx), np.float32(1e-4))
    along = np.maximum(depth * depth * np.float32(1.0 / (view.camera.fy * view.position[2])), np.float32(1e-4))
    texture = _sample(ground_tiles(road.surface_seed), x, d, along, across)
    stone, slab, turf = (np.asarray(plane, np.float32) for plane in cv2.split(texture))
    half = np.float32(road.half_width)
    reach = np.abs(d)
    verge, beyond = _verges(ground, road)
    no_mouth = (verge != SIDE_ROAD).astype(np.float32)
    off_road = step(reach, half, across) * no_mouth
    kerb = off_road - step(reach, half + KERB_M, across) * no_mouth
    grass = ((verge == GRASS) & beyond).astype(np.float32)
    worn = np.clip(1.9 - 1.05 * stone, 0.35, 0.92)
    white = lane_lines(x, d, road, across, along) * worn
    edge = kerb_lines(reach, road, across) * worn * no_mouth
    tracks = 1.0 + 0.05 * np.cos((reach - half * 0.5) * np.float32(2.0 * np.pi / max(road.half_width, 1.0)))
    gutter = 1.0 - 0.35 * np.exp(-np.square((half - reach) * np.float32(5.5)))
    lane = (1.0 - off_road) * share
    bare = lane * (1.0 - white) * (1.0 - edge)
    side = (off_road - kerb) * share
    weights = np.stack([
        bare * stone * tracks * gutter, lane * white * (1.0 - edge), lane * edge,
        side * (1.0 - grass) * slab, kerb * share * stone, side * grass * turf,
    ])  # fmt: skip
    line = _YELLOW if road.edge_yellow else _WHITE
    kerb_tone = tuple(1.18 * c for c in road.pavement_tone)
    tones = np.array([road.tone, _WHITE, line, road.pavement_tone, kerb_tone, road.grass_tone], np.float32)
    factor = weather.light.diffuse((0.0, 0.0, 1.0)) * np.float32(255.0 * (1.0 - 0.35 * weather.wetness))
    planes = (tones * factor).T @ weights.reshape(len(weights), -1).astype(np.float32, copy=False)
    return np.asarray(cv2.merge(list(planes.reshape(3, *x.shape))), np.float32)


def _verges(ground: GroundMap, road: Road) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    """Verge kind per pixel, and whether the pixel lies beyond the pavement."""
    cell = (ground.x - np.float32(road.start)).astype(np.int32)
    np.clip(cell, 0, road.verges.shape[1] - 1, out=cell)
    right = ground.d <= 0
    verge = road.verges.ravel()[cell + right * np.int32(road.verges.shape[1])]
    left_edge, right_edge = (np.float32(road.half_width + w) for w in road.pavements)
    return verge, np.abs(ground.d) > np.where(right, right_edge, left_edge)


def _sample(pyramid: Pyramid, x: Floats, d: Floats, along: Floats, across: Floats) -> Floats:
    """Look the tiles up, float32[h, W, 3], in bands of rows that share a minified version."""
    footprint = np.sqrt(along * across).max(axis=1) * np.float32(TEXELS_PER_M)
    levels = np.clip(np.round(np.log2(np.maximum(footprint, 1.0))), 0, len(pyramid) - 1).astype(int)
    result = np.empty((*x.shape, 3), np.float32)
    scale = np.float32(1.0 / TILE_M)
    u, v = x * scale, d * scale
    u -= np.floor(u)
    v -= np.floor(v)
    edges = np.flatnonzero(np.diff(levels, prepend=-1, append=-1))
    for low, high in itertools.pairwise(edges.tolist()):
        tile = pyramid[levels[low]]
        size = np.float32(tile.shape[0] - 1)
        result[low:high] = cv2.remap(tile, u[low:high] * size, v[low:high] * size, cv2.INTER_LINEAR)
    return result
