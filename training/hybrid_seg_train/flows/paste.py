"""Where a flow's samples go: sizes, places, and pasting that gradients pass through."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

PATCH_SIDES = tuple(range(16, 217, 8))
"""METHOD's patch sides {16, 24, ..., 216}, px."""

Place = tuple[int, int]
"""(top, left) corner of a patch, px."""


def draw_patch_size(
    rng: np.random.Generator, limits: tuple[int, int], sides: Sequence[int] = PATCH_SIDES
) -> tuple[int, int]:
    """One patch size for a batch: height and width drawn independently from those of `sides` that fit.

    Args:
        rng: the source of randomness.
        limits: (height, width) of the images, px.
        sides: the allowed sides, px.

    Returns:
        (height, width), px.

    Raises:
        ValueError: no side fits.
    """
    fitting = [[side for side in sides if side <= limit] for limit in limits]
    if not all(fitting):
        raise ValueError(
            f"images of {limits[0]}x{limits[1]} (height x width) hold no patch: sides start at {min(sides)}"
        )
    height, width = (int(rng.choice(options)) for options in fitting)
    return height, width


def draw_places(rng: np.random.Generator, count: int, size: tuple[int, int], limits: tuple[int, int]) -> list[Place]:
    """A uniformly random place for each of `count` patches of `size` inside images of `limits` (height, width)."""
    tops = rng.integers(0, limits[0] - size[0] + 1, count)
    lefts = rng.integers(0, limits[1] - size[1] + 1, count)
    return [(int(top), int(left)) for top, left in zip(tops, lefts, strict=True)]


class Pasted(NamedTuple):
    """A batch with samples in it.

    Attributes:
        images: float32[B, 3, H, W], normalised; differentiable in the samples.
        mask: bool[B, H, W], true on pasted pixels.
        saved_crops: float32[N, 3, h, w], 8-bit values 0..255: what the samples replaced. No gradient.
    """

    images: Tensor
    mask: Tensor
    saved_crops: Tensor


def paste_samples(
    images: Tensor, samples: Tensor, places: Sequence[Place | None], *, mean: Sequence[float], std: Sequence[float]
) -> Pasted:
    """Paste samples, in order, into the images that have a place.

    Args:
        images: float32[B, 3, H, W], (pixel / 255 - mean) / std.
        samples: float32[N, 3, h, w] in 0..255, of one size.
        places: for each image where its sample goes, or None for an image that gets none; N of them are not None.
        mean: of the normalisation.
        std: of the normalisation.

    Raises:
        ValueError: numbers that do not match, or a patch that does not lie inside its image.
    """
    targets = [(i, place) for i, place in enumerate(places) if place is not None]
    if len(places) != len(images) or len(targets) != len(samples):
        raise ValueError(
            f"{len(images)} images, {len(samples)} samples and {len(places)} places of which {len(targets)} hold a "
            "sample: expected a place or None for every image and a sample for every place"
        )
    height, width = samples.shape[2:]
    center, spread = (images.new_tensor(v).view(3, 1, 1) for v in (mean, std))
    normalised = (samples / 255.0 - center) / spread
    result = images.clone()
    mask = torch.zeros(len(images), *images.shape[2:], dtype=torch.bool, device=images.device)
    saved = images.new_zeros(samples.shape)
    for n, (i, (top, left)) in enumerate(targets):
        if not (0 <= top <= images.shape[2] - height and 0 <= left <= images.shape[3] - width):
            raise ValueError(
                f"patch of {height}x{width} at ({top}, {left}) leaves its image of {images.shape[2]}x{images.shape[3]}"
            )
        saved[n] = images[i, :, top : top + height, left : left + width].detach()
        result[i, :, top : top + height, left : left + width] = normalised[n]
        mask[i, top : top + height, left : left + width] = True
    # Crops are data, so rounding them to the 8-bit levels that the likelihood is about costs no gradient.
    crops = ((saved * spread + center) * 255.0).round().clamp(0.0, 255.0)
    return Pasted(result, mask, crops)
