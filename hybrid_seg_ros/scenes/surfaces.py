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
SURFACES = 6
"""How many sets of ground tiles there are."""

_SIDE = int(TEXELS_PER_M * TILE_M)


@lru_cache(maxsize=SURFACES)
def ground_tiles(seed: int) -> Pyramid:
    """Brightness factors of asphalt, pavement and grass, float32[S, S, 3], and their halvings."""
    tile = np.dstack([_asphalt(stream(seed, 1)), _slabs(stream(seed, 2)), _grass(stream(seed, 3))])
    levels = [np.asarray(tile, np.float32)]
    while levels[-1].shape[0] > 8:
        side = levels[-1].shape[0] // 2
        levels.append(np.asarray(cv2.resize(levels[-1], (side, side), interpolation=cv2.INTER_AREA), np.float32))
    return tuple(levels)


def _asphalt(rng: np.random.Generator) -> Image:
    """A road surface: stones, stains, cracks, mended patches."""
    stones = spectral_noise(rng, _SIDE, _SIDE, 0.3)
    stains = spectral_noise(rng, _SIDE, _SIDE, 3.0)
    tile = np.asarray(1.0 + rng.uniform(0.05, 0.10) * stones + rng.uniform(0.03, 0.08) * stains, np.float32)
    for _ in range(int(rng.integers(0, 2))):
        w, h = (int(k) for k in rng.integers(40, 180, 2))
        x, y = (int(k) for k in rng.integers(0, _SIDE - 200, 2))
        tile[y : y + h, x : x + w] *= rng.uniform(0.9, 1.06)
    for _ in range(int(rng.integers(0, 4))):
        steps = np.cumsum(rng.normal(0, 9, (30, 2)) + rng.normal(0, 5, 2), axis=0)
        points = np.round(steps + rng.integers(0, _SIDE, 2)).astype(np.int32)
        cv2.polylines(tile, [points], False, (float(rng.uniform(0.75, 0.9)),), 1, cv2.LINE_AA)
    return tile


def _slabs(rng: np.random.Generator) -> Image:
    """A pavement: slabs or setts with joints."""
    wide, tall = [(64, 64), (32, 64), (32, 32), (16, 8)][int(rng.integers(0, 4))]
    rows, columns = _SIDE // tall, _SIDE // wide
    shade = np.asarray(1.0 + 0.07 * rng.standard_normal((rows, columns)), np.float32)
    tile = np.kron(shade, np.ones((tall, wide), np.float32))
    for row in range(1, rows, 2):
        tile[row * tall : (row + 1) * tall] = np.roll(tile[row * tall : (row + 1) * tall], wide // 2, axis=1)
    y, x = np.mgrid[0:_SIDE, 0:_SIDE]
    offset = np.where((y // tall) % 2 == 1, wide // 2, 0)
    tile[((y % tall) == 0) | (((x - offset) % wide) == 0)] *= 0.72 if tall > 8 else 0.85
    return np.asarray(
        tile + 0.05 * spectral_noise(rng, _SIDE, _SIDE, 0.6) + 0.06 * spectral_noise(rng, _SIDE, _SIDE, 2.8), np.float32
    )


def _grass(rng: np.random.Generator) -> Image:
    """Rough grass."""
    blades = spectral_noise(rng, _SIDE, _SIDE, 0.8)
    return np.asarray(1.0 + 0.22 * blades + 0.12 * spectral_noise(rng, _SIDE, _SIDE, 2.5), np.float32)


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
