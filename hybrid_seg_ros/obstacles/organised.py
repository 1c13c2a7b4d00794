"""A cloud with one point for each pixel of the mask: where planners may put what the pixel shows."""

from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.frames.camera import CameraModel
from hybrid_seg_ros.obstacles.cloud import usable_contacts
from hybrid_seg_ros.obstacles.columns import check_sizes, column_spans
from hybrid_seg_ros.obstacles.compiled import compiled
from hybrid_seg_ros.obstacles.ground import GroundProjection
from hybrid_seg_ros.obstacles.lens import lens_of
from hybrid_seg_ros.obstacles.types import Floats, Obstacles

# What numba's own types say; Python's are others.
Array: TypeAlias = Any

_STRIDES = (8, 4, 2, 1)
_TOLERANCE = 2e-5
"""Greatest error of an interpolated ray, of its length: 0.3 % of the distance at 150 times the camera's height."""


class OrganisedCloud:
    """Makes the clouds of one camera; called by one thread.

    Nothing of it is kept but the lens' rays, which do not depend on the pose: a pose may change with every image. They
    are computed on a grid of pixels that is refined until what is interpolated between its nodes is good enough for
    any lens; only pixels of drivable ground are taken down to it.
    """

    def cloud(
        self,
        obstacles: Obstacles,
        labels: npt.NDArray[np.uint8] | None,
        drivable: npt.NDArray[np.bool_],
        ground: GroundProjection,
        *,
        confirmed_only: bool = True,
        ground_z: float = 0.0,
    ) -> Floats:
        """Points float32[H, W, 4] of x, y, z, m, and the anomaly score of an image's pixels.

        A pixel of an obstacle carries the contact point of its obstacle in its image column, and the score there; NaN
        where there is none, or where the obstacle is not confirmed. Any other pixel of drivable ground carries its own
        ground point, score 0; up to the ground's max_range_m. All others are NaN.

        Args:
            obstacles: of one image.
            labels: uint8[H, W] class ids of it; None: no pixel is known to be ground.
            drivable: bool[K], classes that are drivable ground; ids from K on are not.
            ground: how its pixels lie on the ground.
            confirmed_only: whether obstacles must have passed the time filter.
            ground_z: height of the ground plane in the frame of the cloud, m.

        Raises:
            ValueError: labels or a ground projection of another size than the obstacles'.
        """
        width, height = obstacles.size
        check_sizes(obstacles, labels, ground)
        cloud = np.full((height, width, 4), np.nan, np.float32)
        if labels is not None:
            table = np.zeros(256, np.bool_)
            table[: drivable.size] = drivable
            nodes, stride = _ray_nodes(ground.camera)
            rays = np.ascontiguousarray(nodes @ ground.pose.rotation.T)
            x, y, z = ground.pose.position.tolist()
            _lay_ground(cloud, np.ascontiguousarray(labels), table, rays, stride, x, y, z, ground.max_range_m, ground_z)
        self._stand(cloud, obstacles, confirmed_only, ground_z)
        return cloud

    def _stand(self, cloud: Floats, obstacles: Obstacles, confirmed_only: bool, ground_z: float) -> None:
        """Enter the obstacles' pixels."""
        first, offset = column_spans(obstacles)
        of_column = np.full(int(offset[-1]), -1, np.int32)
        contacts, runs = obstacles.contacts, obstacles.runs
        index = usable_contacts(obstacles, confirmed_only)
        owner = contacts.obstacle[index]
        of_column[offset[owner] + contacts.column[index] - first[owner]] = index
        points = np.empty((contacts.column.size, 4), np.float32)
        points[:, :2], points[:, 2], points[:, 3] = contacts.xy, ground_z, contacts.score
        _enter_runs(cloud, runs.row, runs.start, runs.stop, runs.obstacle, first, offset, of_column, points)


@lru_cache(maxsize=8)
def _ray_nodes(camera: CameraModel) -> tuple[npt.NDArray[np.float64], int]:
    """Rays float64[h, w, 3] of every n-th row and column, one past the image's end, and n; NaN where there is none.

    n is the largest with which the lines between neighbouring nodes stay within the tolerance at the middle of every
    square of nodes.
    """
    lens = lens_of(camera)

    def rays(shift: float, stride: int, less: int) -> npt.NDArray[np.float64]:
        columns, rows = (-(-(size - 1) // stride) + 1 - less for size in (camera.width, camera.height))
        u, v = np.meshgrid((np.arange(columns) + shift) * stride, (np.arange(rows) + shift) * stride)
        return lens.rays(u.ravel(), v.ravel())[0].reshape(rows, columns, 3)

    for stride in _STRIDES:
        nodes = rays(0.0, stride, 0)
        exact = rays(0.5, stride, 1)
        between = 0.25 * (nodes[:-1, :-1] + nodes[:-1, 1:] + nodes[1:, :-1] + nodes[1:, 1:])
        with np.errstate(invalid="ignore"):
            error = np.linalg.norm(between - exact, axis=2) / np.linalg.norm(exact, axis=2)
        if not np.any(error > _TOLERANCE):
            break
    return nodes, stride


@compiled(
    "void(float32[:,:,::1], uint8[:,::1], boolean[::1], float64[:,:,::1], int64, float64, float64, float64, float64,"
    " float64)"
)
def _lay_ground(
    cloud: Array, labels: Array, drivable: Array, rays: Array, stride: int, x: float, y: float, z: float,
    max_range: float, ground_z: float,
) -> None:  # fmt: skip
    """Enter the ground points of drivable pixels; rays [h, w, 3] in the vehicle frame, camera at x, y, z."""
    height, width = labels.shape
    columns = rays.shape[1]
    line = np.empty((columns + 1, 3))
    for v in range(height):
        node = v // stride
        share = (v - node * stride) / stride
        below = min(node + 1, rays.shape[0] - 1)
        for k in range(columns):
            for i in range(3):
                line[k, i] = rays[node, k, i]
                if share > 0.0:  # on a node's own row, what is below it may have no ray
                    line[k, i] += share * (rays[below, k, i] - rays[node, k, i])
        for u in range(width):
            if not drivable[labels[v, u]]:
                continue
            k = u // stride
            part = (u - k * stride) / stride
            rx, ry, rz = line[k, 0], line[k, 1], line[k, 2]
            if part > 0.0:
                rx += part * (line[k + 1, 0] - rx)
                ry += part * (line[k + 1, 1] - ry)
                rz += part * (line[k + 1, 2] - rz)
            if not rz < 0.0:
                continue
            reach = -z / rz
            dx, dy = rx * reach, ry * reach
            if dx * dx + dy * dy > max_range * max_range:
                continue
            cloud[v, u, 0] = x + dx
            cloud[v, u, 1] = y + dy
            cloud[v, u, 2] = ground_z
            cloud[v, u, 3] = 0.0


@compiled(
    "void(float32[:,:,::1], int32[::1], int32[::1], int32[::1], int32[::1], int64[::1], int64[::1], int32[::1],"
    " float32[:,::1])"
)
def _enter_runs(
    cloud: Array, row: Array, start: Array, stop: Array, obstacle: Array, first: Array, offset: Array,
    of_column: Array, points: Array,
) -> None:  # fmt: skip
    """Give obstacles' pixels the point of their column; NaN where of_column is -1."""
    for r in range(row.size):
        to = offset[obstacle[r]] - first[obstacle[r]]
        for u in range(start[r], stop[r]):
            contact = of_column[to + u]
            for i in range(4):
                cloud[row[r], u, i] = points[contact, i] if contact >= 0 else np.nan
