"""Sky, clouds, and the skyline where the street ends."""

import cv2
import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.scenes.classes import BUILDING, SKY, TREE
from hybrid_seg_ros.scenes.noise import Image, spectral_noise, stream, to_bytes
from hybrid_seg_ros.scenes.patch import Canvas
from hybrid_seg_ros.scenes.view import Rays
from hybrid_seg_ros.scenes.weather import Weather

Floats = npt.NDArray[np.float32]

_CELLS = 2048
_SKYLINE_M = 260.0
_FAR_TREES, _FAR_HOUSES = (0.19, 0.25, 0.22), (0.40, 0.42, 0.44)


def cloud_tile(seed: int) -> Image:
    """Tileable cloud density, float32[256, 256], zero mean."""
    return spectral_noise(stream(seed, 31), 256, 256, 2.6)


def skyline(seed: int) -> tuple[Floats, npt.NDArray[np.uint8]]:
    """Elevation tangent and class of the far horizon, per azimuth cell [2048]: trees and roofs."""
    rng = stream(seed, 32)
    trees = 0.030 + 0.009 * spectral_noise(rng, 2, _CELLS, 2.2)[0] + 0.0015 * spectral_noise(rng, 2, _CELLS, 1.0)[0]
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


def paint_sky(
    canvas: Canvas, rays: Rays, weather: Weather, clouds: Image, horizon: Floats, kinds: npt.NDArray[np.uint8]
) -> None:
    """Paint everything above the ground plane: gradient, clouds, glow of the sun, and the skyline before it.

    Args:
        canvas: to paint on; its sky and skyline become the first owners.
        rays: of the camera.
        weather: colours and clouds.
        clouds: see cloud_tile.
        horizon: elevation tangents of `skyline`.
        kinds: classes of `skyline`.
    """
    height, width = canvas.owner.shape
    canvas.add_owner((0.0, 0.0, 0.0), SKY)
    owners = {kind: canvas.add_owner((0.0, 0.0, 1.0 / _SKYLINE_M), kind) for kind in (TREE, BUILDING)}
    rows = np.flatnonzero(rays[2].max(axis=1) > -0.02)
    if rows.size == 0:
        return
    bottom = int(rows[-1]) + 1
    small = (max(width // 4, 1), max(bottom // 4, 1))
    coarse = [cv2.resize(plane[:bottom], small, interpolation=cv2.INTER_AREA) for plane in rays]
    colour = _sky_colour(np.asarray(np.stack(coarse, axis=-1), np.float32), weather, clouds)
    canvas.colour[:bottom] = cv2.resize(colour, (width, bottom), interpolation=cv2.INTER_LINEAR)

    level = np.abs(rays[2, :bottom]).min(axis=1)
    first = int(np.argmax(level < 0.12)) if (level < 0.12).any() else bottom
    strip = rays[:, first:bottom]
    if first == bottom:
        return
    steepness = strip[2] / np.maximum(np.hypot(strip[0], strip[1]), np.float32(1e-6))
    azimuth = np.arctan2(strip[1, -1], strip[0, -1])
    place = np.mod(azimuth * np.float32(_CELLS / (2 * np.pi)), np.float32(_CELLS))
    cell = np.minimum(place.astype(np.intp), _CELLS - 1)
    tangent = np.interp(place, np.arange(_CELLS + 1), np.append(horizon, horizon[0])).astype(np.float32)
    edge = np.float32(1.0) / max(float(np.linalg.norm(rays[:, 0, 0] - rays[:, -1, 0])) / max(height - 1, 1), 1e-5)
    cover = np.clip((tangent - steepness) * np.float32(edge) + np.float32(0.5), 0.0, 1.0)
    kind = kinds[cell]
    lit = weather.light.diffuse((-0.5, 0.0, 0.86)) * np.float32(255.0)
    tones = np.array([_FAR_TREES, _FAR_HOUSES], np.float32)[(kind == BUILDING).astype(np.intp)] * lit
    tones *= (0.8 + 0.2 / 0.03 * tangent)[:, None]
    window = canvas.colour[first:bottom]
    mixed = window + cover[..., None] * (tones[None] - window)
    window[:] = np.clip(mixed, 0.0, 255.0).astype(np.uint8)
    owner = np.where(kind == TREE, np.uint16(owners[TREE]), np.uint16(owners[BUILDING]))
    np.copyto(canvas.owner[first:bottom], np.broadcast_to(owner, cover.shape), where=cover >= 0.5)


def _sky_colour(rays: Rays, weather: Weather, clouds: Image) -> npt.NDArray[np.uint8]:
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
    shaded = lit * (1.0 - 0.22 * np.clip(field, -0.2, 1.8))[..., None]
    if weather.night:
        shaded = shaded * np.float32(0.35)
    colour += density[..., None] * (shaded - colour) * np.float32(0.85)
    if weather.sunny:
        unit = rays / np.linalg.norm(rays, axis=2, keepdims=True)
        near = np.clip(unit @ np.asarray(weather.light.to_sun, np.float32), 0.0, 1.0)
        colour += (0.5 * near**32 + 0.25 * near**6)[..., None] * np.asarray((0.8, 0.9, 1.0), np.float32)
    return to_bytes(np.asarray(colour, np.float32))
