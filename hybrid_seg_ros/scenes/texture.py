"""Textures with their minified versions, so that distant surfaces do not sparkle."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]

_SMALLEST = 4
_SKEW = 2


@dataclass(frozen=True, slots=True)
class Texture:
    """A picture and its minified versions, halved along either axis more than the other (a ripmap).

    Attributes:
        levels: levels[i][j - max(i - 2, 0)] is uint8[H >> i, W >> j, C], kept for |i - j| <= 2; C is 3 (BGR) or
            4 (BGR premultiplied by alpha, alpha).
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
        j = round(math.log2(max(step_u, 1.0)))
        row = self.levels[i]
        return row[min(max(j - max(i - _SKEW, 0), 0), len(row) - 1)]


def make_texture(picture: Pixels, size_m: tuple[float, float]) -> Texture:
    """Build the ripmap of `picture` (uint8[H, W, C])."""
    rows: list[tuple[Pixels, ...]] = []
    height, width = picture.shape[:2]
    most_i, most_j = (max(int(math.log2(max(n / _SMALLEST, 1.0))), 0) for n in (height, width))
    tall = picture
    for i in range(most_i + 1):
        if i > 0:
            tall = _resized(tall, tall.shape[1], height >> i)
        first = min(max(i - _SKEW, 0), most_j)
        if width >> first != tall.shape[1]:
            tall = _resized(tall, width >> first, tall.shape[0])
        row = [tall]
        for j in range(first + 1, min(i + _SKEW, most_j) + 1):
            row.append(_resized(row[-1], width >> j, tall.shape[0]))
        rows.append(tuple(row))
    return Texture(tuple(rows), size_m)


def _resized(picture: Pixels, width: int, height: int) -> Pixels:
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
