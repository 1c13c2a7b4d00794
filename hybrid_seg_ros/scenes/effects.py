"""Air, lamps, rain and the camera itself: from a painted canvas to the bytes of a frame."""

import cv2
import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.scenes.noise import spectral_noise, stream
from hybrid_seg_ros.scenes.patch import Canvas
from hybrid_seg_ros.scenes.view import View
from hybrid_seg_ros.scenes.weather import Weather

Floats = npt.NDArray[np.float32]

_HEADLIGHT_M = 22.0
_POOL_M = 5.0


def add_haze(canvas: Canvas, weather: Weather) -> None:
    """Mix distant things with the colour of the air."""
    through = np.exp(-canvas.depth * np.float32(1.0 / weather.visibility_m))
    through[~np.isfinite(canvas.depth)] = 1.0
    air = np.asarray(weather.sky_low, np.float32) * 255.0 * np.float32(0.9)
    canvas.colour *= through[..., None]
    canvas.colour += (1.0 - through)[..., None] * air


def light_night(canvas: Canvas, view: View, lamps: npt.NDArray[np.float64], weather: Weather) -> None:
    """Dim the painted day to what headlights and street lamps reach.

    Args:
        canvas: painted without haze.
        view: the camera, which sits between the headlights.
        lamps: feet of the street lamps, world [N, 3] m.
        weather: for wetness, which makes the road mirror light away.
    """
    height, width = canvas.depth.shape
    small = (max(width // 4, 1), max(height // 4, 1))
    depth = np.asarray(cv2.resize(canvas.depth, small, interpolation=cv2.INTER_NEAREST), np.float32)
    ground = np.isfinite(depth)
    depth = np.where(ground, depth, np.float32(1e4))
    c = view.camera
    u = (np.arange(small[0], dtype=np.float32) * (width / small[0]) - np.float32(c.cx)) / np.float32(c.fx)
    v = (np.arange(small[1], dtype=np.float32) * (height / small[1]) - np.float32(c.cy)) / np.float32(c.fy)
    x, y = u[None, :] * depth, v[:, None] * depth
    beam = np.exp(-np.square(u[None, :] / 0.42)) * np.exp(-np.square(np.minimum(v[:, None] + 0.02, 0.0) / 0.07))
    falloff = 1.0 / (1.0 + np.square(depth / np.float32(_HEADLIGHT_M)))
    near = np.clip(depth / 6.0, 0.25, 1.0)
    head = (beam * falloff * near * np.float32(1.25 - 0.6 * weather.wetness))[..., None]
    total = np.asarray((0.095, 0.082, 0.078), np.float32) + 1.5 * head * np.asarray((0.86, 0.97, 1.0), np.float32)
    optical = view.to_optical(lamps.reshape(-1, 3))
    for spot in optical[(optical[:, 2] > -6.0) & (optical[:, 2] < 90.0)]:
        away = np.square(x - spot[0]) + np.square(depth - spot[2]) + 0.25 * np.square(np.minimum(y - spot[1] + 1.0, 0.0))
        pool = 0.75 * np.exp(-away / np.float32(2 * _POOL_M**2))
        total += pool[..., None] * np.asarray((0.45, 0.75, 1.0), np.float32)
    factor = np.asarray(cv2.resize(total, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
    factor[~np.isfinite(canvas.depth)] = 1.0
    canvas.colour *= factor


def add_glow(canvas: Canvas, night: bool) -> None:
    """Add given-off light with its halo, and let bright skies spill over edges."""
    colour = canvas.colour
    height, width = colour.shape[:2]
    small = (max(width // 4, 1), max(height // 4, 1))
    if night:
        colour += canvas.emission
        halo = np.asarray(cv2.resize(canvas.emission, small, interpolation=cv2.INTER_AREA), np.float32)
        soft = cv2.GaussianBlur(halo, (0, 0), max(width / 160.0, 0.5)) * 0.7
        soft += cv2.GaussianBlur(halo, (0, 0), max(width / 50.0, 0.5)) * 0.7
    else:
        bright = np.maximum(np.asarray(cv2.resize(colour, small, interpolation=cv2.INTER_AREA), np.float32) - 190.0, 0.0)
        soft = cv2.GaussianBlur(bright, (0, 0), max(width / 120.0, 0.5)) * 0.16
    colour += np.asarray(cv2.resize(np.asarray(soft, np.float32), (width, height)), np.float32)


def add_rain(canvas: Canvas, rng: np.random.Generator, density: float) -> None:
    """Streaks of falling drops: near ones long, bright and few."""
    height, width = canvas.depth.shape
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
    soft = cv2.GaussianBlur(streaks, (0, 0), 0.8).astype(np.float32) * np.float32(1 / 255.0)
    lightness = np.float32(0.35) * canvas.colour.mean() + np.float32(90.0)
    canvas.colour += (soft * 0.5)[..., None] * (lightness - canvas.colour)


def expose(canvas: Canvas, weather: Weather, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """The sensor's picture, uint8[H, W, 3]: lens blur, vignette, tone, noise."""
    colour = canvas.colour
    height, width = colour.shape[:2]
    if weather.motion > 0.0:
        colour = _motion_blur(colour, weather.motion * width, float(rng.normal(0.0, 0.35)))
    sigma = weather.defocus * width
    if sigma > 0.25:
        colour = np.asarray(cv2.GaussianBlur(colour, (0, 0), sigma), np.float32)
    y = (np.arange(height, dtype=np.float32) - height / 2) / max(width, 1)
    x = (np.arange(width, dtype=np.float32) - width / 2) / max(width, 1)
    colour = colour * (1.0 - 0.42 * (np.square(y)[:, None] + np.square(x)[None, :]))[..., None]
    over = np.maximum(colour - 215.0, 0.0)
    colour = np.minimum(colour, 215.0) + 40.0 * over / (over + 60.0)
    grain = _noise_bank()
    oy, ox = (int(k) for k in rng.integers(0, 256, 2))
    tile = np.roll(grain, (oy, ox), axis=(0, 1))
    repeats = (-(-height // 256), -(-width // 256), 1)
    noise = np.tile(tile, repeats)[:height, :width]
    strength = np.float32(weather.noise) * (0.6 + 0.5 * np.sqrt(np.maximum(colour, 0.0) * np.float32(1 / 255.0)))
    return np.asarray(np.clip(colour + noise * strength + 0.5, 0.0, 255.0), np.uint8)


_BANK: list[Floats] = []


def _noise_bank() -> Floats:
    """A tile of slightly blotchy colour noise, unit deviation, float32[256, 256, 3]."""
    if not _BANK:
        rng = stream(0x5E50)
        luma = spectral_noise(rng, 256, 256, 0.35)
        chroma = np.stack([spectral_noise(rng, 256, 256, 0.8) for _ in range(3)], axis=-1)
        _BANK.append(np.asarray(0.85 * luma[..., None] + 0.5 * chroma, np.float32))
    return _BANK[0]


def _motion_blur(colour: Floats, length: float, angle: float) -> Floats:
    size = max(int(length) | 1, 3)
    kernel = np.zeros((size, size), np.float32)
    middle = size // 2
    reach = (middle * np.cos(angle), middle * np.sin(angle))
    start = (round(middle - reach[0]), round(middle - reach[1]))
    end = (round(middle + reach[0]), round(middle + reach[1]))
    cv2.line(kernel, start, end, (1.0,), 1)
    return np.asarray(cv2.filter2D(colour, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE), np.float32)
