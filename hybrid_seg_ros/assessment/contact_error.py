"""How far contact points are from where obstacles of a generated drive touch the ground."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hybrid_seg_ros.obstacles.ground import GroundProjection
from hybrid_seg_ros.obstacles.types import Obstacles
from hybrid_seg_ros.scenes.classes import PAVEMENT, ROAD
from hybrid_seg_ros.scenes.truth import ObstacleTruth, SceneFrame

RANGE_M = (5.0, 40.0)
"""Distances at which positions are judged, m."""

_REACH_PX = 2


@dataclass(frozen=True, slots=True)
class ContactError:
    """One obstacle of one frame.

    Attributes:
        kind: of the obstacle.
        distance: true distance of its nearest ground point, m.
        error: from that point to the contact point in its image column, m over ground.
        sigma: one standard deviation that the contact point claims, both directions together, m.
    """

    kind: str
    distance: float
    error: float
    sigma: float


def shows_its_foot(truth: ObstacleTruth, scene: SceneFrame) -> bool:
    """Whether the nearest point of an obstacle's footprint is seen: in the image, with ground below, and not hidden.

    The outermost pixels of an obstacle may belong to the ground, so its pixels are looked for a little above.
    """
    instances = scene.instances
    height, width = instances.shape
    u, v = truth.contact_pixel
    column, row = round(u), round(v)
    if not (0 <= column < width and _REACH_PX <= row < height - 1):
        return False
    around = slice(row - _REACH_PX, row + _REACH_PX + 1), slice(max(column - 1, 0), column + 2)
    near, labels = instances[around], scene.labels[around]
    ground = (near == 0) & np.isin(labels, (ROAD, PAVEMENT))
    mine = near == truth.id
    return bool(mine[: _REACH_PX + 1].any() and ground[_REACH_PX:].any() and (mine | ground).all())


def contact_error(
    obstacles: Obstacles, indices: Sequence[int], truth: ObstacleTruth, ground: GroundProjection
) -> ContactError | None:
    """Of the contact points of those obstacles the one in the column where the true one is; None where it has none.

    Args:
        obstacles: of the frame.
        indices: of the obstacles that show the true one; of several in that column the nearest counts.
        truth: the true one.
        ground: projects the contact points' pixels.
    """
    contacts = obstacles.contacts
    mine = np.flatnonzero(np.isin(contacts.obstacle, indices))
    away = np.abs(contacts.column[mine] - truth.contact_pixel[0])
    if not (away <= _REACH_PX).any():
        return None
    best = mine[np.lexsort((-contacts.row[mine], away))[0]]
    xy, valid = ground.to_ground(contacts.column[best : best + 1], contacts.row[best : best + 1])
    if not valid[0]:
        return None
    x, y = truth.contact
    error = float(np.hypot(xy[0, 0] - x, xy[0, 1] - y))
    return ContactError(truth.kind, truth.distance, error, float(np.hypot(*contacts.sigma[best])))
