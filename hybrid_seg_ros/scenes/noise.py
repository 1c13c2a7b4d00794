"""Seeded noise and the small image helpers that every texture is made of."""

from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.float32]
Colour = tuple[float, float, float]


def stream(*key: int) -> np.random.Generator:
    """An independent random stream for a key of non-negative integers."""
    return np.random.default_rng(list(key))


def spectral_noise(rng: np.random.Generator, height: int, width: int, beta: float) -> Image:
    """Tileable noise float32[height, width] of power spectrum 1/f**beta, zero mean and unit deviation."""
    white = np.fft.rfft2(rng.standard_normal((height, width)))
    fy = np.fft.fftfreq(height)[:, None] * height
    fx = np.fft.rfftfreq(width)[None, :] * width
    frequency = np.sqrt(fx * fx + fy * fy)
    frequency[0, 0] = 1.0
    white *= frequency ** (-beta / 2.0)
    white[0, 0] = 0.0
    field = np.fft.irfft2(white, s=(height, width))
    return np.asarray(field / (field.std() + 1e-12), np.float32)


def solid(height: int, width: int, colour: Colour) -> Image:
    """float32[height, width, 3] of one BGR colour in 0..1."""
    image = np.empty((height, width, 3), np.float32)
    image[:] = colour
    return image


def modulate(image: Image, field: Image, amount: float) -> Image:
    """`image` brightened and darkened by a noise field of its size."""
    return np.asarray(image * (1.0 + amount * field)[..., None], np.float32)


def jitter(rng: np.random.Generator, colour: Colour, amount: float) -> Colour:
    """A colour near `colour`: common brightness and a little hue."""
    grey = 1.0 + amount * rng.uniform(-1, 1)
    b, g, r = (float(np.clip(c * grey * (1.0 + 0.3 * amount * rng.uniform(-1, 1)), 0.0, 1.0)) for c in colour)
    return b, g, r


def to_bytes(image: Image) -> npt.NDArray[np.uint8]:
    """0..1 float to uint8."""
    return np.asarray(np.clip(image * 255.0 + 0.5, 0.0, 255.0), np.uint8)


def blur(image: Image, sigma: float) -> Image:
    """Gaussian blur; sigma in px."""
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.float32) if sigma > 0.05 else image


@lru_cache(maxsize=4)
def grain_tile(size: int = 256) -> Image:
    """One fixed tile of mixed fine and middling grain, float32[size, size] about -2..2: surface detail of objects."""
    rng = stream(0x6E01)
    mixed = 0.6 * spectral_noise(rng, size, size, 0.7) + 0.8 * spectral_noise(rng, size, size, 2.2)
    return np.asarray(mixed, np.float32)
