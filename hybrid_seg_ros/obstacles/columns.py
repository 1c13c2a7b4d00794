"""What obstacles are in each of their image columns, for what is made of pixels and contacts together."""

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.obstacles.ground import GroundProjection
from hybrid_seg_ros.obstacles.types import Obstacles

Indices = npt.NDArray[np.int64]


def check_sizes(obstacles: Obstacles, labels: npt.NDArray[np.uint8] | None, ground: GroundProjection) -> None:
    """Raises ValueError for labels or a ground projection of another size than the obstacles'."""
    width, height = obstacles.size
    if (ground.camera.width, ground.camera.height) != (width, height):
        raise ValueError(
            f"the ground projection is for {ground.camera.width}x{ground.camera.height} px, expected the obstacles' "
            f"{width}x{height}"
        )
    if labels is not None and labels.shape != (height, width):
        raise ValueError(f"labels have shape {labels.shape}, expected the obstacles' ({height}, {width})")


def column_spans(obstacles: Obstacles) -> tuple[Indices, Indices]:
    """The image columns of N obstacles, one obstacle after another in one row of entries.

    Returns:
        first: int64[N], the first column of each obstacle's box.
        begin: int64[N + 1], the entry of that column, so that column u of obstacle o is entry
            begin[o] + u - first[o]; begin[N] is the number of entries.
    """
    bounds = np.array([(o.bbox[0], o.bbox[2]) for o in obstacles.obstacles], np.int64).reshape(-1, 2)
    begin = np.zeros(len(bounds) + 1, np.int64)
    np.cumsum(bounds[:, 1] - bounds[:, 0], out=begin[1:])
    return bounds[:, 0].copy(), begin
