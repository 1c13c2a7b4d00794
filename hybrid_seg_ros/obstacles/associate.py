"""Which obstacle of this image is which of the images before: by place on the ground and by overlap in the image."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.obstacles.sightings import Reals, Sightings, foot

Bools = npt.NDArray[np.bool_]

PLACE_M = 0.5
"""What the middle of an obstacle's contact line moves from image to image on a thing that stands still, m."""
SIGMAS = 3.0
"""Standard deviations of both places that the gate leaves room for."""
SAME_SHARE = 0.5
"""Boxes that share this much of the smaller one show one thing, or a part of it."""
FAIR_SHARE = 0.25
"""What is smaller than this share of an earlier thing is a crumb of it, and no part to speak of.

In pixels, which are always known: the contact line of an upper part lies elsewhere, and that of a flat rim is as wide
as the thing. A quarter, since things break into halves and thirds, and what noise leaves beside them is far smaller.
"""
DIFFERENT = 2.0
"""Cost of a pair at the edge of the gate whose boxes do not overlap."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Every earlier thing (row) with every sighting of now (column).

    Attributes:
        possible: bool[T, N]: the two may be one thing.
        same: bool[T, N]: they overlap so much in the image that one is the other or a part of it; implies `possible`.
        continues: bool[T, N]: `same`; or `possible`, unless something of now is the same as that thing and as no
            other: what is surely seen again where it was is not seen beside it as well.
        fair: bool[T, N]: that of now is large enough to be more than a crumb of the earlier one (FAIR_SHARE).
        cost: float64[T, N], 0 (expected place, expected box) .. DIFFERENT; what assignment makes small.
    """

    possible: Bools
    same: Bools
    continues: Bools
    fair: Bools
    cost: Reals


def pair(before: Sightings, expected: Sightings, now: Sightings, room_m: Reals, room_px: Reals) -> Pairs:
    """Compare all with all.

    On the ground the two places may differ, along the line of sight and across it, by what the thing moves (`room_m`),
    by PLACE_M, by SIGMAS standard deviations of both places together and, across, by half of what the widths differ,
    which is what the middle moves when a part is not seen. Where either place is unknown, the middles of the boxes'
    lower edges may be `room_px` apart. Boxes of which the smaller one lies in the other for at least SAME_SHARE may
    belong together wherever they seem to stand: the upper part of a thing that breaks in two seems to stand far behind.

    The cost is the square of the distance from where the thing was expected, in units of the gate, and that of what
    the boxes do not share of their union. Squares, since then a row of things that all moved by one place is matched
    as such, and not as one that leapt over the others.

    Args:
        before: T things, where the gate is.
        expected: the same, where they should be.
        now: N sightings.
        room_m: float64[T], m, that each may have moved on the ground.
        room_px: float64[T], px, that each may have moved in the image.
    """
    _, part = _overlap(before.box, now.box)
    same = part >= SAME_SHARE
    possible = (_apart(before, now, room_m, room_px) <= 1.0) | same
    fair = now.pixels[None] >= FAIR_SHARE * before.pixels[:, None]
    surely = (same & (same.sum(axis=0) == 1)).any(axis=1, keepdims=True)
    overlap, _ = _overlap(expected.box, now.box)
    off = np.minimum(_apart(expected, now, room_m, room_px), 1.0)
    return Pairs(possible, same, same | (possible & ~surely), fair, off**2 + (1.0 - overlap) ** 2)


def _apart(before: Sightings, now: Sightings, room_m: Reals, room_px: Reals) -> Reals:
    """float64[T, N]: distance in units of the gate, <= 1 within."""
    on_ground = _apart_on_ground(before, now, room_m)
    step = foot(before.box)[:, None] - foot(now.box)[None]
    in_image = np.hypot(step[..., 0], step[..., 1]) / room_px[:, None]
    return np.where(np.isnan(on_ground), in_image, on_ground)


def _apart_on_ground(before: Sightings, now: Sightings, room_m: Reals) -> Reals:
    """float64[T, N]: along or across, whichever is more, in units of the gate; NaN where a place is unknown."""
    step = now.xy[None] - before.xy[:, None]
    away = before.xy / np.maximum(np.hypot(before.xy[:, 0], before.xy[:, 1]), 1e-9)[:, None]
    along = np.abs(step[..., 0] * away[:, None, 0] + step[..., 1] * away[:, None, 1])
    across = np.abs(step[..., 1] * away[:, None, 0] - step[..., 0] * away[:, None, 1])
    room = PLACE_M + room_m[:, None, None] + SIGMAS * np.hypot(before.sigma[:, None], now.sigma[None])
    narrower = 0.5 * np.abs(before.width[:, None] - now.width[None])
    return np.maximum(along / room[..., 0], across / (room[..., 1] + narrower))


def _overlap(first: Reals, second: Reals) -> tuple[Reals, Reals]:
    """Of boxes float64[T, 4] and float64[N, 4], float64[T, N]: the shared part of the union, and of the smaller one."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    size = np.clip(high - low, 0.0, None)
    shared: Reals = size[..., 0] * size[..., 1]
    areas = _area(first)[:, None], _area(second)[None]
    union, smaller = areas[0] + areas[1] - shared, np.minimum(*areas)
    return shared / np.maximum(union, 1e-9), shared / np.maximum(smaller, 1e-9)


def _area(box: Reals) -> Reals:
    return (box[:, 2] - box[:, 0]) * (box[:, 3] - box[:, 1])
