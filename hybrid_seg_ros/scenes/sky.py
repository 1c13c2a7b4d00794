"""Sky, clouds, and the skyline where the street ends."""

import cv2
import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.scenes.classes import BUILDING, SKY, TREE
from hybrid_seg_ros.scenes.noise import Image, spectral_noise, stream
from hybrid_seg_ros.scenes.patch import Canvas
from hybrid_seg_ros.scenes.weather import Weather

Floats = npt.NDArray[np.float32]

_CELLS = 2048
_SKYLINE_M = 260.0


def cloud_tile(seed: int) -> Image:
    """Tileable cloud density, float32[256, 256], zero mean."""
    return spectral_noise(stream(seed, 31), 256, 256, 2.6)


def skyline(seed: int) -> tuple[Floats, npt.NDArray[np.uint8]]:
    """Elevation tangent and class of the far horizon, per azimuth cell [2048]: trees and roofs."""
    rng = stream(seed, 32)
    trees = 0.030 + 0.010 * spectral_noise(rng, 2, _CELLS, 1.6)[0] + 0.002 * spectral_noise(rng, 2, _CELLS, 0.3)[0]
    kind = np.full(_CELLS, TREE, np.uint8)
    height = np.asarray(np.maximum(trees, 0.012), np.float32)
    at = 0
    while at < _CELLS:
        wide = int(rng.integers(6, 40))
        if rng.random() < 0.45:
            height[at : at + wide] = np.float32(rng.uniform(0.02, 0.055))
            kind[at : at + wide] = BUILDING
        at += wide
    return height, kind


def paint_sky(canvas: Canvas, rays: Floats, weather: Weather, clouds: Image, horizon: Floats, kinds: Floats) -> None:
    """Paint everything above the ground plane: gradient, clouds, glow of the sun, and the skyline before it."""
    height, width = canvas.labels.shape
    steepness = rays[..., 2] / np.maximum(np.hypot(rays[..., 0], rays[..., 1]), np.float32(1e-6))
    rows = np.flatnonzero((steepness > -0.02).any(axis=1))
    if rows.size == 0:
        return
    bottom = int(rows[-1]) + 1
    steepness = steepness[:bottom]
    small = (max(width // 4, 1), max(bottom // 4, 1))
    coarse = np.asarray(cv2.resize(rays[:bottom], small, interpolation=cv2.INTER_AREA), np.float32)
    colour = _sky_colour(coarse.reshape(small[1], small[0], 3), weather, clouds)
    canvas.colour[:bottom] = cv2.resize(colour, (width, bottom), interpolation=cv2.INTER_LINEAR)
    canvas.labels[:bottom] = SKY

    azimuth = np.arctan2(rays[bottom - 1, :, 1], rays[bottom - 1, :, 0])
    place = np.mod(azimuth / np.float32(2 * np.pi) * _CELLS, _CELLS)
    cell = np.minimum(place.astype(np.intp), _CELLS - 1)
    tangent = np.interp(place, np.arange(_CELLS), horizon).astype(np.float32)
    pixel = np.abs(np.gradient(steepness.mean(axis=1))) if bottom > 1 else np.array([0.01])
    width_of_edge = np.float32(max(float(np.median(pixel)), 1e-5))
    cover = np.clip((tangent[None, :] - steepness) / width_of_edge + np.float32(0.5), 0.0, 1.0)
    kind = kinds[cell]
    lit = weather.light.diffuse((-0.5, 0.0, 0.86))
    tones = np.where(
        (kind == TREE)[:, None], np.asarray((0.16, 0.24, 0.20), np.float32), np.asarray((0.36, 0.38, 0.40), np.float32)
    )
    grain = 1.0 + 0.25 * np.sin(place * 12.9898) * np.sin(place * 3.7)
    dimmed = tones * grain[:, None].astype(np.float32) * lit * 255.0
    shade = cover[..., None]
    canvas.colour[:bottom] += shade * (dimmed[None] - canvas.colour[:bottom])
    solid = cover >= 0.5
    np.copyto(canvas.labels[:bottom], np.broadcast_to(kind, solid.shape).astype(np.uint8), where=solid)
    canvas.depth[:bottom][solid] = _SKYLINE_M


def _sky_colour(rays: Floats, weather: Weather, clouds: Image) -> Floats:
    up = rays[..., 2] / np.linalg.norm(rays, axis=2)
    climb = np.clip(up, 0.0, 1.0)[..., None] ** np.float32(0.55)
    low, high = np.asarray(weather.sky_low, np.float32), np.asarray(weather.sky_top, np.float32)
    colour = low * (1.0 - climb) + high * climb
    scale = np.float32(22.0)
    reach = scale / np.maximum(rays[..., 2], np.float32(0.04))
    u = np.mod(rays[..., 0] * reach, np.float32(256.0)).astype(np.float32)
    v = np.mod(rays[..., 1] * reach, np.float32(256.0)).astype(np.float32)
    field = cv2.remap(clouds, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    density = np.clip((field - np.float32(1.2 - 2.4 * weather.cloud)) * 0.8, 0.0, 1.0)
    density *= np.clip(up * 6.0, 0.15, 1.0)
    bright = 0.25 if weather.night else 1.0
    lit = np.asarray((0.99, 0.98, 0.97), np.float32) * np.float32(bright) * (low.mean() * 0.6 + 0.4)
    shaded = lit * (1.0 - 0.16 * np.clip(field, 0.0, 1.6))[..., None]
    if weather.night:
        shaded = shaded * np.float32(0.35)
    colour += density[..., None] * (shaded - colour) * np.float32(0.85)
    if weather.sunny:
        unit = rays / np.linalg.norm(rays, axis=2, keepdims=True)
        near = np.clip(unit @ np.asarray(weather.light.to_sun, np.float32), 0.0, 1.0)
        colour += (0.5 * near**32 + 0.25 * near**6)[..., None] * np.asarray((0.8, 0.9, 1.0), np.float32)
    return np.asarray(np.clip(colour, 0.0, 1.1) * 255.0, np.float32)
