"""Which obstacle of this image is which of the images before: by place on the ground and by overlap in the image."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.obstacles.types import Contacts, Obstacles

Reals = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.intp]

PLACE_M = 0.5
"""What the middle of an obstacle's contact line moves from image to image on a thing that stands still, m."""
SIGMAS = 3.0
"""Standard deviations of both places that the gate leaves room for."""
SAME_SHARE = 0.5
"""Boxes that share this much of the smaller one show one thing, or a part of it."""


@dataclass(frozen=True, slots=True)
class Sightings:
    """Where things are, each a row of every array.

    Attributes:
        box: float64[N, 4], half-open x0, y0, x1, y1, px.
        xy: float64[N, 2], m, on the ground in the vehicle frame; NaN where that is unknown.
        sigma: float64[N, 2], m, one standard deviation of `xy` along the line of sight and across it.
        width: float64[N], m, across the line of sight; 0 where it is unknown.
    """

    box: Reals
    xy: Reals
    sigma: Reals
    width: Reals

    def __len__(self) -> int:
        return len(self.box)

    def take(self, index: Indices) -> "Sightings":
        """Those rows, in that order."""
        return Sightings(self.box[index], self.xy[index], self.sigma[index], self.width[index])

    def join(self, other: "Sightings") -> "Sightings":
        """These rows, then the other's."""
        return Sightings(
            np.concatenate([self.box, other.box]),
            np.concatenate([self.xy, other.xy]),
            np.concatenate([self.sigma, other.sigma]),
            np.concatenate([self.width, other.width]),
        )


def sightings(obstacles: Obstacles) -> Sightings:
    """One row for each obstacle, by index."""
    found = obstacles.obstacles
    return Sightings(
        np.array([o.bbox for o in found], np.float64).reshape(-1, 4),
        np.array([o.position for o in found], np.float64).reshape(-1, 2),
        _mean_sigma(obstacles.contacts, len(found)),
        np.nan_to_num(np.array([o.width_m for o in found], np.float64)),
    )


def _mean_sigma(contacts: Contacts, count: int) -> Reals:
    """float64[count, 2], m: mean over an obstacle's contact points on the ground; 0 without any."""
    known = np.isfinite(contacts.sigma).all(axis=1) & np.isfinite(contacts.xy).all(axis=1)
    owner = contacts.obstacle[known]
    points = np.maximum(np.bincount(owner, minlength=count), 1)
    sums = [np.bincount(owner, contacts.sigma[known, axis], minlength=count) for axis in (0, 1)]
    return np.stack(sums, axis=1) / points[:, None]


@dataclass(frozen=True, slots=True)
class Pairs:
    """Every earlier sighting (row) with every one of now (column).

    Attributes:
        possible: bool[T, N]: the two may be one thing.
        same: bool[T, N]: they overlap so much in the image that one is the other or a part of it; implies `possible`.
        cost: float64[T, N], 0 (same place, same box) .. 2; what assignment makes small.
    """

    possible: Bools
    same: Bools
    cost: Reals


def pair(before: Sightings, now: Sightings, elapsed_s: Reals, frames: Reals, speed_mps: float, gate_px: float) -> Pairs:
    """Compare all with all.

    On the ground the two places may differ, along the line of sight and across it, by what the thing moves
    (`speed_mps` for the time between), by PLACE_M, by SIGMAS standard deviations of both places together and, across,
    by half of what the widths differ, which is what the middle moves when a part is not seen. Where either place is
    unknown, the middles of the boxes' lower edges may be `gate_px` apart for each image between. Boxes of which the
    smaller one lies in the other for at least SAME_SHARE may belong together wherever they seem to stand: the upper
    part of a thing that breaks in two seems to stand far behind.

    Args:
        before: T sightings.
        now: N sightings.
        elapsed_s: float64[T], s since each of `before`.
        frames: float64[T], images since each of `before`, 1 for the last one.
        speed_mps: the greatest speed of a thing relative to the camera, m/s.
        gate_px: px for each image.
    """
    shared = _shared(before.box, now.box)
    area_before, area_now = _area(before.box)[:, None], _area(now.box)[None, :]
    overlap = shared / np.maximum(area_before + area_now - shared, 1e-9)
    same = shared >= SAME_SHARE * np.maximum(np.minimum(area_before, area_now), 1e-9)
    apart = _apart_on_ground(before, now, elapsed_s * speed_mps)
    known = ~np.isnan(apart)
    foot = _foot(before.box)[:, None] - _foot(now.box)[None, :]
    in_image = np.hypot(foot[..., 0], foot[..., 1]) / np.maximum(gate_px * frames, 1e-9)[:, None]
    apart = np.where(known, apart, in_image)
    return Pairs((apart <= 1.0) | same, same, np.minimum(apart, 1.0) + 1.0 - overlap)


def _apart_on_ground(before: Sightings, now: Sightings, moved: Reals) -> Reals:
    """float64[T, N]: distance in units of the gate, <= 1 within; NaN where a place is unknown."""
    step = now.xy[None] - before.xy[:, None]
    away = before.xy / np.maximum(np.hypot(before.xy[:, 0], before.xy[:, 1]), 1e-9)[:, None]
    along = np.abs(step[..., 0] * away[:, None, 0] + step[..., 1] * away[:, None, 1])
    across = np.abs(step[..., 1] * away[:, None, 0] - step[..., 0] * away[:, None, 1])
    room = PLACE_M + moved[:, None, None] + SIGMAS * np.hypot(before.sigma[:, None], now.sigma[None])
    narrower = 0.5 * np.abs(before.width[:, None] - now.width[None])
    return np.maximum(along / room[..., 0], across / (room[..., 1] + narrower))


def _shared(first: Reals, second: Reals) -> Reals:
    """float64[T, N], px: area that boxes float64[T, 4] and float64[N, 4] have in common."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    size: Reals = np.clip(high - low, 0.0, None)
    return size[..., 0] * size[..., 1]


def _area(box: Reals) -> Reals:
    return (box[:, 2] - box[:, 0]) * (box[:, 3] - box[:, 1])


def _foot(box: Reals) -> Reals:
    """float64[N, 2], px: middle of the lower edge."""
    return np.stack([0.5 * (box[:, 0] + box[:, 2]), box[:, 3]], axis=1)


def assign(cost: Reals, possible: Bools) -> Indices:
    """The row of each column, or -1: one to one, the cheapest possible pair first.

    Greedy: a pair that fits best is never given up for a better sum. Of equal pairs the lower row goes first, then
    the lower column.

    Args:
        cost: float64[T, N].
        possible: bool[T, N].
    """
    rows, columns = np.nonzero(possible)
    result = np.full(possible.shape[1], -1, np.intp)
    taken = np.zeros(possible.shape[0], bool)
    for at in np.argsort(cost[rows, columns], kind="stable"):
        row, column = rows[at], columns[at]
        if result[column] < 0 and not taken[row]:
            result[column], taken[row] = row, True
    return result
