"""Air, lamps, rain and the camera itself: from a painted canvas to the bytes of a frame."""

from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.scenes.noise import spectral_noise, stream
from hybrid_seg_ros.scenes.patch import spread
from hybrid_seg_ros.scenes.view import View
from hybrid_seg_ros.scenes.weather import Weather

Floats = npt.NDArray[np.float32]

_HEADLIGHT_M = 22.0
_POOL_M = 5.0


def add_haze(colour: Floats, inverse_depth: Floats, weather: Weather) -> None:
    """Mix distant things with the colour of the air, in place; 1 / depth is 0 in the sky, which stays."""
    air = np.asarray(weather.sky_low, np.float32) * np.float32(255.0 * 0.9)
    exponent = np.float32(-1.0 / weather.visibility_m) / np.maximum(inverse_depth, np.float32(1e-6))
    through = np.asarray(cv2.exp(np.maximum(exponent, np.float32(-60.0))), np.float32)
    through[inverse_depth <= 0.0] = 1.0
    planes = [
        np.asarray(cv2.multiply(plane - level, through) + level, np.float32)
        for plane, level in zip(cv2.split(colour), air, strict=True)
    ]
    cv2.merge(planes, colour)


def light_night(
    colour: Floats, inverse_depth: Floats, view: View, lamps: npt.NDArray[np.float64], weather: Weather
) -> None:
    """Dim the painted day to what headlights and street lamps reach, in place.

    Args:
        colour: float32[H, W, 3], painted without haze.
        inverse_depth: float32[H, W], 1/m, 0 in the sky.
        view: the camera, which sits between the headlights.
        lamps: feet of the street lamps, world [N, 3] m.
        weather: for wetness, which makes the road mirror light away.
    """
    height, width = inverse_depth.shape
    small = (max(width // 4, 1), max(height // 4, 1))
    inverse = np.asarray(cv2.resize(inverse_depth, small, interpolation=cv2.INTER_NEAREST), np.float32)
    depth = 1.0 / np.maximum(inverse, np.float32(1e-4))
    c = view.camera
    u = (np.arange(small[0], dtype=np.float32) * np.float32(width / small[0]) - np.float32(c.cx)) / np.float32(c.fx)
    v = (np.arange(small[1], dtype=np.float32) * np.float32(height / small[1]) - np.float32(c.cy)) / np.float32(c.fy)
    x, y = u[None, :] * depth, v[:, None] * depth
    beam = np.exp(-np.square(u[None, :] / 0.48)) * np.exp(-np.square(np.minimum(v[:, None] + 0.03, 0.0) / 0.08))
    falloff = 1.0 / (1.0 + np.square(depth / np.float32(_HEADLIGHT_M)))
    near = np.clip(depth / 6.0, 0.25, 1.0)
    head = (beam * falloff * near * np.float32(1.7 - 0.7 * weather.wetness))[..., None]
    total = np.asarray((0.115, 0.100, 0.095), np.float32) + head * np.asarray((0.86, 0.97, 1.0), np.float32)
    optical = view.to_optical(lamps.reshape(-1, 3))
    for spot in optical[(optical[:, 2] > -6.0) & (optical[:, 2] < 90.0)]:
        away = (
            np.square(x - spot[0]) + np.square(depth - spot[2]) + 0.25 * np.square(np.minimum(y - spot[1] + 1.0, 0.0))
        )
        pool = 0.8 * np.exp(-away / np.float32(2 * _POOL_M**2))
        total += pool[..., None] * np.asarray((0.45, 0.75, 1.0), np.float32)
    factor = np.asarray(cv2.resize(total.astype(np.float32), (width, height)), np.float32)
    factor[inverse_depth <= 0.0] = 1.0
    colour *= factor


def auto_gain(colour: Floats, weather: Weather) -> float:
    """What the camera's exposure control multiplies a picture by: towards middle grey, within its limits."""
    lower = colour[colour.shape[0] // 3 :: 4, ::4]
    mean = float(lower.mean()) + 1.0
    low, high = (0.9, 1.5) if weather.night else (0.7, 1.6)
    return min(max(weather.exposure * 100.0 / mean, low), high)


def add_glow(colour: Floats, emission: npt.NDArray[np.uint8] | None) -> None:
    """Add given-off light with its halo, or by day let bright skies spill over edges; in place."""
    height, width = colour.shape[:2]
    small = (max(width // 4, 1), max(height // 4, 1))
    if emission is not None:
        colour += emission
        halo = np.asarray(cv2.resize(emission, small, interpolation=cv2.INTER_AREA), np.float32)
        soft = cv2.GaussianBlur(halo, (0, 0), max(width / 160.0, 0.5)) * 0.7
        soft += cv2.GaussianBlur(halo, (0, 0), max(width / 50.0, 0.5)) * 0.7
    else:
        bright = np.maximum(np.asarray(cv2.resize(colour, small), np.float32) - np.float32(190.0), 0.0)
        soft = cv2.GaussianBlur(bright, (0, 0), max(width / 120.0, 0.5)) * 0.16
    colour += cv2.resize(np.asarray(soft, np.float32), (width, height))


def add_rain(colour: Floats, rng: np.random.Generator, density: float) -> None:
    """Streaks of falling drops, in place: near ones long, bright and few."""
    height, width = colour.shape[:2]
    streaks = np.zeros((height, width), np.uint8)
    slant = float(rng.normal(0.0, 0.06))
    for length, thickness, count in ((0.022, 1, 260), (0.05, 1, 110), (0.11, 2, 22)):
        number = int(count * density)
        places = rng.uniform(0, 1, (number, 2)) * (width, height)
        lengths = rng.uniform(0.6, 1.4, number) * length * height
        tones = rng.integers(50, 150, number)
        for (x, y), run, tone in zip(places.tolist(), lengths.tolist(), tones.tolist(), strict=True):
            end = (round(x + slant * run), round(y + run))
            cv2.line(streaks, (round(x), round(y)), end, (float(tone),), thickness, cv2.LINE_AA)
    soft = cv2.GaussianBlur(streaks, (0, 0), 0.8).astype(np.float32) * np.float32(0.5 / 255.0)
    lightness = np.float32(0.35) * colour.mean() + np.float32(90.0)
    colour += spread(soft) * (lightness - colour)


def expose(colour: Floats, weather: Weather, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """The sensor's picture, uint8[H, W, 3], of the light that reaches the lens: blur, vignette, noise, tone."""
    height, width = colour.shape[:2]
    linear = cv2.multiply(colour, _vignette(width, height), scale=_HEADROOM)
    picture = np.asarray(cv2.convertScaleAbs(np.maximum(linear, 0.0)), np.uint8)
    if weather.motion > 0.0:
        picture = _motion_blur(picture, weather.motion * width, float(rng.normal(0.0, 0.35)))
    sigma = weather.defocus * width
    if sigma > 0.25:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.uint8)
    picture = np.asarray(cv2.LUT(picture, _TONE), np.uint8)
    oy, ox = (int(k) for k in rng.integers(0, 256, 2))
    tile = np.clip(np.roll(_noise_bank(), (oy, ox), axis=(0, 1)) * np.float32(weather.noise), -100, 100).astype(np.int8)
    noise = np.tile(tile, (-(-height // 256), -(-width // 256), 1))[:height, :width]
    return np.asarray(cv2.add(picture, np.ascontiguousarray(noise), dtype=cv2.CV_8U), np.uint8)


_HEADROOM = 0.7
"""Share of the sensor's range that white paint fills; the rest catches the sky."""


def _tone_curve() -> npt.NDArray[np.uint8]:
    """Sensor level to picture level: straight, then a soft shoulder."""
    level = np.arange(256) / _HEADROOM
    over = np.maximum(level - 180.0, 0.0)
    return np.asarray(np.clip(np.minimum(level, 180.0) + 95.0 * over / (over + 95.0) + 0.5, 0, 255), np.uint8)


_TONE = _tone_curve()


@lru_cache(maxsize=4)
def _vignette(width: int, height: int) -> Floats:
    y = (np.arange(height, dtype=np.float32) - height / 2) / max(width, 1)
    x = (np.arange(width, dtype=np.float32) - width / 2) / max(width, 1)
    gain = 1.0 - 0.42 * (np.square(y)[:, None] + np.square(x)[None, :])
    return np.repeat(gain.astype(np.float32)[..., None], 3, axis=2)


@lru_cache(maxsize=1)
def _noise_bank() -> Floats:
    """A tile of slightly blotchy colour noise, unit deviation, float32[256, 256, 3]."""
    rng = stream(0x5E50)
    luma = spectral_noise(rng, 256, 256, 0.35)
    chroma = np.stack([spectral_noise(rng, 256, 256, 0.8) for _ in range(3)], axis=-1)
    return np.asarray(0.85 * luma[..., None] + 0.5 * chroma, np.float32)


def _motion_blur(picture: npt.NDArray[np.uint8], length: float, angle: float) -> npt.NDArray[np.uint8]:
    size = max(int(length) | 1, 3)
    kernel = np.zeros((size, size), np.float32)
    middle = size // 2
    reach = (middle * np.cos(angle), middle * np.sin(angle))
    start = (round(middle - reach[0]), round(middle - reach[1]))
    end = (round(middle + reach[0]), round(middle + reach[1]))
    cv2.line(kernel, start, end, (1.0,), 1)
    return np.asarray(cv2.filter2D(picture, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE), np.uint8)
