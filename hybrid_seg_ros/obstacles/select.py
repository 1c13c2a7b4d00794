"""Some of an image's obstacles."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.obstacles.types import Contacts, Obstacles, Runs


def select(obstacles: Obstacles, keep: npt.NDArray[np.bool_]) -> Obstacles:
    """Those that are kept, in their order, with their contacts and pixels; `removed` stays.

    Args:
        obstacles: of one image.
        keep: bool[N], one for each obstacle.

    Raises:
        ValueError: not one for each.
    """
    if keep.shape != (len(obstacles.obstacles),):
        raise ValueError(f"keep has shape {list(keep.shape)}, expected [{len(obstacles.obstacles)}]")
    if keep.all():
        return obstacles
    index = np.where(keep, np.cumsum(keep) - 1, -1).astype(np.int32)
    c, r = obstacles.contacts, obstacles.runs
    mine, drawn = keep[c.obstacle], keep[r.obstacle]
    return replace(
        obstacles,
        obstacles=tuple(found for found, kept in zip(obstacles.obstacles, keep, strict=True) if kept),
        contacts=Contacts(
            c.column[mine], c.row[mine], index[c.obstacle[mine]], c.score[mine], c.xy[mine], c.sigma[mine]
        ),
        runs=Runs(r.row[drawn], r.start[drawn], r.stop[drawn], index[r.obstacle[drawn]]),
    )
