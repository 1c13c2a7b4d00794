"""Maps of low resolution at chosen pixels of the image, on half-pixel centres as everywhere in this project."""

import torch
from torch import Tensor


def bilinear_weights(cells: int, pixels: Tensor, stride: float) -> Tensor:
    """Weights float32[N, cells] that interpolate a row of cells at N pixels.

    Args:
        cells: cells along the axis; cell c covers the pixels c * stride ... (c + 1) * stride.
        pixels: int64[N], indices of the wanted pixels.
        stride: pixels a cell.
    """
    place = ((pixels + 0.5) / stride - 0.5).clamp(0, cells - 1)
    low = place.floor().long().clamp(max=max(cells - 2, 0))
    share = (place - low).float()
    weights = torch.zeros(len(pixels), cells, device=pixels.device)
    rows = torch.arange(len(pixels), device=pixels.device)
    weights[rows, low] = 1.0 - share
    weights[rows, (low + 1).clamp(max=cells - 1)] += share
    return weights


def at_every(maps: Tensor, size: tuple[int, int], step: int, phase: tuple[int, int]) -> Tensor:
    """float32[B, C, h, w] bilinearly at the pixels [phase[0]::step, phase[1]::step] of an image of `size` (H, W).

    The same as upsampling to the whole image and then taking those pixels, without the whole image.
    """
    sides = []
    for axis in range(2):
        pixels = torch.arange(phase[axis], size[axis], step, device=maps.device)
        sides.append(bilinear_weights(maps.shape[2 + axis], pixels, size[axis] / maps.shape[2 + axis]))
    return sides[0] @ maps @ sides[1].T
