"""What a wet road shows of the things that stand on it."""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.scenes.ground import GroundMap
from hybrid_seg_ros.scenes.noise import spectral_noise, stream
from hybrid_seg_ros.scenes.patch import Canvas, Patch
from hybrid_seg_ros.scenes.road import Road
from hybrid_seg_ros.scenes.weather import Weather

_PUDDLES: dict[int, npt.NDArray[np.float32]] = {}


def reflect(canvas: Canvas, ground: GroundMap, road: Road, patches: Sequence[Patch], weather: Weather) -> None:
    """Mix the mirror image of sky, houses and obstacles into the painted ground, stronger where water stands.

    Upright things mirror about the row they stand on; the rest mirrors about the horizon, which is exact far away.

    Args:
        canvas: sky and ground painted, nothing else yet.
        ground: its ground pixels.
        road: picks the puddles.
        patches: from far to near.
        weather: wetness.
    """
    top = ground.top
    height, width = canvas.labels.shape
    rows = height - top
    if rows < 1 or top < 1:
        return
    upper = Canvas(
        canvas.colour.copy(), canvas.depth.copy(), canvas.labels.copy(), canvas.instances.copy(), canvas.emission.copy()
    )
    for patch in patches:
        if patch.contact_row is None:
            upper.lay(patch)
    picture = upper.colour + upper.emission if weather.night else upper.colour
    mirror = picture[:top][::-1]
    image = np.asarray(cv2.resize(mirror[: min(rows, top)], (width, rows), interpolation=cv2.INTER_LINEAR)
                       if rows > top else mirror[:rows].copy(), np.float32)  # fmt: skip
    for patch in patches:
        if patch.contact_row is not None:
            _mirror_patch(image, patch, top, weather.night)
    image = np.asarray(cv2.blur(image, (1 | (width // 300), 1 | (height // 24))), np.float32)
    grazing = np.clip(ground.depth / 45.0, 0.0, 1.0) ** np.float32(0.6)
    puddles = _puddle_tile(road.surface_seed)
    u = np.mod(ground.x * np.float32(256 / 23.0), np.float32(256.0))
    v = np.mod(ground.d * np.float32(256 / 9.0), np.float32(256.0))
    water = cv2.remap(puddles, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    share = np.float32(weather.wetness) * (0.10 + 0.42 * grazing + 0.40 * np.clip(water - 0.5, 0.0, 1.0))
    share = np.where(ground.depth > 0, np.clip(share, 0.0, 0.75), np.float32(0.0))[..., None]
    colour = canvas.colour[top:]
    colour += share * (image * np.float32(0.85) - colour)


def _mirror_patch(image: npt.NDArray[np.float32], patch: Patch, top: int, night: bool) -> None:
    if patch.contact_row is None:
        return
    first = round(2 * patch.contact_row) - (patch.y + patch.coverage.shape[0] - 1) - top
    colour = patch.colour[::-1].astype(np.float32)
    if night and patch.emission is not None:
        colour = colour * np.float32(0.2) + patch.emission[::-1]
    cover = patch.coverage[::-1]
    start, end = max(first, 0), min(first + cover.shape[0], image.shape[0])
    if end <= start:
        return
    cut = slice(start - first, end - first)
    window = image[start:end, patch.x : patch.x + cover.shape[1]]
    window *= (1.0 - cover[cut] * np.float32(1 / 255.0))[..., None]
    window += colour[cut]


def _puddle_tile(seed: int) -> npt.NDArray[np.float32]:
    if seed not in _PUDDLES:
        _PUDDLES[seed] = spectral_noise(stream(seed, 63), 256, 256, 2.4)
    return _PUDDLES[seed]
