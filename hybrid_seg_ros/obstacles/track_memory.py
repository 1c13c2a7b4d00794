"""What the time filter remembers, one row a track."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.obstacles.sightings import Indices, Motion, Sightings, motion

Bools = npt.NDArray[np.bool_]
Longs = npt.NDArray[np.int64]
Bits = npt.NDArray[np.uint64]

_ONE = np.uint64(1)
_NEW_SHARE = 0.5
"""Share of the newest step in a track's motion; the rest is what it was."""


@dataclass(frozen=True, slots=True)
class Tracks:
    """Rows in no order.

    Attributes:
        at: where each was seen last.
        motion: how it moved there.
        id: int64[N], > 0; 0: a sighting that is no track.
        first: int64[N], frame in which it was first seen.
        seen_ns: int64[N], stamp when it was last seen.
        missed: int64[N], frames since.
        hits: uint64[N], a bit for each frame of the window in which it was seen, the newest lowest.
        confirmed: bool[N].
    """

    at: Sightings
    motion: Motion
    id: Longs
    first: Longs
    seen_ns: Longs
    missed: Longs
    hits: Bits
    confirmed: Bools

    def __len__(self) -> int:
        return len(self.id)

    def take(self, index: Indices) -> "Tracks":
        """Those rows, in that order."""
        return Tracks(
            self.at.take(index), self.motion.take(index), self.id[index], self.first[index], self.seen_ns[index],
            self.missed[index], self.hits[index], self.confirmed[index],
        )  # fmt: skip

    def join(self, other: "Tracks") -> "Tracks":
        """These rows, then the other's."""
        mine = (self.id, self.first, self.seen_ns, self.missed, self.hits, self.confirmed)
        theirs = (other.id, other.first, other.seen_ns, other.missed, other.hits, other.confirmed)
        joined = [np.concatenate(columns) for columns in zip(mine, theirs, strict=True)]
        return Tracks(self.at.join(other.at), self.motion.join(other.motion), *joined)

    def miss(self, window: int, drop_after: int) -> "Tracks":
        """After a frame in which none of them was seen."""
        missed = self.missed + 1
        return replace(
            self, missed=missed, hits=older(self.hits, window), confirmed=self.confirmed & (missed < drop_after)
        )

    def worth_keeping(self, most: int) -> tuple["Tracks", int]:
        """Those that are confirmed or can help to confirm; how many of them there was no room for.

        Where there are too many, those seen last stay, of these the confirmed, of these the nearest.
        """
        rows = np.flatnonzero((self.id > 0) & (self.confirmed | (self.hits > 0)))
        extra = max(len(rows) - most, 0)
        if extra:
            kept = self.take(rows)
            distance = np.nan_to_num(np.hypot(kept.at.xy[:, 0], kept.at.xy[:, 1]), nan=np.inf)
            rows = rows[np.lexsort((distance, ~kept.confirmed, kept.missed))[:most]]
        return self.take(rows), extra

    def motion_to(self, now: Sightings, owner: Indices, stamp_ns: int) -> Motion:
        """Of each sighting int64[N] `owner` (row, or -1) says what it continues; smoothed, 0 for what starts."""
        result = Motion(np.zeros((len(now), 2)), np.zeros((len(now), 2)))
        goes_on = np.flatnonzero(owner >= 0)
        before = self.take(owner[goes_on])
        step = motion(before.at, now.take(goes_on), (stamp_ns - before.seen_ns).astype(np.float64) * 1e-9)
        share = np.where(before.motion.known, _NEW_SHARE, 1.0)[:, None]
        result.foot[goes_on] = before.motion.foot + share * (step.foot - before.motion.foot)
        result.xy[goes_on] = before.motion.xy + share * (step.xy - before.motion.xy)
        return result


def no_tracks() -> Tracks:
    """Nothing remembered."""
    none = np.empty(0, np.int64)
    nowhere = Sightings(np.empty((0, 4)), np.empty((0, 2)), np.empty((0, 2)), np.empty(0), np.empty(0))
    still = Motion(np.empty((0, 2)), np.empty((0, 2)))
    return Tracks(nowhere, still, none, none, none, none, np.empty(0, np.uint64), np.empty(0, np.bool_))


def older(hits: Bits, window: int) -> Bits:
    """uint64[N], a frame later: what has left the window of so many frames is gone."""
    shifted: Bits = (hits << _ONE) & ((_ONE << np.uint64(window)) - _ONE)
    return shifted


def how_many(hits: Bits) -> Longs:
    """int64[N]: bits that are set."""
    bits = np.unpackbits(hits.view(np.uint8).reshape(len(hits), 8), axis=1)
    result: Longs = bits.sum(axis=1, dtype=np.int64)
    return result
