"""Uniform dequantisation: 8-bit pixels to reals and back (Theis et al., arXiv 1511.01844, section 3.1)."""

import torch
from torch import Tensor

LEVELS = 256


def dequantize(pixels: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """(pixel + u) / 256 - 1/2 with u uniform in [0, 1).

    ln P(pixels) >= E_u [ln p(dequantised)] - D ln 256 for images of D values.

    Args:
        pixels: uint8 or float32[B, 3, H, W] of 8-bit values 0..255.
        generator: source of u.

    Returns:
        float32[B, 3, H, W] in [-1/2, 1/2).
    """
    noise = torch.rand(pixels.shape, generator=generator, device=pixels.device)
    return (pixels.float() + noise) / LEVELS - 0.5


def to_pixels(values: Tensor) -> Tensor:
    """The float pixel whose dequantisation has `values` at the middle of its bin, kept within 0..255.

    A pixel beyond 0..255 would tell a network that it was generated, so it is cut; straight through, because the cut's
    own gradient is 0 exactly where a sample is furthest out and needs it most. Nothing is rounded: rounding has
    the gradient 0 everywhere, and no loss on a generated pixel would ever reach the flow.

    Args:
        values: float32[B, 3, H, W], as `dequantize` gives them.

    Returns:
        float32[B, 3, H, W] in [0, 255], with the gradient of the uncut pixel.
    """
    pixels = (values + 0.5) * LEVELS - 0.5
    return pixels + (pixels.clamp(0.0, LEVELS - 1.0) - pixels).detach()
