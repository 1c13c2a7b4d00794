"""Where an obstacle touches the ground, column by column, although parts of it hang in the air.

The lowest obstacle pixel of a column is where it touches the ground only if it stands there. Under a belly, a trolley's
basket or an outstretched arm one looks through to ground far behind, and the plane would put the contact there. So:

1. The nearest column of an obstacle is taken for a foot, and with it all columns that are at most the obstacle's own
   width (at least MIN_DEPTH_M) farther away. Things are about as deep as they are wide; bellies look far deeper. Long
   things are followed along their sides, as far as these go on without a jump (MAX_SLOPE).
2. Between the outermost feet the contact line is the lower convex hull of the feet in the image (a pinhole's image of a
   plane keeps lines and convexity, so for a convex footprint it is exact). Columns that hang above it get their contact
   on it: the front of an obstacle is closed, there is no way through between its legs. Unless they hang higher than
   `clearance_m` over it: one may pass under a banner between two posts, and there is no contact below.
3. Columns beyond the outermost feet hang, and have no contact. But where they are more than those between the feet,
   something wider may stand there behind: they are looked at again from step 1.

An obstacle whose feet are hidden (by another one, the hood, the image's edge) is put where its lowest visible pixel
looks: too far, never too near. One that merges in the mask with a nearer and wider one has no contacts of its own.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.obstacles.compiled import compiled
from hybrid_seg_ros.obstacles.edges import Edges
from hybrid_seg_ros.obstacles.ground import GroundProjection
from hybrid_seg_ros.obstacles.types import Floats

# What the signatures beside each function say; Python's own types are others than numba's.
Array: TypeAlias = Any
Scalar: TypeAlias = Any
Flags = npt.NDArray[np.bool_]

MIN_DEPTH_M = 0.3
MAX_SLOPE = 6.0
"""Of an obstacle's side over ground: metres along the line of sight for each metre across."""
_MIN_COLUMNS = 3
_HULL_PX = 0.5
_STRETCH = 8  # columns over which a side is followed: a single one is all raster


@compiled("void(int64, int64, int32[::1], float32[::1], boolean[::1], int64[::1], float32[::1])")
def _close_front(
    first: Scalar, last: Scalar, column: Array, edge: Array, foot: Array, hull: Array, line: Array
) -> None:
    """The contact line from one foot to another, over all feet between them."""
    size = 0
    for i in range(first, last + 1):
        if not foot[i]:
            continue
        # The lower hull in the image, where rows grow downwards (monotone chain).
        while size >= 2:
            p, q = hull[size - 2], hull[size - 1]
            turn = (column[q] - column[p]) * (edge[i] - edge[p]) - (edge[q] - edge[p]) * (column[i] - column[p])
            if turn < 0.0:
                break
            size -= 1
        hull[size] = i
        size += 1
    for k in range(size - 1):
        p, q = hull[k], hull[k + 1]
        slope = (edge[q] - edge[p]) / (column[q] - column[p])
        for i in range(p, q):
            line[i] = edge[p] + slope * (column[i] - column[p])
    line[last] = edge[last]


@compiled("boolean(int64, int64, int64, float32[::1], float64, float64)")
def _goes_on(new: Scalar, last: Scalar, before: Scalar, distance: Array, focal: Scalar, height: Scalar) -> Scalar:
    """Whether a column continues a side: by MAX_SLOPE, and one pixel's row for the raster, from the last column and
    from one a stretch before.
    """
    for old in (last, before):
        near = distance[old]
        row = (near * near + height * height) / (height * focal)
        if not distance[new] - near <= MAX_SLOPE * near / focal * abs(new - old) + row:
            return False
    return True


@compiled("void(int64[::1], int32[::1], float32[::1], float32[::1], float64, float64, float64, float32[::1])")
def _contact_lines(
    starts: Array, column: Array, edge: Array, distance: Array, focal: Scalar, height: Scalar, pixel: Scalar,
    line: Array,
) -> None:  # fmt: skip
    """The contact line of each component; `line` comes as NaN and stays so where there is no contact."""
    hull = np.empty(column.shape[0] + 1, np.int64)
    foot = np.zeros(column.shape[0], np.bool_)
    waiting = np.empty((column.shape[0] + 1, 2), np.int64)
    for c in range(starts.shape[0] - 1):
        waiting[0, 0], waiting[0, 1] = starts[c], starts[c + 1] - 1
        size = 1
        while size > 0:
            size -= 1
            first, last = waiting[size, 0], waiting[size, 1]
            nearest = -1
            for i in range(first, last + 1):
                if distance[i] == distance[i] and (nearest < 0 or distance[i] < distance[nearest]):
                    nearest = i
            if nearest < 0:
                continue
            near = distance[nearest]
            width = near * (column[last] - column[first] + 1) / focal
            blur = 2.0 * pixel * (near * near + height * height) / (height * focal)
            limit = near + max(width, MIN_DEPTH_M) + blur
            a, b = first, last
            # Outermost columns that are far behind their neighbours see the obstacle's side, not its foot.
            while not distance[a] <= limit or (a < nearest and distance[a] - distance[a + 1] > MIN_DEPTH_M + blur):
                a += 1
            while not distance[b] <= limit or (b > nearest and distance[b] - distance[b - 1] > MIN_DEPTH_M + blur):
                b -= 1
            for i in range(a, b + 1):
                foot[i] = distance[i] <= limit
            # A side that goes on along the ground is long, not hanging.
            while a > first and _goes_on(a - 1, a, min(a + _STRETCH, b), distance, focal, height):
                a -= 1
                foot[a] = True
            while b < last and _goes_on(b + 1, b, max(b - _STRETCH, a), distance, focal, height):
                b += 1
                foot[b] = True
            _close_front(a, b, column, edge, foot, hull, line)
            for low, high in ((first, a - 1), (b + 1, last)):
                if high - low + 1 > max(_MIN_COLUMNS, b - a + 1):
                    waiting[size, 0], waiting[size, 1] = low, high
                    size += 1


@dataclass(frozen=True, slots=True)
class Feet:
    """Where the columns of lower edges have their contact with the ground.

    Attributes:
        row: float32[M], px: lower edge of the lowest pixel, or the contact line where the obstacle hangs over it.
        xy: float32[M, 2], m, vehicle frame; NaN where it is not known.
        listed: bool[M], whether the column has a contact; all columns of an obstacle whose contacts are all unknown.
    """

    row: Floats
    xy: Floats
    listed: Flags


def stand(edges: Edges, ground: GroundProjection | None, *, clearance_m: float, pixel_sigma: float) -> Feet:
    """Where obstacles stand on the ground.

    Args:
        edges: their lower edges.
        ground: the camera over the ground; None: nothing is known but pixels.
        clearance_m: what hangs higher between the feet of an obstacle does not close the way below.
        pixel_sigma: one standard deviation of an edge, px: feet may seem farther apart by twice that.
    """
    edge = (edges.bottom + 0.5).astype(np.float32)
    if ground is None:
        return Feet(edge, np.full((edge.size, 2), np.nan, np.float32), np.ones(edge.size, bool))
    xy, _ = ground.to_ground(edges.column, edge)
    foot = ground.pose.position
    distance = np.hypot(xy[:, 0] - foot[0], xy[:, 1] - foot[1]).astype(np.float32)
    line = np.full(edge.size, np.nan, np.float32)
    _contact_lines(edges.starts, edges.column, edge, distance, ground.camera.fx, foot[2], pixel_sigma, line)
    hanging = np.flatnonzero(line > edge + _HULL_PX)
    row = edge.copy()
    row[hanging] = line[hanging]
    if hanging.size:
        column = edges.column[hanging]
        xy[hanging], _ = ground.to_ground(column, row[hanging])
        height = ground.height_over_ground(column, edge[hanging], xy[hanging])
        line[hanging[~(height <= clearance_m)]] = np.nan
    nowhere = np.isnan(line)
    xy[nowhere] = np.nan
    return Feet(row, xy, ~nowhere | ~edges.any(~nowhere)[edges.owner])
