"""The road: a curved strip of the ground plane, and what lies where across it."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]

KERB_M = 0.16
"""Width of the kerb stone."""

PAVED, GRASS, SIDE_ROAD = 0, 1, 2
"""Ground behind the pavement: paved, grass, or the mouth of a side road that also interrupts the pavement."""


@dataclass(frozen=True, slots=True)
class Road:
    """A road along x whose centre line is y = sum of sines.

    A place has road coordinates (x, d): d is its distance in y from the centre line, m, left positive.

    Attributes:
        waves: (amplitude m, wavelength m, phase rad) of every sine.
        half_width: from the centre line to the kerb, m.
        pavements: widths of the left and the right pavement, m.
        side: driving side: +1 left-hand traffic, -1 right-hand.
        start: x of the first verge cell, m.
        verges: uint8[2, N] PAVED, GRASS or SIDE_ROAD per metre of x, left and right.
        roofline: float32[2, N] height of the houses per metre of x, m.
        setback: float32[2, N] distance of the houses from the centre line, m.
        marking: how the lanes are painted: "dashes", "solid", "none".
        edge_lines: 0 none, 1 or 2 lines along the kerbs.
        edge_yellow: whether those lines are yellow.
        crossings: x of zebra crossings, m.
        tone: BGR albedo of the asphalt.
        pavement_tone: BGR albedo of the pavement.
        grass_tone: BGR albedo of the grass.
        surface_seed: picks the ground tiles.
    """

    waves: tuple[tuple[float, float, float], ...]
    half_width: float
    pavements: tuple[float, float]
    side: int
    start: float
    verges: Bytes
    roofline: Floats
    setback: Floats
    marking: str
    edge_lines: int
    edge_yellow: bool
    crossings: tuple[float, ...]
    tone: tuple[float, float, float]
    pavement_tone: tuple[float, float, float]
    grass_tone: tuple[float, float, float]
    surface_seed: int

    def centre(self, x: float) -> float:
        """Y of the centre line, m."""
        return centre_line(self.waves, x)

    def centres(self, x: Floats) -> Floats:
        """Y of the centre line at many x."""
        total = np.zeros_like(x)
        for amplitude, wavelength, phase in self.waves:
            total += np.float32(amplitude) * np.sin(x * np.float32(2 * math.pi / wavelength) + np.float32(phase))
        return total

    def slope(self, x: float) -> float:
        """dy/dx of the centre line."""
        return sum(a * 2 * math.pi / w * math.cos(2 * math.pi * x / w + p) for a, w, p in self.waves)

    def point(self, x: float, d: float, z: float = 0.0) -> tuple[float, float, float]:
        """World position of road coordinates, m."""
        return x, self.centre(x) + d, z

    def cell(self, x: npt.ArrayLike) -> npt.NDArray[np.intp]:
        """Index of the verge cells at x."""
        index = np.floor(np.asarray(x) - self.start).astype(np.intp)
        return np.asarray(np.clip(index, 0, self.verges.shape[1] - 1))

    @property
    def lane(self) -> float:
        """D of the middle of the own lane, m."""
        return self.side * self.half_width / 2.0


def centre_line(waves: tuple[tuple[float, float, float], ...], x: float) -> float:
    """Y of a centre line made of `waves` (amplitude, wavelength, phase) at x, m."""
    return sum(a * math.sin(2 * math.pi * x / w + p) for a, w, p in waves)
