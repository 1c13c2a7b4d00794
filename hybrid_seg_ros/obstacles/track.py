"""Time filter: an obstacle counts once it was seen in k of n frames, and stays until it was missed for m."""

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.obstacles.associate import Indices, Pairs, Sightings, assign, pair, sightings
from hybrid_seg_ros.obstacles.types import Obstacle, Obstacles

Bools = npt.NDArray[np.bool_]
Longs = npt.NDArray[np.int64]
Bits = npt.NDArray[np.uint64]

_ONE = np.uint64(1)
_LONGEST_WINDOW = 63


@dataclass(frozen=True, slots=True)
class FilterOptions:
    """How the time filter decides.

    Attributes:
        confirm_hits: k: frames of the window in which an obstacle must be seen to be confirmed; 1 lets all through.
        confirm_window: n: the last so many frames, k..63.
        drop_after: m: a confirmed obstacle missed in so many frames in a row is no longer confirmed; >= 1.
        hysteresis: score units, >= 0: what was confirmed stays while its score is above the threshold less this.
        max_speed_mps: the greatest speed of anything relative to the camera, own speed included, m/s; > 0.
        gate_px: where the ground is not known, how far an obstacle's foot moves from frame to frame at most, px; > 0.
        max_tracks: how many are remembered, >= 1; those seen last, confirmed and nearest.
        reset_after_s: a gap between two frames after which nothing is remembered, s; > 0.
    """

    confirm_hits: int = 2
    confirm_window: int = 3
    drop_after: int = 3
    hysteresis: float = 0.0
    max_speed_mps: float = 30.0
    gate_px: float = 40.0
    max_tracks: int = 256
    reset_after_s: float = 1.0

    def __post_init__(self) -> None:
        """Raises ValueError for values that make no filter."""
        if not 1 <= self.confirm_hits <= self.confirm_window <= _LONGEST_WINDOW:
            raise ValueError(
                f"confirm_hits of confirm_window must be k of n with 1 <= k <= n <= {_LONGEST_WINDOW}, "
                f"found {self.confirm_hits} of {self.confirm_window}"
            )
        for name, least in (("drop_after", 1), ("max_tracks", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be >= {least}, found {getattr(self, name)}")
        if not 0.0 <= self.hysteresis < math.inf:
            raise ValueError(f"hysteresis must be finite and >= 0 score units, found {self.hysteresis}")
        for name in ("max_speed_mps", "gate_px", "reset_after_s"):
            if not 0.0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name} must be finite and > 0, found {getattr(self, name)}")

    @property
    def delay_frames(self) -> int:
        """By how many frames the filter delays an obstacle at most that is seen in every frame: k - 1."""
        return self.confirm_hits - 1

    def off_threshold(self, on_threshold: float) -> float:
        """The threshold of the mask that obstacles must be extracted from."""
        return on_threshold - self.hysteresis


@dataclass(frozen=True, slots=True)
class TrackCounts:
    """What a filter remembers and what has become of it.

    Attributes:
        kept: tracks remembered now.
        confirmed: of these, confirmed ones.
        started: tracks since the filter was made.
        forgotten: tracks that `max_tracks` had no room for.
        resets: times that everything was forgotten because stamps went back, stood still or left a gap.
    """

    kept: int
    confirmed: int
    started: int
    forgotten: int
    resets: int


@dataclass(frozen=True, slots=True)
class _Tracks:
    """Memory, one row a track: where last seen, id, first frame, stamp last seen, frames missed since, hits by frame.

    `hits` has a bit for each frame of the window, the newest lowest.
    """

    at: Sightings
    id: Longs
    first: Longs
    seen_ns: Longs
    missed: Longs
    hits: Bits
    confirmed: Bools

    def take(self, index: Indices) -> "_Tracks":
        return _Tracks(
            self.at.take(index), self.id[index], self.first[index], self.seen_ns[index], self.missed[index],
            self.hits[index], self.confirmed[index],
        )  # fmt: skip

    def join(self, other: "_Tracks") -> "_Tracks":
        mine = (self.id, self.first, self.seen_ns, self.missed, self.hits, self.confirmed)
        theirs = (other.id, other.first, other.seen_ns, other.missed, other.hits, other.confirmed)
        joined = [np.concatenate(columns) for columns in zip(mine, theirs, strict=True)]
        return _Tracks(self.at.join(other.at), *joined)


def _no_tracks() -> _Tracks:
    none = np.empty(0, np.int64)
    nowhere = Sightings(np.empty((0, 4)), np.empty((0, 2)), np.empty((0, 2)), np.empty(0))
    return _Tracks(nowhere, none, none, none, none, np.empty(0, np.uint64), np.empty(0, np.bool_))


class ObstacleFilter:
    """Gives the obstacles of one camera, frame after frame, their id, age and whether they count.

    A sighting inherits the hits of *every* track that it may continue, not only of the one whose id it gets. So no
    wrong assignment, merge or split costs an obstacle its history: where each of k frames in a row has a sighting
    that may continue the one before (`associate.pair`), the last of them is confirmed, whatever else is in the image.
    A part that breaks off a confirmed obstacle is confirmed with it.

    With hysteresis, an obstacle whose greatest score is not above the threshold is weak: it keeps a confirmed track
    alive and confirmed (so does a part that breaks off), but starts none and is no hit. Tracks predict nothing: what
    is not in the image is not in the result.
    """

    def __init__(self, options: FilterOptions, on_threshold: float = -math.inf) -> None:
        self._options = options
        self._on = on_threshold
        self._tracks = _no_tracks()
        self._last_ns: int | None = None
        self._frame = self._started = self._forgotten = self._resets = 0

    @property
    def tracks(self) -> TrackCounts:
        """Numbers for diagnostics."""
        confirmed = int(np.count_nonzero(self._tracks.confirmed))
        return TrackCounts(len(self._tracks.id), confirmed, self._started, self._forgotten, self._resets)

    def update(self, obstacles: Obstacles, on_threshold: float | None = None) -> Obstacles:
        """The same obstacles, in the same order, with id, age and confirmed; ids are never used twice.

        A weak obstacle that continues no track has id 0.

        Args:
            obstacles: of the next image, extracted above `FilterOptions.off_threshold(on_threshold)`.
            on_threshold: the score above which an obstacle is not weak; None: as before.
        """
        if on_threshold is not None:
            self._on = on_threshold
        self._advance(obstacles.stamp_ns)
        now, known = sightings(obstacles), self._tracks
        strong = self._strong(obstacles.obstacles)
        elapsed_s = (obstacles.stamp_ns - known.seen_ns).astype(np.float64) * 1e-9
        frames = (known.missed + 1).astype(np.float64)
        pairs = pair(known.at, now, elapsed_s, frames, self._options.max_speed_mps, self._options.gate_px)
        owner = _owners(pairs, strong)
        found = self._found(now, pairs, owner, strong, obstacles.stamp_ns)
        self._remember(found, owner)
        age = self._frame - found.first + 1
        return replace(
            obstacles,
            obstacles=tuple(
                replace(obstacle, id=int(id_), age=int(age_) if id_ else 0, confirmed=bool(confirmed))
                for obstacle, id_, age_, confirmed in zip(
                    obstacles.obstacles, found.id, age, found.confirmed, strict=True
                )
            ),
        )

    def _advance(self, stamp_ns: int) -> None:
        self._frame += 1
        last, self._last_ns = self._last_ns, stamp_ns
        if last is not None and not 0 < stamp_ns - last <= self._options.reset_after_s * 1e9:
            self._tracks = _no_tracks()
            self._resets += 1

    def _strong(self, obstacles: tuple[Obstacle, ...]) -> Bools:
        if self._options.hysteresis == 0.0:
            return np.ones(len(obstacles), bool)
        # Not `>`: without a score map the score is NaN, and then nothing says that the obstacle is weak.
        return np.array([not o.score_max <= self._on for o in obstacles], bool)

    def _found(self, now: Sightings, pairs: Pairs, owner: Indices, strong: Bools, stamp_ns: int) -> _Tracks:
        """What each obstacle of the image is now; id 0: nothing that is worth remembering."""
        known, count = self._tracks, len(now)
        window = (_ONE << np.uint64(self._options.confirm_window)) - _ONE
        inherited = np.bitwise_or.reduce(
            np.where(pairs.possible, known.hits[:, None], np.uint64(0)), axis=0, initial=np.uint64(0)
        )
        hits: Bits = (((inherited << _ONE) & window) | strong.astype(np.uint64)).astype(np.uint64)
        continued = owner >= 0
        confirmed: Bools = np.any(pairs.same & known.confirmed[:, None], axis=0)
        confirmed[continued] |= known.confirmed[owner[continued]]
        confirmed |= strong & (_ones(hits) >= self._options.confirm_hits)
        ids, first = np.zeros(count, np.int64), np.full(count, self._frame, np.int64)
        ids[continued], first[continued] = known.id[owner[continued]], known.first[owner[continued]]
        new = ~continued & (strong | confirmed)
        starting = int(np.count_nonzero(new))
        ids[new] = self._started + 1 + np.arange(starting)
        self._started += starting
        return _Tracks(now, ids, first, np.full(count, stamp_ns, np.int64), np.zeros(count, np.int64), hits, confirmed)

    def _remember(self, found: _Tracks, owner: Indices) -> None:
        """Keep what was seen, and what was missed as long as it may be confirmed or help to confirm."""
        unseen = np.setdiff1d(np.arange(len(self._tracks.id)), owner)
        lost = self._tracks.take(unseen)
        window = (_ONE << np.uint64(self._options.confirm_window)) - _ONE
        missed = lost.missed + 1
        lost = replace(
            lost,
            missed=missed,
            hits=(lost.hits << _ONE) & window,
            confirmed=lost.confirmed & (missed < self._options.drop_after),
        )
        tracks = found.join(lost)
        tracks = tracks.take(np.flatnonzero((tracks.id > 0) & (tracks.confirmed | (tracks.hits > 0))))
        extra = len(tracks.id) - self._options.max_tracks
        if extra > 0:
            distance = np.nan_to_num(np.hypot(tracks.at.xy[:, 0], tracks.at.xy[:, 1]), nan=np.inf)
            order = np.lexsort((distance, ~tracks.confirmed, tracks.missed))
            tracks = tracks.take(np.sort(order[: self._options.max_tracks]))
            self._forgotten += extra
        self._tracks = tracks


def _owners(pairs: Pairs, strong: Bools) -> Indices:
    """The track that each obstacle continues, or -1; the weak get what the strong leave."""
    owner = assign(pairs.cost, pairs.possible & strong)
    left = pairs.possible & ~strong
    left[owner[owner >= 0]] = False
    return np.where(strong, owner, assign(pairs.cost, left))


def _ones(bits: Bits) -> Longs:
    """int64[N]: how many bits are set."""
    spread = np.unpackbits(bits.view(np.uint8).reshape(len(bits), 8), axis=1)
    result: Longs = spread.sum(axis=1, dtype=np.int64)
    return result
