"""Contact points as the scan of a planar laser at the vehicle frame's origin."""

import math
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.obstacles.cloud import usable_contacts
from hybrid_seg_ros.obstacles.compiled import compiled
from hybrid_seg_ros.obstacles.ground import GroundProjection
from hybrid_seg_ros.obstacles.types import Obstacles

Floats = npt.NDArray[np.float32]
# What numba's own types say; Python's are others.
Array: TypeAlias = Any

_TURN = 2.0 * math.pi
_SAMPLES = 32


def scan_bins(angle_min: float, angle_max: float, increment: float) -> int:
    """How many rays lie between two angles, both included, rad.

    Raises:
        ValueError: angles that make no scan: not increasing, more than a turn apart, or an increment that is not > 0.
    """
    if not (math.isfinite(increment) and increment > 0.0):
        raise ValueError(f"the scan's increment is {increment:g} rad, expected > 0")
    if not 0.0 < angle_max - angle_min <= _TURN + 1e-6:
        raise ValueError(
            f"the scan reaches from {angle_min:g} to {angle_max:g} rad, expected angle_min < angle_max and at most a "
            f"turn ({_TURN:.4f} rad)"
        )
    return round((angle_max - angle_min) / increment) + 1


def laser_scan(
    obstacles: Obstacles,
    *,
    angle_min: float,
    angle_max: float,
    increment: float,
    range_min: float,
    range_max: float,
    confirmed_only: bool = True,
    in_view: npt.NDArray[np.bool_] | None = None,
) -> Floats:
    """Distance to the nearest contact along each ray, from the vehicle frame's origin.

    Ray i has the bearing angle_min + i * increment and gets what lies within half an increment of it. Rays between
    contacts of neighbouring image columns of one obstacle hit the line between the two. What each value tells a
    planner (REP 117):

    * a number: something is there. Nearer than `range_min` it is reported at `range_min`, because planners drop -inf
      and would not see it at all.
    * +inf: nothing up to `range_max`. Nav2's obstacle layer clears along such a ray with `inf_is_valid`; the Collision
      Monitor, whose test is range_min <= range <= range_max, takes it for no point.
    * NaN: the ray is outside the field of view (`in_view`), nothing is known: no planner marks or clears with it.

    Args:
        obstacles: of one image.
        angle_min: bearing of the first ray, rad, positive to the left.
        angle_max: bearing of the last ray, rad.
        increment: between rays, rad.
        range_min: m, > 0.
        range_max: m; contacts farther away are left out.
        confirmed_only: whether obstacles must have passed the time filter.
        in_view: bool[N] by ray, see `rays_in_view`; None: all rays are.

    Returns:
        float32[N], m, N = `scan_bins(angle_min, angle_max, increment)`.

    Raises:
        ValueError: angles or ranges that make no scan, or an `in_view` of another length.
    """
    bins = scan_bins(angle_min, angle_max, increment)
    if not 0.0 < range_min < range_max:
        raise ValueError(f"the scan's ranges are {range_min:g} to {range_max:g} m, expected 0 < range_min < range_max")
    ranges = np.full(bins, np.inf, np.float32)
    if in_view is not None:
        if in_view.shape != (bins,):
            raise ValueError(f"in_view has shape {in_view.shape}, expected ({bins},), one for each ray")
        ranges[~in_view] = np.nan
    index = usable_contacts(obstacles, confirmed_only)
    if index.size:
        contacts = obstacles.contacts
        xy = contacts.xy[index].astype(np.float64)
        last = np.full(len(obstacles.obstacles), -1, np.int64)
        _fill(
            ranges, xy, contacts.column[index], contacts.obstacle[index], last, angle_min, increment, range_min,
            range_max,
        )  # fmt: skip
    return ranges


@lru_cache(maxsize=16)
def rays_in_view(
    ground: GroundProjection,
    *,
    angle_min: float,
    angle_max: float,
    increment: float,
    range_min: float,
    range_max: float,
) -> npt.NDArray[np.bool_]:
    """Which rays of a scan lie in the camera's field of view, bool[N], read-only; arguments as of `laser_scan`.

    The scan begins at the vehicle frame's origin, not in the camera, so that a ray may be seen in parts. It is in view
    when at least half of it is, of what any ray is seen of: ground before the image's lower edge and beyond the upper
    one, which no ray shows, does not count.
    """
    bins = scan_bins(angle_min, angle_max, increment)
    angles = angle_min + increment * np.arange(bins)
    reach = np.linspace(range_min, min(range_max, ground.max_range_m), _SAMPLES)
    points = np.zeros((bins, _SAMPLES, 3))
    points[..., 0], points[..., 1] = np.cos(angles)[:, None] * reach, np.sin(angles)[:, None] * reach
    uv, seen = ground.to_image(points.reshape(-1, 3))
    with np.errstate(invalid="ignore"):
        seen &= (
            np.abs(uv - [(ground.camera.width - 1) / 2, (ground.camera.height - 1) / 2])
            <= [ground.camera.width / 2, ground.camera.height / 2]
        ).all(axis=1)
    parts = seen.reshape(bins, _SAMPLES)
    result: npt.NDArray[np.bool_] = parts.any(axis=1) & (2 * parts.sum(axis=1) >= parts.any(axis=0).sum())
    result.flags.writeable = False
    return result


@compiled("void(float32[::1], float64[:,::1], int32[::1], int32[::1], int64[::1], float64, float64, float64, float64)")
def _fill(
    ranges: Array, xy: Array, column: Array, obstacle: Array, last: Array, angle_min: float, increment: float,
    range_min: float, range_max: float,
) -> None:  # fmt: skip
    """Enter contacts, by image column, and the lines between neighbouring ones of one obstacle.

    `last` is -1 for each obstacle: where its contact of the column before is found.
    """
    bins = ranges.shape[0]
    for i in range(xy.shape[0]):
        x, y = xy[i, 0], xy[i, 1]
        distance = max(math.hypot(x, y), range_min)
        offset = (math.atan2(y, x) - angle_min) % _TURN
        if offset > _TURN - 0.5 * increment:  # within the first ray's half of its bin, before angle_min
            offset -= _TURN
        at = math.floor(offset / increment + 0.5)
        # np.fmin: a number replaces NaN, for what was seen was in view.
        if at < bins and distance <= range_max:
            ranges[at] = np.fmin(ranges[at], np.float32(distance))
        before = last[obstacle[i]]
        last[obstacle[i]] = i
        if before < 0 or column[i] - column[before] > 1:
            continue
        bx, by = xy[before, 0], xy[before, 1]
        turn = math.atan2(bx * y - by * x, bx * x + by * y)  # from the contact before to this one
        begin, end = (offset - turn, offset) if turn > 0.0 else (offset, offset - turn)
        first = math.ceil(begin / increment)
        for ray in range(first, math.floor(end / increment) + 1):
            angle = angle_min + ray * increment
            c, s = math.cos(angle), math.sin(angle)
            across = c * (y - by) - s * (x - bx)
            if abs(across) < 1e-9:  # the line is seen end on: its ends are entered already
                continue
            hit = max((bx * (y - by) - by * (x - bx)) / across, range_min)
            at = ray % math.floor(_TURN / increment + 0.5) if ray < 0 or ray >= bins else ray
            if at < bins and hit <= range_max:
                ranges[at] = np.fmin(ranges[at], np.float32(hit))
