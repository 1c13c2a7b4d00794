"""Geometric and photometric augmentation of labelled images."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from hybrid_seg_train.data.labels import VOID
from hybrid_seg_train.data.sources import ByteImage, Example

PAD_VALUE = 127
"""Grey of padding: the mean of the network's normalisation, so that padding enters the network as zeros."""


@dataclass(frozen=True, slots=True)
class CropRecipe:
    """How crops are taken.

    Attributes:
        size: (width, height) of the crop, px.
        scales: range of the scale.
        rare: label ids around one of whose pixels a crop is centred, where the image holds any ...
        rare_share: ... in this share of the crops.
        law: how the scale is drawn; METHOD's own trainings draw it uniformly.
    """

    size: tuple[int, int] = (448, 320)
    scales: tuple[float, float] = (0.5, 2.0)
    rare: tuple[int, ...] = ()
    rare_share: float = 0.0
    law: Literal["log_uniform", "uniform"] = "log_uniform"


def random_crop(example: Example, recipe: CropRecipe, rng: np.random.Generator, *, scale: float = 1.0) -> Example:
    """A random scaled, shifted and mirrored window of `example`; what lies outside is grey and VOID.

    Args:
        example: the whole image.
        recipe: sizes and scales.
        rng: the source of all randomness.
        scale: factor on top of the recipe's scale, for sets with small images.
    """
    width, height = recipe.size
    drawn = rng.uniform(*(np.log(recipe.scales) if recipe.law == "log_uniform" else recipe.scales))
    scale *= float(np.exp(drawn) if recipe.law == "log_uniform" else drawn)
    center = _center(example.labels, recipe, rng, scale)
    flip = -1.0 if rng.random() < 0.5 else 1.0
    # Source pixel of crop pixel (u, v): center + ((u, v) - crop center) / scale.
    to_crop = np.array(
        [
            [flip * scale, 0, (width - 1) / 2 - flip * scale * center[0]],
            [0, scale, (height - 1) / 2 - scale * center[1]],
        ]
    )
    source = example.image if scale > 0.7 else cv2.GaussianBlur(example.image, (0, 0), 0.35 / scale)
    pad = (PAD_VALUE,) * 3
    image = cv2.warpAffine(source, to_crop, recipe.size, flags=cv2.INTER_LINEAR, borderValue=pad)
    labels = cv2.warpAffine(example.labels, to_crop, recipe.size, flags=cv2.INTER_NEAREST, borderValue=VOID)
    return Example(np.asarray(image, np.uint8), np.asarray(labels, np.uint8))


def _center(labels: ByteImage, recipe: CropRecipe, rng: np.random.Generator, scale: float) -> tuple[float, float]:
    """Source pixel at the crop's centre, such that as little as possible lies outside the image."""
    wanted = [float(rng.uniform(0, side)) for side in labels.shape]
    if recipe.rare and rng.random() < recipe.rare_share:
        rows, columns = np.nonzero(np.isin(labels, recipe.rare))
        if rows.size:
            pixel = int(rng.integers(rows.size))
            wanted = [rows[pixel] + rng.uniform(-60, 60) / scale, columns[pixel] + rng.uniform(-60, 60) / scale]
    center = []
    for side, crop, value in zip(labels.shape, recipe.size[::-1], wanted, strict=True):
        margin = crop / (2 * scale)
        center.append(side / 2 if 2 * margin >= side else float(np.clip(value, margin, side - margin)))
    return center[1], center[0]


@dataclass(frozen=True, slots=True)
class LightRecipe:
    """Shares of images that get each photometric change.

    Attributes:
        color: brightness, contrast, gamma and saturation.
        night: strong darkening with a colour cast and noise.
        blur: defocus or motion blur.
        noise: sensor noise.
    """

    color: float = 0.8
    night: float = 0.12
    blur: float = 0.2
    noise: float = 0.2


def change_light(image: ByteImage, recipe: LightRecipe, rng: np.random.Generator) -> ByteImage:
    """uint8[H, W, 3] BGR -> the same size, with the recipe's random photometric changes."""
    night = rng.random() < recipe.night
    if night:
        gains = rng.uniform(0.15, 0.5) * rng.uniform(0.75, 1.15, 3)
        image = _curve(image, gains, 0.0, rng.uniform(0.9, 1.5))
    elif rng.random() < recipe.color:
        if rng.random() < 0.5:
            image = _saturate(image, rng.uniform(0.4, 1.5))
        gains = rng.uniform(0.65, 1.4) * rng.uniform(0.92, 1.08, 3)
        image = _curve(image, gains, rng.uniform(-25, 25), float(np.exp(rng.uniform(-0.4, 0.4))))
    if rng.random() < recipe.blur:
        image = _blur(image, rng)
    if night or rng.random() < recipe.noise:
        image = _noise(image, rng.uniform(2, 10), rng)
    return image


def _curve(image: ByteImage, gains: npt.NDArray[np.float64], offset: float, gamma: float) -> ByteImage:
    """One tone curve per channel: (pixel / 255)^gamma * 255 * gain + offset."""
    levels = np.linspace(0, 1, 256)[:, None] ** gamma * 255 * gains + offset
    return np.asarray(cv2.LUT(image, np.clip(np.round(levels), 0, 255).astype(np.uint8)[None]), np.uint8)


def _saturate(image: ByteImage, amount: float) -> ByteImage:
    grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    return np.asarray(cv2.addWeighted(image, amount, grey, 1 - amount, 0), np.uint8)


def _blur(image: ByteImage, rng: np.random.Generator) -> ByteImage:
    """Defocus, or motion along one image axis."""
    if rng.random() < 0.6:
        return np.asarray(cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 1.6)), np.uint8)
    length = int(rng.integers(3, 10))
    kernel = np.full((1, length), 1 / length, np.float32)
    return np.asarray(cv2.filter2D(image, -1, kernel if rng.random() < 0.7 else kernel.T), np.uint8)


def _noise(image: ByteImage, sigma: float, rng: np.random.Generator) -> ByteImage:
    """Grey noise, alike in all channels."""
    noise = (rng.standard_normal(image.shape[:2], np.float32) * np.float32(sigma)).astype(np.int16)
    return np.asarray(np.clip(image.astype(np.int16) + noise[..., None], 0, 255), np.uint8)


def normalize(image: ByteImage, mean: Sequence[float], std: Sequence[float]) -> npt.NDArray[np.float32]:
    """uint8[H, W, 3] BGR -> float32[3, H, W] RGB, (pixel / 255 - mean) / std."""
    rgb = image[..., ::-1].astype(np.float32) / 255
    normal = (rgb - np.asarray(mean, np.float32)) / np.asarray(std, np.float32)
    return np.ascontiguousarray(normal.transpose(2, 0, 1))
