"""What is left of an image's components, in the shared types."""

import numpy as np

from hybrid_seg_ros.obstacles.contact import Feet
from hybrid_seg_ros.obstacles.edges import Edges
from hybrid_seg_ros.obstacles.ground import GroundProjection
from hybrid_seg_ros.obstacles.measure import Measures
from hybrid_seg_ros.obstacles.runs import Components, Mask
from hybrid_seg_ros.obstacles.types import Contacts, Ints, Obstacle, Runs

_BESIDE = 128
"""Looked at for the class on which an obstacle stands: this fraction of the image's height below its edge."""


def contacts_of(
    edges: Edges,
    feet: Feet,
    index: Ints,
    ground: GroundProjection | None,
    *,
    pixel_sigma: float,
    pitch_sigma: float,
    height_sigma: float,
) -> Contacts:
    """The contact points of what is left, with their standard deviations.

    Args:
        edges: lower edges of C components.
        feet: where they stand.
        index: int32[C], of the obstacle that a component becomes, rising; -1: of none.
        ground: the camera over the ground; None: no metres.
        pixel_sigma: see `GroundProjection.sigma`; likewise pitch_sigma, height_sigma.
        pitch_sigma: rad.
        height_sigma: m.
    """
    listed = np.flatnonzero(feet.listed & (index[edges.owner] >= 0))
    column, row, xy = edges.column[listed], feet.row[listed], feet.xy[listed]
    sigma = np.full_like(xy, np.nan)
    if ground is not None and listed.size:
        sigma = ground.sigma(column, row, xy, pixel_sigma, pitch_sigma=pitch_sigma, height_sigma=height_sigma)
    return Contacts(column, row, index[edges.owner[listed]], edges.score[listed], xy, sigma)


def runs_of(components: Components, edges: Edges, index: Ints) -> Runs:
    """The runs of the components that become an obstacle; index int32[C] of the edges as in `contacts_of`."""
    numbers = np.full(components.pixels.size, -1, np.int32)
    numbers[edges.number] = index
    obstacle = numbers[components.component]
    mine = np.flatnonzero(obstacle >= 0)
    return Runs(components.row[mine], components.start[mine], components.stop[mine], obstacle[mine])


def classes_below(contacts: Contacts, labels: Mask | None, count: int) -> list[int]:
    """Class that most of the pixels just below the contacts of each of `count` obstacles have; -1 without labels."""
    if labels is None:
        return [-1] * count
    height = labels.shape[0]
    row = np.minimum(np.floor(contacts.row).astype(np.int64) + 1 + height // _BESIDE, height - 1)
    pairs = contacts.obstacle.astype(np.int64) * 256 + labels[row, contacts.column]
    votes = np.bincount(pairs, minlength=256 * count).reshape(count, 256)
    return [int(label) for label in votes.argmax(axis=1)]


def obstacles_of(
    components: Components, edges: Edges, index: Ints, measures: Measures, below: list[int]
) -> tuple[Obstacle, ...]:
    """What is said of each obstacle; below: its class of `classes_below`, the rest as in `contacts_of`."""
    c = edges.number
    greatest = np.fmax.reduceat(edges.score, edges.starts[:-1]) if c.size else edges.score
    bounds = np.stack([components.x0[c], components.y0[c], components.x1[c], components.y1[c]], axis=1)
    found = []
    for label, i in zip(below, np.flatnonzero(index >= 0).tolist(), strict=True):
        x0, y0, x1, y1 = bounds[i].tolist()
        x, y = measures.position[i].tolist()
        found.append(
            Obstacle(
                bbox=(x0, y0, x1, y1),
                pixels=int(components.pixels[c[i]]),
                score_mean=float(edges.score_mean[i]),
                score_max=float(greatest[i]),
                label=label,
                distance_m=float(measures.distance[i]),
                position=(x, y),
                width_m=float(measures.width[i]),
                height_m=float(measures.height[i]),
            )
        )
    return tuple(found)
