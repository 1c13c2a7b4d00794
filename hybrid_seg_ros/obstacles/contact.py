"""Where an obstacle touches the ground, column by column, although parts of it hang in the air.

The lowest obstacle pixel of a column is where it touches the ground only if it stands there. Under a belly, a trolley's
basket or an outstretched arm one looks through to ground far behind, and the plane would put the contact there. So:

1. The nearest column of an obstacle is taken for a foot, and with it all columns that are at most the obstacle's own
   width (at least MIN_DEPTH_M) farther away. Things are about as deep as they are wide; bellies look far deeper.
2. Between the outermost feet the contact line is the lower convex hull of the feet in the image (a plane's image keeps
   lines and convexity, so for a convex footprint it is exact). Columns that hang above it get their contact on it:
   the front of an obstacle is closed, there is no way through between its legs. Unless they hang higher than
   `clearance_m` over it: one may pass under a banner between two posts, and there is no contact below.
3. Columns beyond the outermost feet hang, and have no contact. But where they are many, at least FOOT_SHARE of the
   columns between the feet, something else may stand there behind: they are looked at again from step 1.
"""

from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.frames.camera import CameraModel
from hybrid_seg_ros.obstacles.compiled import compiled
from hybrid_seg_ros.obstacles.edges import Edges
from hybrid_seg_ros.obstacles.pose import CameraPose
from hybrid_seg_ros.obstacles.types import Floats

# What the signatures beside each function say; Python's own types are others than numba's.
Array: TypeAlias = Any
Scalar: TypeAlias = Any
Doubles = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

MIN_DEPTH_M = 0.3
FOOT_SHARE = 0.5
_MIN_COLUMNS = 3
_HULL_PX = 0.5


@compiled("void(int64, int64, int32[::1], float32[::1], float32[::1], float64, int64[::1], int64[::1], float32[::1])")
def _close_front(
    first: Scalar, last: Scalar, column: Array, edge: Array, distance: Array, limit: Scalar, hull: Array,
    bounds: Array, line: Array,
) -> None:  # fmt: skip
    """The contact line over the feet among first .. last, those within the limit; the outermost ones go to `bounds`."""
    size = 0
    for i in range(first, last + 1):
        if not distance[i] <= limit:
            continue
        if size == 0:
            bounds[0] = i
        bounds[1] = i
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
    line[bounds[1]] = edge[bounds[1]]


@compiled(
    "void(int64[::1], int32[::1], float32[::1], float32[::1], float32[::1], float64, float64, float64, float32[::1])"
)
def _contact_lines(
    starts: Array, column: Array, edge: Array, distance: Array, tolerance: Array, focal: Scalar, min_depth: Scalar,
    share: Scalar, line: Array,
) -> None:  # fmt: skip
    """The contact line of each component; `line` comes as NaN and stays so where there is no contact."""
    hull = np.empty(column.shape[0] + 1, np.int64)
    waiting = np.empty((column.shape[0] + 1, 2), np.int64)
    bounds = np.empty(2, np.int64)
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
            width = distance[nearest] * (column[last] - column[first] + 1) / focal
            limit = distance[nearest] + max(width, min_depth) + 2.0 * tolerance[nearest]
            _close_front(first, last, column, edge, distance, limit, hull, bounds, line)
            feet = bounds[1] - bounds[0] + 1
            for a, b in ((first, bounds[0] - 1), (bounds[1] + 1, last)):
                if b - a + 1 >= max(_MIN_COLUMNS, share * feet):
                    waiting[size, 0], waiting[size, 1] = a, b
                    size += 1


class Ground(Protocol):
    """What is asked of the camera over the ground, see `GroundProjection`."""

    @property
    def camera(self) -> CameraModel: ...

    @property
    def pose(self) -> CameraPose: ...

    def to_ground(self, u: Doubles, v: Doubles) -> tuple[Floats, Flags]: ...

    def sigma(
        self, u: Doubles, v: Doubles, xy: Floats, pixel_sigma: float, *, pitch_sigma: float, height_sigma: float
    ) -> Floats: ...

    def height_over_ground(self, u: Doubles, v_top: Doubles, xy: Floats) -> Floats: ...


@dataclass(frozen=True, slots=True)
class PixelErrors:
    """How exact a contact's pixel and the camera's place are, one standard deviation each.

    Attributes:
        pixel: px, in both directions.
        pitch: rad.
        height: m.
    """

    pixel: float
    pitch: float
    height: float


@dataclass(frozen=True, slots=True)
class Feet:
    """Where the columns of lower edges have their contact with the ground.

    Attributes:
        row: float32[M], px: lower edge of the lowest pixel, or the contact line where the obstacle hangs over it.
        xy: float32[M, 2], m, vehicle frame; NaN where it is not known.
        sigma: float32[M, 2], m, along the line of sight and across; NaN likewise.
        listed: bool[M], whether the column has a contact; all columns of an obstacle whose contacts are all unknown.
    """

    row: Floats
    xy: Floats
    sigma: Floats
    listed: Flags


def stand(edges: Edges, ground: Ground | None, errors: PixelErrors, clearance_m: float) -> Feet:
    """Where obstacles stand on the ground.

    Args:
        edges: their lower edges.
        ground: the camera over the ground; None: nothing is known but pixels.
        errors: for the standard deviations.
        clearance_m: what hangs higher between the feet of an obstacle does not close the way below.
    """
    edge = (edges.bottom + 0.5).astype(np.float32)
    if ground is None:
        unknown = np.full((edge.size, 2), np.nan, np.float32)
        return Feet(edge, unknown, unknown, np.ones(edge.size, bool))
    u = edges.column.astype(np.float64)
    xy, sigma = _project(u, edge, ground, errors)
    foot = ground.pose.position[:2]
    distance = np.hypot(xy[:, 0] - foot[0], xy[:, 1] - foot[1]).astype(np.float32)
    line = np.full(edge.size, np.nan, np.float32)
    _contact_lines(
        edges.starts, edges.column, edge, distance, np.ascontiguousarray(sigma[:, 0]), ground.camera.fx, MIN_DEPTH_M,
        FOOT_SHARE, line,
    )  # fmt: skip
    row = np.where(np.isnan(line), edge, line)
    hanging = np.flatnonzero(line > edge + _HULL_PX)
    if hanging.size:
        at = u[hanging]
        xy[hanging], sigma[hanging] = _project(at, row[hanging], ground, errors)
        height = ground.height_over_ground(at, edge[hanging].astype(np.float64), xy[hanging])
        line[hanging[~(height <= clearance_m)]] = np.nan
    nowhere = np.isnan(line)
    xy[nowhere] = np.nan
    sigma[nowhere] = np.nan
    return Feet(row, xy, sigma, ~nowhere | ~edges.any(~nowhere)[edges.owner])


def _project(u: Doubles, edge: Floats, ground: Ground, errors: PixelErrors) -> tuple[Floats, Floats]:
    v = edge.astype(np.float64)
    xy, _ = ground.to_ground(u, v)
    sigma = ground.sigma(u, v, xy, errors.pixel, pitch_sigma=errors.pitch, height_sigma=errors.height)
    return xy, sigma
