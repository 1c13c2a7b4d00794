"""What happens to a camera's pictures: pure functions of a picture, uint8[H, W, 3]."""

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]


def with_noise(image: npt.NDArray[np.floating] | Image, deviation: float = 2.0, seed: int = 0) -> Image:
    """Sensor noise, which is there whatever the lens shows."""
    noise = np.random.default_rng(seed).normal(0.0, deviation, image.shape)
    return np.clip(np.rint(image + noise), 0, 255).astype(np.uint8)


def black(image: Image) -> Image:
    """A cap on the lens."""
    return with_noise(np.full(image.shape, 2.0), 1.0)


def saturated(image: Image) -> Image:
    """An exposure far too long."""
    return np.clip(image.astype(np.float32) * 4.0 + 80.0, 0, 255).astype(np.uint8)


def defocused(image: Image, share: float = 0.012) -> Image:
    """A Gaussian of this share of the width, behind it the sensor's noise."""
    return with_noise(cv2.GaussianBlur(image, (0, 0), share * image.shape[1]).astype(np.float32))


def behind_a_hand(image: Image) -> Image:
    """A hand over the lens: out of focus, lit from one side."""
    height, width = image.shape[:2]
    y, x = np.mgrid[:height, :width]
    shade = 20.0 * x / width + 15.0 * y / height
    return with_noise(np.stack([40 + shade, 60 + shade, 95 + shade], axis=-1))


def fogged(image: Image) -> Image:
    """Condensation on the lens: next to no contrast is left."""
    return with_noise(0.04 * cv2.GaussianBlur(image, (0, 0), 0.02 * image.shape[1]).astype(np.float32) + 150.0)


def muddy(image: Image, share: float = 0.45) -> Image:
    """Mud on this share of the lens, in soft-edged spots."""
    height, width = image.shape[:2]
    spots = cv2.GaussianBlur(
        np.random.default_rng(3).normal(size=(height, width)).astype(np.float32), (0, 0), width / 10
    )
    cover = np.clip((spots - np.quantile(spots, 1 - share)) / (0.15 * float(spots.std())) + 0.5, 0, 1)[..., None]
    return with_noise(image * (1 - cover) + cover * np.array([30.0, 45.0, 60.0]))
