"""How far, how wide and how high obstacles are."""

import math
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.obstacles.compiled import compiled
from hybrid_seg_ros.obstacles.contact import Feet
from hybrid_seg_ros.obstacles.edges import Edges
from hybrid_seg_ros.obstacles.ground import GroundProjection
from hybrid_seg_ros.obstacles.runs import Components
from hybrid_seg_ros.obstacles.types import Floats

Doubles = npt.NDArray[np.float64]
# What the signatures beside each function say; Python's own types are others than numba's.
Array: TypeAlias = Any


@compiled("void(int64[::1], float32[:, ::1], boolean[::1], float64[::1], int64[::1], float64[:, ::1])")
def _summarise(starts: Array, xy: Array, listed: Array, distance: Array, nearest: Array, median: Array) -> None:
    """Nearest contact and median of x and of y of each obstacle; outputs come as NaN and -1."""
    for c in range(starts.shape[0] - 1):
        found = np.empty((2, starts[c + 1] - starts[c]), np.float32)
        size = 0
        for i in range(starts[c], starts[c + 1]):
            if listed[i] and xy[i, 0] == xy[i, 0]:
                found[0, size], found[1, size] = xy[i, 0], xy[i, 1]
                size += 1
                away = math.hypot(xy[i, 0], xy[i, 1])
                if nearest[c] < 0 or away < distance[c]:
                    distance[c] = away
                    nearest[c] = i
        for axis in range(2):
            if size > 0:
                part = np.sort(found[axis, :size])
                median[c, axis] = (part[(size - 1) // 2] + part[size // 2]) / 2.0


@dataclass(frozen=True, slots=True)
class Measures:
    """Of C obstacles, in the order of their edges; NaN where there is no contact on the ground.

    Attributes:
        distance: float64[C], m, from the vehicle frame's origin to the nearest contact.
        position: float64[C, 2], m, median x and median y of the contacts.
        width: float64[C], m, extent of all its columns across the line of sight, at the nearest contact's distance.
        height: float64[C], m, of its topmost pixel over the nearest contact.
    """

    distance: Doubles
    position: Doubles
    width: Doubles
    height: Doubles


def measure(edges: Edges, feet: Feet, components: Components, ground: GroundProjection | None) -> Measures:
    """Sizes of obstacles through the plane."""
    count = edges.number.size
    distance, width, height = (np.full(count, np.nan) for _ in range(3))
    position = np.full((count, 2), np.nan)
    nearest = np.full(count, -1, np.int64)
    _summarise(edges.starts, feet.xy, feet.listed, distance, nearest, position)
    known = np.flatnonzero(nearest >= 0)
    if ground is not None and known.size:
        at, number = nearest[known], edges.number[known]
        sides = np.concatenate([components.x0[number] - 0.5, components.x1[number] - 0.5])
        width[known] = _across(ground, sides, np.tile(feet.row[at], 2), feet.xy[at])
        height[known] = ground.height_over_ground(edges.column[at], components.y0[number] - 0.5, feet.xy[at])
    return Measures(distance, position, width, height)


def _across(ground: GroundProjection, sides: Doubles, rows: Floats, nearest: Floats) -> Doubles:
    """Extent, m, between the left and the right sides' bearings at the distance of the nearest contacts [C, 2]."""
    foot = ground.pose.position[:2]
    ends, _ = ground.to_ground(sides, rows)
    bearing = np.arctan2(ends[:, 1] - foot[1], ends[:, 0] - foot[0])
    angle = np.abs(np.angle(np.exp(1j * (bearing[: nearest.shape[0]] - bearing[nearest.shape[0] :]))))
    return np.asarray(2.0 * np.hypot(nearest[:, 0] - foot[0], nearest[:, 1] - foot[1]) * np.tan(angle / 2.0))
