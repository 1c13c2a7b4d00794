"""What a wet road shows of the things that stand on it."""

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.scenes.ground import GroundMap
from hybrid_seg_ros.scenes.noise import spectral_noise, stream
from hybrid_seg_ros.scenes.patch import Canvas, Patch, blend, spread
from hybrid_seg_ros.scenes.road import Road
from hybrid_seg_ros.scenes.surfaces import SURFACES
from hybrid_seg_ros.scenes.weather import Weather


def reflect(
    canvas: Canvas, colour: npt.NDArray[np.float32], ground: GroundMap, road: Road, patches: Sequence[Patch],
    weather: Weather,
) -> None:  # fmt: skip
    """Mix the mirror image of sky, houses and obstacles into the ground's colour, stronger where water stands.

    Upright things mirror about the row they stand on; the rest mirrors about the horizon, which is exact far away.

    Args:
        canvas: sky painted, nothing else yet.
        colour: float32[h, W, 3] of the ground, changed in place.
        ground: its pixels.
        road: picks the puddles.
        patches: from far to near.
        weather: wetness.
    """
    top, (rows, width) = ground.top, ground.depth.shape
    if top < 1:
        return
    upper = Canvas(
        canvas.colour.copy(), canvas.owner.copy(), None if canvas.emission is None else canvas.emission.copy()
    )
    for patch in patches:
        if patch.contact_row is None:
            upper.lay(patch)
    picture = upper.colour if upper.emission is None else cv2.addWeighted(upper.colour, 0.15, upper.emission, 1.0, 0.0)
    mirror = picture[max(top - rows, 0) : top][::-1]
    image = np.ascontiguousarray(mirror) if len(mirror) == rows else cv2.resize(mirror, (width, rows))
    image = np.asarray(image, np.uint8)
    for patch in patches:
        if patch.contact_row is not None:
            _mirror_patch(image, patch, top)
    blurred = np.asarray(cv2.blur(image, (1 | (width // 300), 1 | (rows // 14))), np.float32)
    grazing = np.clip(ground.depth / 45.0, 0.0, 1.0) ** np.float32(0.6)
    puddles = _puddle_tile(road.surface_seed)
    u = np.mod(ground.x * np.float32(256 / 23.0), np.float32(256.0))
    v = np.mod(ground.d * np.float32(256 / 9.0), np.float32(256.0))
    water = cv2.remap(puddles, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    share = np.float32(weather.wetness) * (0.10 + 0.42 * grazing + 0.40 * np.clip(water - 0.5, 0.0, 1.0))
    share = spread(np.asarray(np.clip(share, 0.0, 0.75), np.float32))
    colour += share * (blurred * np.float32(0.85) - colour)


def _mirror_patch(image: npt.NDArray[np.uint8], patch: Patch, top: int) -> None:
    if patch.contact_row is None:
        return
    first = round(2 * patch.contact_row) - (patch.y + patch.coverage.shape[0] - 1) - top
    colour = patch.colour[::-1]
    if patch.emission is not None:
        colour = np.asarray(cv2.addWeighted(patch.colour, 0.15, patch.emission, 1.0, 0.0), np.uint8)[::-1]
    cover = patch.coverage[::-1]
    start, end = max(first, 0), min(first + cover.shape[0], image.shape[0])
    if end > start:
        cut = slice(start - first, end - first)
        window = image[start:end, patch.x : patch.x + cover.shape[1]]
        blend(window, np.ascontiguousarray(colour[cut]), np.ascontiguousarray(cover[cut]))


@lru_cache(maxsize=SURFACES)
def _puddle_tile(seed: int) -> npt.NDArray[np.float32]:
    return spectral_noise(stream(seed, 63), 256, 256, 2.4)
