"""Obstacles as boxes and words for people."""

import math
from dataclasses import dataclass

import numpy as np

from hybrid_seg_ros.obstacles.types import Obstacle, Obstacles

MIN_SIDE_M = 0.05
"""No side of a box is shown shorter: it could not be seen."""


@dataclass(frozen=True, slots=True)
class ObstacleBox:
    """A box on the ground around what is seen of an obstacle.

    Attributes:
        id: of its track, 0 before the time filter.
        confirmed: whether the time filter let it through.
        centre: (x, y, z) m, the middle of the box.
        size: (depth, width, height) m, along the line of sight over ground, across it, up. The depth is that of the
            contact points: nobody sees an obstacle's back.
        yaw: rad, of the line of sight over ground.
        text: id, distance and score, for a label above the box.
    """

    id: int
    confirmed: bool
    centre: tuple[float, float, float]
    size: tuple[float, float, float]
    yaw: float
    text: str


def obstacle_boxes(
    obstacles: Obstacles, *, confirmed_only: bool = False, ground_z: float = 0.0
) -> tuple[ObstacleBox, ...]:
    """A box for every obstacle whose place on the ground is known, in their order.

    Args:
        obstacles: of one image.
        confirmed_only: whether obstacles must have passed the time filter.
        ground_z: height of the ground plane in the frame of the boxes, m.
    """
    contacts = obstacles.contacts
    boxes = []
    for index, obstacle in enumerate(obstacles.obstacles):
        if not (math.isfinite(obstacle.distance_m) and (obstacle.confirmed or not confirmed_only)):
            continue
        xy = contacts.xy[contacts.obstacle == index].astype(np.float64)
        xy = xy[np.isfinite(xy).all(axis=1)]
        if not len(xy):
            continue
        yaw = math.atan2(obstacle.position[1], obstacle.position[0])
        c, s = math.cos(yaw), math.sin(yaw)
        along, across = xy @ (c, s), xy @ (-s, c)
        middle = (float(along.min() + along.max()) / 2.0, float(across.min() + across.max()) / 2.0)
        size = (
            max(float(np.ptp(along)), MIN_SIDE_M),
            max(float(np.ptp(across)), _known(obstacle.width_m), MIN_SIDE_M),
            max(_known(obstacle.height_m), MIN_SIDE_M),
        )
        x, y = c * middle[0] - s * middle[1], s * middle[0] + c * middle[1]
        boxes.append(
            ObstacleBox(obstacle.id, obstacle.confirmed, (x, y, ground_z + size[2] / 2.0), size, yaw, _text(obstacle))
        )
    return tuple(boxes)


def _known(value: float) -> float:
    return value if math.isfinite(value) else 0.0


def _text(obstacle: Obstacle) -> str:
    name = f"#{obstacle.id} " if obstacle.id else ""
    score = f" {obstacle.score_max:.2f}" if math.isfinite(obstacle.score_max) else ""
    return f"{name}{obstacle.distance_m:.1f} m{score}"
