"""How well obstacles are followed over time: ID switches, fragmentations, delay of the filter, false alarms."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Instances = npt.NDArray[np.unsignedinteger]
Painted = npt.NDArray[np.integer]
Counts = npt.NDArray[np.int64]

ALARM_WINDOW_S = 600.0
"""False alarms are stated per ten minutes."""


@dataclass(frozen=True, slots=True)
class ObjectTracking:
    """How one true object was followed.

    Attributes:
        truth: its id in the instances.
        frames: in which it was large enough to count.
        detected: of these, frames with an obstacle on it, confirmed or not.
        confirmed: of these, frames with a confirmed one.
        id_switches: frames whose confirmed obstacle has another id than the last confirmed one had.
        fragmentations: how often it was not confirmed in a frame after one in which it was, and confirmed later again.
        delay_frames: from the first frame that detects it to the first that confirms it; None: never confirmed.
        longest_wait: frames in a row that detect it and do not confirm it, the longest such row before the first
            confirmation.
    """

    truth: int
    frames: int
    detected: int
    confirmed: int
    id_switches: int
    fragmentations: int
    delay_frames: int | None
    longest_wait: int


@dataclass(frozen=True, slots=True)
class TrackingReport:
    """Of one drive, or of several joined.

    Attributes:
        objects: those watched that were large enough in one frame at least, by id (by drive, then id).
        seconds: that the frames last.
        frames: how many.
        confirmed_tracks: ids of obstacles that were confirmed.
        false_tracks: of these, ids that never were on anything true.
        false_frames: frames with a confirmed obstacle that was on nothing true in that frame, whatever its id was on
            before: an id may go from a true thing to a false one beside it.
    """

    objects: tuple[ObjectTracking, ...]
    seconds: float
    frames: int
    confirmed_tracks: int
    false_tracks: int
    false_frames: int

    @property
    def id_switches(self) -> int:
        """Of all objects."""
        return sum(item.id_switches for item in self.objects)

    @property
    def fragmentations(self) -> int:
        """Of all objects."""
        return sum(item.fragmentations for item in self.objects)

    @property
    def delays(self) -> tuple[int, ...]:
        """Frames, of every object that was confirmed."""
        return tuple(item.delay_frames for item in self.objects if item.delay_frames is not None)

    @property
    def longest_wait(self) -> int:
        """Frames, the worst of all objects: k - 1 at most for a filter that asks for k sightings in a row."""
        return max((item.longest_wait for item in self.objects), default=0)

    @property
    def false_alarms_per_10_min(self) -> float | None:
        """False tracks per ten minutes; None without time."""
        return self.false_tracks * ALARM_WINDOW_S / self.seconds if self.seconds > 0.0 else None


def join_reports(reports: Iterable[TrackingReport]) -> TrackingReport:
    """One report over drives that have nothing to do with each other."""
    every = tuple(reports)
    return TrackingReport(
        tuple(item for report in every for item in report.objects),
        sum(report.seconds for report in every),
        sum(report.frames for report in every),
        sum(report.confirmed_tracks for report in every),
        sum(report.false_tracks for report in every),
        sum(report.false_frames for report in every),
    )


@dataclass(slots=True)
class _Object:
    """What is known of a true object so far; `first_*` are frame numbers, `id` that of the last confirmation."""

    frames: int = 0
    detected: int = 0
    confirmed: int = 0
    id: int = 0
    id_switches: int = 0
    fragmentations: int = 0
    interrupted: bool = False
    first_detected: int | None = None
    first_confirmed: int | None = None
    waiting: int = 0
    longest_wait: int = 0

    def see(self, frame: int, detected: bool, candidates: dict[int, int]) -> None:
        """A frame in which it is large enough; `candidates`: pixels of it that each confirmed id covers."""
        self.frames += 1
        if detected:
            self.detected += 1
            if self.first_detected is None:
                self.first_detected = frame
        if self.first_confirmed is None:
            self.waiting = self.waiting + 1 if detected and not candidates else 0
            self.longest_wait = max(self.longest_wait, self.waiting)
        if candidates:
            self._confirm(frame, candidates)
        elif self.confirmed:
            self.interrupted = True

    def _confirm(self, frame: int, candidates: dict[int, int]) -> None:
        # The id of before stays its own as long as it covers it at all, however little, as CLEAR MOT has it.
        best = self.id if self.id in candidates else max(candidates, key=lambda id_: (candidates[id_], -id_))
        if self.first_confirmed is None:
            self.first_confirmed = frame
        else:
            self.id_switches += best != self.id
            self.fragmentations += self.interrupted
        self.id, self.interrupted = best, False
        self.confirmed += 1

    def result(self, truth: int) -> ObjectTracking:
        """Delay: detection comes before confirmation, which is one."""
        delay = None
        if self.first_detected is not None and self.first_confirmed is not None:
            delay = self.first_confirmed - self.first_detected
        return ObjectTracking(
            truth, self.frames, self.detected, self.confirmed, self.id_switches, self.fragmentations, delay,
            self.longest_wait,
        )  # fmt: skip


class TrackingWatch:
    """Streaming over the frames of one drive; keeps numbers, no images.

    Correspondence, switches as in CLEAR MOT (Bernardin, Stiefelhagen: Evaluating multiple object tracking performance,
    2008), fragmentations as in Li, Huang, Nevatia (Learning to associate, 2009), with an overlap in pixels in place of
    the distance; one object may have several obstacles on it, one obstacle may be on several objects. Frames in which
    an object is too small to count interrupt nothing.
    """

    def __init__(self, min_pixels: int = 1, min_share: float = 0.1) -> None:
        """Say what counts.

        Args:
            min_pixels: an object with fewer visible pixels does not count in that frame, >= 1.
            min_share: of the object or of the obstacle, whichever is smaller, that both must have in common, in 0..1.

        Raises:
            ValueError: values out of range.
        """
        if min_pixels < 1:
            raise ValueError(f"min_pixels must be >= 1, found {min_pixels}")
        if not 0.0 <= min_share <= 1.0:
            raise ValueError(f"min_share must lie within 0 and 1, found {min_share}")
        self._min_pixels, self._min_share = min_pixels, min_share
        self._objects: dict[int, _Object] = {}
        self._tracks: set[int] = set()
        self._true: set[int] = set()
        self._frames = self._false_frames = 0
        self._first_ns = self._last_ns = 0

    def add(
        self,
        stamp_ns: int,
        truth: Instances,
        painted: Painted,
        ids: Sequence[int],
        confirmed: Sequence[bool],
        watched: Collection[int] | None = None,
    ) -> None:
        """The next frame.

        Args:
            stamp_ns: greater than that of the frame before.
            truth: uint16[H, W], 0 or the id of a true object.
            painted: int[H, W], 0 or 1 + the index of an obstacle in `ids`. What is painted is detected: where the
                filter has a hysteresis, leave out what is weak and not confirmed, which its promise is not about.
            ids: of the obstacles' tracks, > 0; 0 = none yet.
            confirmed: of each obstacle.
            watched: the objects to follow, None = all. An obstacle on any object is no false alarm.

        Raises:
            ValueError: a stamp that is not later, sizes that differ, or painted indices without an id.
        """
        self._check(stamp_ns, truth, painted, ids, confirmed)
        on, sizes = self._overlaps(truth, painted, len(ids))
        follow = set(np.flatnonzero(sizes >= self._min_pixels).tolist()) - {0}
        for object_id in sorted(follow if watched is None else follow & set(watched)):
            found: list[int] = np.flatnonzero(on[object_id]).tolist()
            candidates: dict[int, int] = {}
            for index in found:
                if confirmed[index]:
                    candidates[ids[index]] = candidates.get(ids[index], 0) + int(on[object_id, index])
            self._objects.setdefault(object_id, _Object()).see(self._frames, len(found) > 0, candidates)
        self._tracks.update(id_ for id_, passes in zip(ids, confirmed, strict=True) if passes)
        true = set(np.flatnonzero(on[1:].any(axis=0)).tolist())
        self._true.update(ids[index] for index in true)
        self._false_frames += any(passes and index not in true for index, passes in enumerate(confirmed))
        self._first_ns = self._first_ns if self._frames else stamp_ns
        self._last_ns = stamp_ns
        self._frames += 1

    def report(self) -> TrackingReport:
        """Of all frames so far."""
        return TrackingReport(
            tuple(item.result(truth) for truth, item in sorted(self._objects.items())),
            (self._last_ns - self._first_ns) * 1e-9,
            self._frames,
            len(self._tracks),
            len(self._tracks - self._true),
            self._false_frames,
        )

    def _check(
        self, stamp_ns: int, truth: Instances, painted: Painted, ids: Sequence[int], confirmed: Sequence[bool]
    ) -> None:
        if self._frames and stamp_ns <= self._last_ns:
            raise ValueError(f"stamp is {stamp_ns} ns, the one before {self._last_ns}; expected a later one")
        if truth.shape != painted.shape:
            raise ValueError(f"truth is {truth.shape}, painted obstacles {painted.shape}; expected equal shapes")
        if len(ids) != len(confirmed):
            raise ValueError(f"{len(ids)} ids and {len(confirmed)} confirmed; expected one of each for an obstacle")
        greatest, least = int(painted.max(initial=0)), int(painted.min(initial=0))
        if greatest > len(ids) or least < 0:
            raise ValueError(f"painted obstacles are {least}..{greatest}; expected 0..{len(ids)}, the number of ids")

    def _overlaps(self, truth: Instances, painted: Painted, count: int) -> tuple[Counts, Counts]:
        """int64[objects, obstacles], px in common where that is enough, else 0; int64[objects], px of each object."""
        sizes = np.bincount(truth.reshape(-1), minlength=1)
        both = np.flatnonzero(painted)
        index = painted.reshape(-1)[both].astype(np.int64) - 1
        areas = np.bincount(index, minlength=count)
        pairs = truth.reshape(-1)[both].astype(np.int64) * count + index
        shared = np.bincount(pairs, minlength=len(sizes) * count).reshape(len(sizes), count)
        enough = shared >= self._min_share * np.minimum(sizes[:, None], areas[None])
        return np.where(enough, shared, 0), sizes
