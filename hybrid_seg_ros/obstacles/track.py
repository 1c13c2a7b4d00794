"""Time filter: an obstacle counts once it was seen in k of n frames, and stays until it was missed for m."""

import math
from dataclasses import dataclass, replace

import numpy as np

from hybrid_seg_ros.obstacles.assignment import assign
from hybrid_seg_ros.obstacles.associate import DIFFERENT, Pairs, pair
from hybrid_seg_ros.obstacles.sightings import Indices, Sightings, sightings
from hybrid_seg_ros.obstacles.track_memory import Bools, Tracks, how_many, no_tracks, older
from hybrid_seg_ros.obstacles.types import Obstacle, Obstacles

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


class ObstacleFilter:
    """Gives the obstacles of one camera, frame after frame, their id, age and whether they count.

    A sighting inherits the hits of *every* track that it continues (`associate.pair`), not only of the one whose id it
    gets. So no wrong assignment, merge or split costs an obstacle its history: where each of k frames in a row has a
    sighting that continues the one before, the last of them is confirmed, whatever else is in the image, up to
    `max_tracks`. A part that breaks off a confirmed obstacle is confirmed with it.

    A crumb of a confirmed obstacle, with less than a quarter of its pixels (`associate.FAIR_SHARE`), inherits neither
    hits nor confirmation and must earn its own: else every speck beside a confirmed obstacle would be one. Only the one
    sighting that gets a track's id has what the track has whatever its size: what is left of an obstacle is that
    obstacle. Of what is not confirmed yet crumbs inherit the hits like any part: it may be the crumb that was meant.

    With hysteresis, an obstacle whose greatest score is not above the threshold is weak: it keeps a confirmed track
    alive and confirmed (so does a part that breaks off), but starts none and is no hit. Motion only helps to tell
    neighbours apart: what is not in the image is not in the result.
    """

    def __init__(self, options: FilterOptions, on_threshold: float = -math.inf) -> None:
        self._options = options
        self._on = on_threshold
        self._tracks = no_tracks()
        self._last_ns: int | None = None
        self._frame = self._started = self._forgotten = self._resets = 0

    @property
    def tracks(self) -> TrackCounts:
        """Numbers for diagnostics."""
        confirmed = int(np.count_nonzero(self._tracks.confirmed))
        return TrackCounts(len(self._tracks), confirmed, self._started, self._forgotten, self._resets)

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
        now = sightings(obstacles)
        strong = self._strong(obstacles.obstacles)
        pairs = self._pairs(now, obstacles.stamp_ns)
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
            self._tracks = no_tracks()
            self._resets += 1

    def _pairs(self, now: Sightings, stamp_ns: int) -> Pairs:
        """The gate is around where a track was seen last: that is what the promise is about."""
        known = self._tracks
        elapsed_s = (stamp_ns - known.seen_ns).astype(np.float64) * 1e-9
        expected = known.at.moved(known.motion, elapsed_s)
        room_px = self._options.gate_px * (known.missed + 1).astype(np.float64)
        return pair(known.at, expected, now, self._options.max_speed_mps * elapsed_s, room_px)

    def _strong(self, obstacles: tuple[Obstacle, ...]) -> Bools:
        if self._options.hysteresis == 0.0:
            return np.ones(len(obstacles), bool)
        # Not `>`: without a score map the score is NaN, and then nothing says that the obstacle is weak.
        return np.array([not o.score_max <= self._on for o in obstacles], bool)

    def _found(self, now: Sightings, pairs: Pairs, owner: Indices, strong: Bools, stamp_ns: int) -> Tracks:
        """What each obstacle of the image is now; id 0: nothing that is worth remembering."""
        known, count = self._tracks, len(now)
        continued = owner >= 0
        inherits = pairs.fair | ~known.confirmed[:, None]
        continues = pairs.continues & inherits
        continues[owner[continued], np.flatnonzero(continued)] = True
        inherited = np.bitwise_or.reduce(
            np.where(continues, known.hits[:, None], np.uint64(0)), axis=0, initial=np.uint64(0)
        )
        hits = older(inherited, self._options.confirm_window) | strong.astype(np.uint64)
        confirmed: Bools = np.any(pairs.same & pairs.fair & known.confirmed[:, None], axis=0)
        confirmed[continued] |= known.confirmed[owner[continued]]
        confirmed |= strong & (how_many(hits) >= self._options.confirm_hits)
        ids, first = np.zeros(count, np.int64), np.full(count, self._frame, np.int64)
        ids[continued], first[continued] = known.id[owner[continued]], known.first[owner[continued]]
        new = ~continued & (strong | confirmed)
        starting = int(np.count_nonzero(new))
        ids[new] = self._started + 1 + np.arange(starting)
        self._started += starting
        seen_ns, missed = np.full(count, stamp_ns, np.int64), np.zeros(count, np.int64)
        return Tracks(now, known.motion_to(now, owner, stamp_ns), ids, first, seen_ns, missed, hits, confirmed)

    def _remember(self, found: Tracks, owner: Indices) -> None:
        unseen = np.setdiff1d(np.arange(len(self._tracks)), owner)
        missed = self._tracks.take(unseen).miss(self._options.confirm_window, self._options.drop_after)
        self._tracks, forgotten = found.join(missed).worth_keeping(self._options.max_tracks)
        self._forgotten += forgotten


def _owners(pairs: Pairs, strong: Bools) -> Indices:
    """The track that each obstacle continues, or -1; the weak get what the strong leave."""
    owner = assign(pairs.cost, pairs.possible & strong, DIFFERENT)
    if strong.all():
        return owner
    left = pairs.possible & ~strong
    left[owner[owner >= 0]] = False
    return np.where(strong, owner, assign(pairs.cost, left, DIFFERENT))
