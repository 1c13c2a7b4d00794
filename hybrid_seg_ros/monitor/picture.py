"""What a glance at an image tells of its quality: brightness, sharpness, structure; a fraction of a millisecond."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]

TILES = (9, 16)
"""Rows and columns of the grid that structure is told by."""

SATURATED = 250
_TILE_WIDTH = 10
_OVERSAMPLING = 4
_CONTRAST_OFFSET = 4.0  # grey levels: what noise adds to a tile's contrast must not make it look blurred
_EMPTY_DETAIL = 2.2
_EMPTY_CONTRAST = 5.0
_FEWEST_TILES = 15


@dataclass(frozen=True, slots=True)
class Glance:
    """Measures of one image; they hardly depend on its resolution.

    Attributes:
        highlight: 95th percentile of the brightness, 0 .. 255.
        saturated: share of the image that is as bright as can be, 0 .. 1.
        sharpness: detail over contrast at the sharpest tenth of the structured tiles; 0.4 .. 0.65 for images of
            streets, below 0.32 where a defocus of sigma 1 % of the width or more blurs them; NaN without structure.
        empty: bool[9, 16], tiles without any structure.
    """

    highlight: float
    saturated: float
    sharpness: float
    empty: npt.NDArray[np.bool_]


def small_grey(image: Image) -> Image:
    """The green channel (grey images: the only one) on a grid at most 160 pixels wide.

    Sparse rows and columns are averaged, so that the cost hardly grows with the image; averaging keeps noise down.

    Args:
        image: uint8[H, W, 3] BGR or uint8[H, W]; may be strided and read-only.

    Returns:
        uint8[h, w], w a multiple of 16 and h one of 9.

    Raises:
        ValueError: no such array, or one smaller than 16 x 9.
    """
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] != 3):
        raise ValueError(f"expected an image of uint8[H, W, 3] or uint8[H, W], found {image.dtype}{list(image.shape)}")
    height, width = image.shape[:2]
    rows, columns = TILES
    if height < rows or width < columns:
        raise ValueError(f"expected an image of at least {columns} x {rows} pixels, found {width} x {height}")
    w = columns * min(_TILE_WIDTH, width // columns)
    h = rows * min(max(1, round(height * w / width / rows)), height // rows)
    plane = image[..., 1] if image.ndim == 3 else image
    sparse = np.ascontiguousarray(
        plane[:: max(1, height // (h * _OVERSAMPLING)), :: max(1, width // (w * _OVERSAMPLING))]
    )
    return np.asarray(cv2.resize(sparse, (w, h), interpolation=cv2.INTER_AREA), np.uint8)


def glance(image: Image) -> Glance:
    """Measure an image; see `small_grey` for what it may be and what is raised.

    Sharpness is the variance of the Laplacian (Pech-Pacheco et al., ICPR 2000) tile by tile, as deviations, relative
    to the tile's contrast: a blurred image has no sharp place at all, a sharp one some in any scene. The light
    Gaussian in front takes sensor noise out, which is sharp in the most blurred image.
    """
    grey = small_grey(image)
    shares = np.cumsum(np.bincount(grey.ravel(), minlength=256)) / grey.size
    smooth = cv2.GaussianBlur(grey.astype(np.float32), (3, 3), 0)
    detail = _deviations(np.asarray(cv2.Laplacian(smooth, cv2.CV_32F), np.float32))
    contrast = _deviations(grey.astype(np.float32))
    empty = (detail < _EMPTY_DETAIL) & (contrast < _EMPTY_CONTRAST)
    ratios = np.sort((detail / (contrast + _CONTRAST_OFFSET))[~empty])
    return Glance(
        highlight=float(np.searchsorted(shares, 0.95)),
        saturated=float(1.0 - shares[SATURATED - 1]),
        sharpness=float(ratios[int(0.9 * (ratios.size - 1))]) if ratios.size >= _FEWEST_TILES else float("nan"),
        empty=empty,
    )


def _deviations(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Standard deviation in each tile, float32[9, 16]."""
    rows, columns = TILES
    height, width = values.shape
    tiles = values.reshape(rows, height // rows, columns, width // columns)
    return np.asarray(tiles.std(axis=(1, 3)), np.float32)
