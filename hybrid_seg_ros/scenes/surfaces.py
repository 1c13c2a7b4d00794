"""Ground textures: asphalt, paving slabs, grass. Tileable, with minified versions for the distance."""

from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.scenes.noise import Image, solid, spectral_noise, stream

Pyramid = tuple[npt.NDArray[np.float32], ...]

TEXELS_PER_M = 64.0
"""Resolution of the finest ground tile."""
TILE_M = 8.0
"""Side of a ground tile."""


def _pyramid(tile: Image) -> Pyramid:
    levels = [tile]
    while levels[-1].shape[0] > 8:
        side = levels[-1].shape[0] // 2
        levels.append(np.asarray(cv2.resize(levels[-1], (side, side), interpolation=cv2.INTER_AREA), np.float32))
    return tuple(levels)


@lru_cache(maxsize=12)
def asphalt(seed: int) -> Pyramid:
    """Brightness factor of a road surface, float32[S, S] tiles: stones, stains, cracks, mended patches."""
    rng = stream(seed, 1)
    side = int(TEXELS_PER_M * TILE_M)
    stones = spectral_noise(rng, side, side, 0.3)
    stains = spectral_noise(rng, side, side, 3.0)
    tile = 1.0 + rng.uniform(0.05, 0.10) * stones + rng.uniform(0.03, 0.08) * stains
    tile = np.asarray(tile, np.float32)
    for _ in range(int(rng.integers(0, 4))):
        w, h = rng.integers(40, 200, 2)
        x, y = rng.integers(0, side - 200, 2)
        tile[y : y + h, x : x + w] *= rng.uniform(0.85, 1.1)
        cv2.rectangle(tile, (int(x), int(y)), (int(x + w), int(y + h)), (float(rng.uniform(0.6, 0.8)),), 1)
    for _ in range(int(rng.integers(2, 7))):
        steps = np.cumsum(rng.normal(0, 9, (40, 2)) + rng.normal(0, 5, 2), axis=0)
        points = np.round(steps + rng.integers(0, side, 2)).astype(np.int32)
        cv2.polylines(tile, [points], False, (float(rng.uniform(0.55, 0.8)),), 1, cv2.LINE_AA)
    return _pyramid(tile)


@lru_cache(maxsize=12)
def slabs(seed: int) -> Pyramid:
    """Brightness factor of a pavement: slabs or brick setts with joints."""
    rng = stream(seed, 2)
    side = int(TEXELS_PER_M * TILE_M)
    wide, tall = [(64, 64), (32, 64), (32, 32), (16, 8)][int(rng.integers(0, 4))]
    rows, columns = side // tall, side // wide
    shade = np.asarray(1.0 + 0.07 * rng.standard_normal((rows, columns)), np.float32)
    tile = np.kron(shade, np.ones((tall, wide), np.float32))
    for row in range(1, rows, 2):
        tile[row * tall : (row + 1) * tall] = np.roll(tile[row * tall : (row + 1) * tall], wide // 2, axis=1)
    y, x = np.mgrid[0:side, 0:side]
    offset = np.where((y // tall) % 2 == 1, wide // 2, 0)
    joint = ((y % tall) == 0) | (((x - offset) % wide) == 0)
    tile[joint] *= 0.72 if tall > 8 else 0.85
    tile += 0.05 * spectral_noise(rng, side, side, 0.6) + 0.06 * spectral_noise(rng, side, side, 2.8)
    return _pyramid(np.asarray(tile, np.float32))


@lru_cache(maxsize=12)
def grass(seed: int) -> Pyramid:
    """Brightness factor of rough grass."""
    rng = stream(seed, 3)
    side = int(TEXELS_PER_M * TILE_M)
    tile = 1.0 + 0.22 * spectral_noise(rng, side, side, 0.8) + 0.12 * spectral_noise(rng, side, side, 2.5)
    return _pyramid(np.asarray(tile, np.float32))


def brick_wall(rng: np.random.Generator, height: int, width: int, brick: tuple[float, float, float]) -> Image:
    """A brick wall, float32[height, width, 3] BGR 0..1, about 40 texels per metre."""
    course, length = 3, 9
    y, x = np.mgrid[0:height, 0:width]
    row = y // course
    column = (x + (row % 2) * (length // 2 + 1)) // length
    table = np.asarray(1.0 + 0.16 * rng.standard_normal((97, 89)), np.float32)
    wall = solid(height, width, brick) * table[row % 97, column % 89][..., None]
    hue = np.asarray(1.0 + 0.06 * rng.standard_normal((97, 89)), np.float32)[column % 97, row % 89]
    wall[..., 2] *= hue
    mortar = ((y % course) == 0) | ((x + (row % 2) * (length // 2 + 1)) % length == 0)
    tone = np.float32(rng.uniform(0.35, 0.6))
    wall[mortar] = 0.6 * wall[mortar] + 0.4 * tone
    return np.asarray(wall, np.float32)
