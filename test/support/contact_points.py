"""Obstacles given by where they touch the ground, for what is made of contact points alone."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hybrid_seg_ros.obstacles.types import Contacts, Obstacle, Obstacles, empty_runs


@dataclass(frozen=True, slots=True)
class Touching:
    """One obstacle: contact points (x, y) m in the image columns from `first` on, and what the filter said of it."""

    points: Sequence[tuple[float, float]]
    first: int = 0
    id: int = 1
    confirmed: bool = True
    score: float = 1.0
    sigma: tuple[float, float] = (0.0, 0.0)


def standing(*things: Touching, size: tuple[int, int] = (640, 360), stamp_ns: int = 5) -> Obstacles:
    """Obstacles with those contacts, in the order of their columns."""
    rows = sorted(
        (thing.first + k, index, thing.score, *point, *thing.sigma)
        for index, thing in enumerate(things)
        for k, point in enumerate(thing.points)
    )
    table = np.array(rows, np.float64).reshape(-1, 7)
    contacts = Contacts(
        table[:, 0].astype(np.int32),
        np.full(len(table), size[1] - 0.5, np.float32),
        table[:, 1].astype(np.int32),
        table[:, 2].astype(np.float32),
        table[:, 3:5].astype(np.float32),
        table[:, 5:7].astype(np.float32),
    )
    found = []
    for thing in things:
        xy = np.array(thing.points)
        distance = float(np.hypot(*xy.T).min())
        x, y = np.median(xy, axis=0).tolist()
        box = (thing.first, 10, thing.first + len(xy), 20)
        found.append(
            Obstacle(
                box,
                10 * len(xy),
                thing.score,
                thing.score,
                -1,
                distance,
                (x, y),
                1.0,
                0.8,
                thing.id,
                3,
                thing.confirmed,
            )
        )
    return Obstacles(stamp_ns, size, tuple(found), contacts, empty_runs())
