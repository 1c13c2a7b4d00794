"""What the obstacle stages hand to each other.

Vehicle frame (REP 103): x ahead, y left, z up, metres; the ground is the plane z = 0. Optical frame: x right, y down,
z ahead. Pixels are continuous with centres at integers.
"""

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Runs:
    """The pixels of all obstacles of an image as horizontal runs: sparse, and quick to paint back.

    Attributes:
        row: int32[R], image row; never decreases.
        start: int32[R], first column.
        stop: int32[R], one past the last column.
        obstacle: int32[R], index into `Obstacles.obstacles`.
    """

    row: Ints
    start: Ints
    stop: Ints
    obstacle: Ints


@dataclass(frozen=True, slots=True)
class Contacts:
    """Where obstacles touch the ground: at most one point for each obstacle and image column.

    Attributes:
        column: int32[N], px.
        row: float32[N], px: the lower edge of the lowest obstacle pixel (its centre's row + 0.5), or of the line
            between the obstacle's feet where it hangs over that.
        obstacle: int32[N], index into `Obstacles.obstacles`.
        score: float32[N], the greatest anomaly score of the obstacle in that column; NaN without a score map.
        xy: float32[N, 2], m, on the ground in the vehicle frame; NaN without a ground projection or above the horizon.
        sigma: float32[N, 2], m, one standard deviation along the line of sight over ground and across it.
    """

    column: Ints
    row: Floats
    obstacle: Ints
    score: Floats
    xy: Floats
    sigma: Floats


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One connected obstacle of one image.

    Attributes:
        bbox: half-open (x0, y0, x1, y1), px.
        pixels: how many.
        score_mean: mean anomaly score of its pixels; NaN without a score map.
        score_max: greatest one; NaN without a score map.
        label: class id most frequent around it on its lower edge, -1 without a label map.
        distance_m: from the vehicle frame's origin to its nearest contact point; NaN without a ground projection.
        position: (x, y) m, median of its contact points; NaN likewise.
        width_m: extent across the line of sight at its distance; NaN likewise.
        height_m: height of its top over ground at its distance; NaN likewise.
        id: of its track, > 0; 0 before the time filter.
        age: frames since its track was first seen, 1 in the first; 0 before the time filter.
        confirmed: whether the time filter lets it through; False before.
    """

    bbox: tuple[int, int, int, int]
    pixels: int
    score_mean: float = math.nan
    score_max: float = math.nan
    label: int = -1
    distance_m: float = math.nan
    position: tuple[float, float] = (math.nan, math.nan)
    width_m: float = math.nan
    height_m: float = math.nan
    id: int = 0
    age: int = 0
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class Obstacles:
    """All obstacles of one image, after gates and minimum sizes.

    Attributes:
        stamp_ns: of the image.
        size: (width, height) of the mask, px.
        obstacles: by index; the order is that of their topmost, then leftmost pixel.
        contacts: their contact points, by column.
        runs: their pixels.
        removed: pixels of the mask that did not make it, by what removed them: "horizon", "region", "hood",
            "drivable", "too_small", "too_far", "too_many". A gate that is off is not a key; one that removed nothing
            is 0.
    """

    stamp_ns: int
    size: tuple[int, int]
    obstacles: tuple[Obstacle, ...]
    contacts: Contacts
    runs: Runs
    removed: dict[str, int] = field(default_factory=dict)


def empty_contacts() -> Contacts:
    """No contact points."""
    none, nothing = np.empty(0, np.int32), np.empty(0, np.float32)
    return Contacts(none, nothing, none, nothing, np.empty((0, 2), np.float32), np.empty((0, 2), np.float32))


def empty_runs() -> Runs:
    """No pixels."""
    none = np.empty(0, np.int32)
    return Runs(none, none, none, none)
