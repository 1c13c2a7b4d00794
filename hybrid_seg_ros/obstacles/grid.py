"""The ground before the camera as a grid of cells: free, occupied, unknown."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

UNKNOWN, FREE, OCCUPIED = -1, 0, 100
Cells = npt.NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class GridGeometry:
    """Where the cells lie in the vehicle frame. Cell [row, column] covers a square whose lower corner is
    (origin_x + column * resolution, origin_y + row * resolution).

    Attributes:
        resolution: side of a cell, m.
        width: cells along x.
        height: cells along y.
        origin_x: of the corner of cell [0, 0], m.
        origin_y: of the corner of cell [0, 0], m.
    """

    resolution: float
    width: int
    height: int
    origin_x: float
    origin_y: float

    def __post_init__(self) -> None:
        """Raises ValueError for a grid without cells."""
        if not (math.isfinite(self.resolution) and self.resolution > 0.0):
            raise ValueError(f"the grid's resolution is {self.resolution:g} m, expected > 0")
        if min(self.width, self.height) < 1:
            raise ValueError(f"the grid has {self.width} x {self.height} cells, expected at least one each way")
        if not (math.isfinite(self.origin_x) and math.isfinite(self.origin_y)):
            raise ValueError(f"the grid's origin is ({self.origin_x}, {self.origin_y}) m, expected finite values")


def unknown_grid(geometry: GridGeometry) -> Cells:
    """int8[height, width] of cells of which nothing is known."""
    return np.full((geometry.height, geometry.width), UNKNOWN, np.int8)
