"""The ground before the camera as a grid of cells: free, occupied, unknown."""

import math
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.obstacles.cloud import usable_contacts
from hybrid_seg_ros.obstacles.columns import check_sizes, column_spans
from hybrid_seg_ros.obstacles.compiled import compiled
from hybrid_seg_ros.obstacles.ground import GroundProjection
from hybrid_seg_ros.obstacles.types import Obstacles

# What numba's own types say; Python's are others.
Array: TypeAlias = Any

UNKNOWN, FREE, OCCUPIED = -1, 0, 100
Cells = npt.NDArray[np.int8]

_JOINED = 0.1
"""Contacts of neighbouring columns are joined up to this share of their distance; a wider gap is a step in depth, from
one thing to what stands behind it."""


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


class OccupancyMapper:
    """Makes the grids of one camera; called by one thread.

    Which pixel shows which cell's centre is looked up once for each ground projection.

    Attributes:
        geometry: of the grids.
    """

    def __init__(self, geometry: GridGeometry) -> None:
        self.geometry = geometry
        self._seen: tuple[GroundProjection, npt.NDArray[np.int32], npt.NDArray[np.int32]] | None = None

    def occupancy(
        self,
        obstacles: Obstacles,
        labels: npt.NDArray[np.uint8] | None,
        drivable: npt.NDArray[np.bool_],
        ground: GroundProjection,
        *,
        confirmed_only: bool = True,
    ) -> Cells:
        """What is known of each cell: int8[height, width] of OCCUPIED, FREE and UNKNOWN.

        * OCCUPIED: an obstacle touches the ground there: its contact points, the lines between those of neighbouring
          image columns where there is no step in depth, and what lies within one standard deviation of a contact
          point along the line of sight and across it.
        * FREE: the pixel that shows the cell's centre is drivable ground.
        * UNKNOWN: all others: outside the view, beyond the ground's max_range_m, no drivable ground, or behind an
          obstacle. That is, in the image, what lies in one of its columns between its topmost pixel and its contact or
          its lowest pixel, holes included; behind obstacles that are not confirmed, too.

        Args:
            obstacles: of one image.
            labels: uint8[H, W] class ids of it; None: no cell is known to be free.
            drivable: bool[K], classes that are drivable ground; ids from K on are not.
            ground: how its pixels lie on the ground.
            confirmed_only: whether obstacles must have passed the time filter to occupy cells.

        Raises:
            ValueError: labels or a ground projection of another size than the obstacles'.
        """
        check_sizes(obstacles, labels, ground)
        cells = unknown_grid(self.geometry)
        if labels is not None:
            table = np.zeros(256, np.bool_)
            table[: drivable.size] = drivable
            cell, pixel = self._cells_seen(ground)
            hidden = _hidden(obstacles)
            _free(cells.reshape(-1), np.ascontiguousarray(labels).reshape(-1), table, cell, pixel, *hidden)
        index = usable_contacts(obstacles, confirmed_only)
        if index.size:
            self._occupy(cells, obstacles, index, ground)
        return cells

    def _cells_seen(self, ground: GroundProjection) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
        """Cells whose centres are seen, and the pixels that show them, int32[N], as flat indices."""
        if self._seen is None or self._seen[0] is not ground:
            g, camera, pose = self.geometry, ground.camera, ground.pose
            points = np.zeros((g.height, g.width, 3))
            points[..., 0] = g.origin_x + (np.arange(g.width) + 0.5) * g.resolution
            points[..., 1] = g.origin_y + (np.arange(g.height)[:, None] + 0.5) * g.resolution
            near = np.hypot(points[..., 0] - pose.x, points[..., 1] - pose.y) <= ground.max_range_m
            cell = np.flatnonzero(near)
            uv, seen = ground.to_image(points.reshape(-1, 3)[cell])
            at = np.rint(np.where(seen[:, None], uv, -1.0))
            seen &= (at >= 0).all(axis=1) & (at[:, 0] < camera.width) & (at[:, 1] < camera.height)
            pixel = at[seen, 1] * camera.width + at[seen, 0]
            self._seen = (ground, cell[seen].astype(np.int32), pixel.astype(np.int32))
        return self._seen[1:]

    def _occupy(
        self, cells: Cells, obstacles: Obstacles, index: npt.NDArray[np.intp], ground: GroundProjection
    ) -> None:
        """Enter contacts, their errors, and the lines between neighbouring ones; in units of cells."""
        g, contacts = self.geometry, obstacles.contacts
        xy = (contacts.xy[index].astype(np.float64) - [g.origin_x, g.origin_y]) / g.resolution
        across_all = math.hypot(g.width, g.height)
        sigma = np.minimum(np.nan_to_num(contacts.sigma[index].astype(np.float64) / g.resolution), across_all)
        x, y = (ground.pose.x - g.origin_x) / g.resolution, (ground.pose.y - g.origin_y) / g.resolution
        last = np.full(len(obstacles.obstacles), -1, np.int64)
        _occupied(cells, xy, sigma, contacts.column[index], contacts.obstacle[index], last, x, y)


def _hidden(obstacles: Obstacles) -> tuple[Array, Array, Array, Array]:
    """The parts of image columns that obstacles hide, rows top to bottom, both included, as lists by column.

    Returns head int32[W], the first entry of each column's list; and of M entries int32[M] the following one, the top
    and the bottom row. -1 ends a list.
    """
    first, begin = column_spans(obstacles)
    entries, (width, height) = int(begin[-1]), obstacles.size
    head, following = np.full(width, -1, np.int32), np.empty(entries, np.int32)
    top, bottom = np.full(entries, height, np.int32), np.full(entries, -1, np.int32)
    runs, contacts = obstacles.runs, obstacles.contacts
    entry = (begin[:-1] - first)[contacts.obstacle] + contacts.column
    bottom[entry] = np.ceil(contacts.row - 0.5).astype(np.int32)
    _list_hidden(runs.row, runs.start, runs.stop, runs.obstacle, first, begin, head, following, top, bottom)
    return head, following, top, bottom


@compiled(
    "void(int32[::1], int32[::1], int32[::1], int32[::1], int64[::1], int64[::1], int32[::1], int32[::1], int32[::1],"
    " int32[::1])"
)
def _list_hidden(
    row: Array, start: Array, stop: Array, obstacle: Array, first: Array, begin: Array, head: Array, following: Array,
    top: Array, bottom: Array,
) -> None:  # fmt: skip
    """Enter the runs of all obstacles, then link their columns."""
    for r in range(row.size):
        to = begin[obstacle[r]] - first[obstacle[r]]
        tops, bottoms = top[to + start[r] : to + stop[r]], bottom[to + start[r] : to + stop[r]]
        for k in range(tops.size):
            tops[k] = min(tops[k], row[r])
            bottoms[k] = max(bottoms[k], row[r])
    for o in range(first.size):
        for entry in range(begin[o], begin[o + 1]):
            u = entry - begin[o] + first[o]
            following[entry] = head[u]
            head[u] = entry


@compiled(
    "void(int8[::1], uint8[::1], boolean[::1], int32[::1], int32[::1], int32[::1], int32[::1], int32[::1], int32[::1])"
)
def _free(
    cells: Array, labels: Array, drivable: Array, cell: Array, pixel: Array, head: Array, following: Array, top: Array,
    bottom: Array,
) -> None:  # fmt: skip
    """Free the cells that show drivable ground and that no obstacle hides; all arrays flat."""
    width = head.size
    for i in range(cell.size):
        if not drivable[labels[pixel[i]]]:
            continue
        v, u = pixel[i] // width, pixel[i] % width
        entry = head[u]
        while entry >= 0 and not top[entry] <= v <= bottom[entry]:
            entry = following[entry]
        if entry < 0:
            cells[cell[i]] = FREE


@compiled("void(int8[:,::1], float64, float64, float64, float64)")
def _draw(cells: Array, x0: float, y0: float, x1: float, y1: float) -> None:
    """Occupy the cells of a line, given in cells, in steps of at most half a cell; only what is inside is walked."""
    dx, dy = x1 - x0, y1 - y0
    enter, leave = 0.0, 1.0
    for start, step, size in ((x0, dx, cells.shape[1]), (y0, dy, cells.shape[0])):
        if step == 0.0:
            if not 0.0 <= start < size:
                return
        else:
            a, b = -start / step, (size - start) / step
            enter, leave = max(enter, min(a, b)), min(leave, max(a, b))
    if enter > leave:
        return
    steps = math.ceil(2.0 * (leave - enter) * max(abs(dx), abs(dy)))
    for k in range(steps + 1):
        share = enter + (leave - enter) * (k / max(steps, 1))
        i, j = math.floor(y0 + share * dy), math.floor(x0 + share * dx)
        if 0 <= i < cells.shape[0] and 0 <= j < cells.shape[1]:
            cells[i, j] = OCCUPIED


@compiled("void(int8[:,::1], float64[:,::1], float64[:,::1], int32[::1], int32[::1], int64[::1], float64, float64)")
def _occupied(
    cells: Array, xy: Array, sigma: Array, column: Array, obstacle: Array, last: Array, x: float, y: float
) -> None:
    """Occupy what contacts, by image column, take up; all in cells, the camera at x, y.

    `last` is -1 for each obstacle: where its contact of the column before is found.
    """
    for i in range(xy.shape[0]):
        px, py = xy[i, 0], xy[i, 1]
        _draw(cells, px, py, px, py)
        distance = math.hypot(px - x, py - y)
        if distance == 0.0:
            continue
        before = last[obstacle[i]]
        last[obstacle[i]] = i
        if before >= 0 and column[i] - column[before] <= 1:
            bx, by = xy[before, 0], xy[before, 1]
            if math.hypot(px - bx, py - by) <= _JOINED * distance:
                _draw(cells, bx, by, px, py)
        sx, sy = (px - x) / distance, (py - y) / distance
        along, across = sigma[i, 0], sigma[i, 1]
        lines = math.ceil(2.0 * across) if across > 0.25 else 0  # half a cell and less apart
        for k in range(-lines, lines + 1):
            share = k / max(lines, 1)
            reach = along * math.sqrt(1.0 - share * share)
            ox, oy = px - share * across * sy, py + share * across * sx
            _draw(cells, ox - reach * sx, oy - reach * sy, ox + reach * sx, oy + reach * sy)
