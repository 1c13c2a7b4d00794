"""Textures with their minified versions, so that distant surfaces do not sparkle."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Texture:
    """A picture and its minified versions, halved along either axis alone (a ripmap).

    Attributes:
        levels: levels[i][j] is uint8[H >> i, W >> j, C]; C is 3 (BGR), 4 (BGR premultiplied by alpha, alpha) or 1.
        size_m: width and height of the whole texture in the world, m.
    """

    levels: tuple[tuple[Pixels, ...], ...]
    size_m: tuple[float, float]

    @property
    def base(self) -> Pixels:
        """The full-resolution picture."""
        return self.levels[0][0]

    def level_for(self, step_u: float, step_v: float) -> Pixels:
        """The version whose texels are about one pixel.

        Args:
            step_u: texels of the base crossed per image pixel along the texture's width.
            step_v: the same along its height.
        """
        i = min(round(math.log2(max(step_v, 1.0))), len(self.levels) - 1)
        row = self.levels[i]
        j = min(round(math.log2(max(step_u, 1.0))), len(row) - 1)
        return row[j]


def make_texture(picture: Pixels, size_m: tuple[float, float], smallest: int = 4) -> Texture:
    """Build the ripmap of `picture` (uint8[H, W] or [H, W, C])."""
    rows: list[tuple[Pixels, ...]] = []
    tall = picture
    while True:
        row = [tall]
        while row[-1].shape[1] >= 2 * smallest:
            row.append(_resized(row[-1], row[-1].shape[1] // 2, row[-1].shape[0]))
        rows.append(tuple(row))
        if tall.shape[0] < 2 * smallest:
            return Texture(tuple(rows), size_m)
        tall = _resized(tall, tall.shape[1], tall.shape[0] // 2)


def _resized(picture: Pixels, width: int, height: int) -> Pixels:
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
