"""Contact points as a cloud in the planner's height band, and as one point for every pixel of the mask.

Only contact points leave for the planner: a whole mask laid on the ground would smear every obstacle away from the
camera.
"""

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.obstacles.types import Obstacles

POINT = np.dtype(
    [
        ("x", "<f4"),
        ("y", "<f4"),
        ("z", "<f4"),
        ("intensity", "<f4"),
        ("id", "<u4"),
        ("sigma_range", "<f4"),
        ("sigma_across", "<f4"),
    ]
)
"""One cloud point: x, y, z m; intensity the anomaly score; id of the track, 0 before the time filter; sigma_range and
sigma_across m, one standard deviation along the line of sight over ground and across it."""

Points = npt.NDArray[np.void]


def usable_contacts(obstacles: Obstacles, confirmed_only: bool) -> npt.NDArray[np.intp]:
    """Indices of the contacts whose place is known, and whose obstacle is confirmed where that is asked for."""
    usable = np.isfinite(obstacles.contacts.xy).all(axis=1)
    if confirmed_only and usable.size:
        confirmed = np.fromiter((o.confirmed for o in obstacles.obstacles), np.bool_, len(obstacles.obstacles))
        usable &= confirmed[obstacles.contacts.obstacle]
    return np.flatnonzero(usable)


def point_cloud(
    obstacles: Obstacles,
    *,
    z_min: float,
    z_max: float,
    layers: int = 1,
    confirmed_only: bool = True,
    ground_z: float = 0.0,
    voxel_m: float = 0.0,
) -> Points:
    """Every contact as a column of points in the planner's height band.

    The points stand in the middle of `layers` equal slices of the band, never on its bounds: planners compare with
    the bounds after a transform, whose rounding would decide.

    Args:
        obstacles: of one image.
        z_min: lower bound of the band, m over the ground.
        z_max: upper bound, m over the ground.
        layers: points for each contact.
        confirmed_only: whether obstacles must have passed the time filter.
        ground_z: height of the ground plane in the frame of the cloud, m.
        voxel_m: of several contacts in a square of this side only the one with the greatest score is kept; 0 keeps
            all.

    Returns:
        POINT[N], by layer, then image column; empty when all is clear. Contacts of unknown place are not in it.

    Raises:
        ValueError: a band or a number of layers that makes no points, or a negative voxel.
    """
    if not z_min < z_max:
        raise ValueError(f"the height band is {z_min:g} to {z_max:g} m, expected z_min < z_max")
    if layers < 1:
        raise ValueError(f"layers is {layers}, expected at least 1")
    if voxel_m < 0.0:
        raise ValueError(f"voxel_m is {voxel_m:g} m, expected >= 0")
    index = usable_contacts(obstacles, confirmed_only)
    if voxel_m > 0.0:
        index = _best_in_voxel(obstacles, index, voxel_m)
    contacts = obstacles.contacts
    ids = np.fromiter((o.id for o in obstacles.obstacles), np.uint32, len(obstacles.obstacles))
    points = np.empty((layers, len(index)), POINT)
    points["x"], points["y"] = contacts.xy[index].T
    points["z"] = ground_z + z_min + (np.arange(layers)[:, None] + 0.5) * ((z_max - z_min) / layers)
    points["intensity"] = contacts.score[index]
    points["id"] = ids[contacts.obstacle[index]]
    points["sigma_range"], points["sigma_across"] = contacts.sigma[index].T
    return points.reshape(-1)


def _best_in_voxel(obstacles: Obstacles, index: npt.NDArray[np.intp], voxel_m: float) -> npt.NDArray[np.intp]:
    """Of the contacts `index` the one with the greatest score in each square of the ground; the first of equals."""
    contacts = obstacles.contacts
    score = np.nan_to_num(contacts.score[index], nan=-np.inf, posinf=np.inf, neginf=-np.inf)
    by_score = index[np.argsort(-score, kind="stable")]
    cell = np.floor(contacts.xy[by_score] / voxel_m).astype(np.int64)
    _, first = np.unique(cell, axis=0, return_index=True)
    return np.sort(by_score[first])
