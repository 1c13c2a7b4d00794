"""Where obstacles are, and how they move: rows of arrays, so that all can be compared with all at once."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.obstacles.types import Contacts, Obstacles

Reals = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Sightings:
    """Where things are, each a row of every array.

    Attributes:
        box: float64[N, 4], half-open x0, y0, x1, y1, px.
        xy: float64[N, 2], m, on the ground in the vehicle frame; NaN where that is unknown.
        sigma: float64[N, 2], m, one standard deviation of `xy` along the line of sight and across it.
        width: float64[N], m, across the line of sight; 0 where it is unknown.
        pixels: float64[N], how many of the image it covers.
    """

    box: Reals
    xy: Reals
    sigma: Reals
    width: Reals
    pixels: Reals

    def __len__(self) -> int:
        return len(self.box)

    def take(self, index: Indices) -> "Sightings":
        """Those rows, in that order."""
        return Sightings(self.box[index], self.xy[index], self.sigma[index], self.width[index], self.pixels[index])

    def join(self, other: "Sightings") -> "Sightings":
        """These rows, then the other's."""
        return Sightings(
            np.concatenate([self.box, other.box]),
            np.concatenate([self.xy, other.xy]),
            np.concatenate([self.sigma, other.sigma]),
            np.concatenate([self.width, other.width]),
            np.concatenate([self.pixels, other.pixels]),
        )

    def moved(self, motion: "Motion", elapsed_s: Reals) -> "Sightings":
        """Where they are float64[N] s later, should they go on as they did."""
        return replace(
            self,
            box=self.box + np.tile(motion.foot * elapsed_s[:, None], 2),
            xy=self.xy + motion.xy * elapsed_s[:, None],
        )


@dataclass(frozen=True, slots=True)
class Motion:
    """How things move, each a row of every array.

    Attributes:
        foot: float64[N, 2], px/s: the middle of the box's lower edge.
        xy: float64[N, 2], m/s, on the ground in the vehicle frame; 0 where that is unknown.
    """

    foot: Reals
    xy: Reals

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        """bool[N]: whether it moves; a thing seen once does not."""
        return np.asarray((self.foot != 0.0).any(axis=1) | (self.xy != 0.0).any(axis=1))

    def take(self, index: Indices) -> "Motion":
        """Those rows, in that order."""
        return Motion(self.foot[index], self.xy[index])

    def join(self, other: "Motion") -> "Motion":
        """These rows, then the other's."""
        return Motion(np.concatenate([self.foot, other.foot]), np.concatenate([self.xy, other.xy]))


def motion(before: Sightings, now: Sightings, elapsed_s: Reals) -> Motion:
    """Between two sightings of the same things, float64[N] s > 0 apart."""
    step = now.xy - before.xy
    return Motion(
        (foot(now.box) - foot(before.box)) / elapsed_s[:, None],
        np.where(np.isfinite(step), step, 0.0) / elapsed_s[:, None],
    )


def sightings(obstacles: Obstacles) -> Sightings:
    """One row for each obstacle, by index."""
    found = obstacles.obstacles
    return Sightings(
        np.array([o.bbox for o in found], np.float64).reshape(-1, 4),
        np.array([o.position for o in found], np.float64).reshape(-1, 2),
        _mean_sigma(obstacles.contacts, len(found)),
        np.nan_to_num(np.array([o.width_m for o in found], np.float64)),
        np.array([o.pixels for o in found], np.float64),
    )


def _mean_sigma(contacts: Contacts, count: int) -> Reals:
    """float64[count, 2], m: mean over an obstacle's contact points on the ground; 0 without any."""
    known = np.isfinite(contacts.sigma).all(axis=1) & np.isfinite(contacts.xy).all(axis=1)
    owner = contacts.obstacle[known]
    points = np.maximum(np.bincount(owner, minlength=count), 1)
    sums = [np.bincount(owner, contacts.sigma[known, axis], minlength=count) for axis in (0, 1)]
    return np.stack(sums, axis=1) / points[:, None]


def foot(box: Reals) -> Reals:
    """float64[N, 2], px: middle of the lower edge."""
    return np.stack([0.5 * (box[:, 0] + box[:, 2]), box[:, 3]], axis=1)
