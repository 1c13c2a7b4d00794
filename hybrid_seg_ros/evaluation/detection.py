"""Every obstacle of a drive: how many frames show it, and when and how far away it was first detected."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

COVERED = 0.5
"""An obstacle is detected in a frame whose mask covers at least this share of what is visible of it."""

VISIBLE_PX = 20
"""An obstacle is in view from this many visible pixels on."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """What is known of one obstacle in one frame; `distance_m` from the camera, None where not known."""

    id: int
    kind: str = ""
    distance_m: float | None = None


@dataclass(frozen=True, slots=True)
class ObstacleDetection:
    """One obstacle over the whole drive; times in s since the first frame, distances in m, None where not known.

    Attributes:
        id: value of its pixels in the instances.
        kind: what it is.
        frames_in_view: how many frames show at least `VISIBLE_PX` pixels of it.
        frames_detected: how many of those have a result of their own whose mask covers it.
        first_in_view_s: stamp of the first frame that shows it.
        first_detected_s: when the first result that covers it arrived.
        time_to_detection_s: from the first frame that shows it to that arrival.
        first_in_view_m: its distance in the first frame that shows it.
        first_detected_m: its distance when that result arrived, linear between frames; None, too, where it was out
            of view by then.
    """

    id: int
    kind: str
    frames_in_view: int
    frames_detected: int
    first_in_view_s: float
    first_detected_s: float | None
    time_to_detection_s: float | None
    first_in_view_m: float | None
    first_detected_m: float | None


@dataclass(slots=True)
class _Track:
    kind: str
    first_ns: int
    detected_ns: int | None = None
    frames_in_view: int = 0
    frames_detected: int = 0
    seen: list[tuple[int, float]] = field(default_factory=list)  # (stamp, distance) of the frames that show it


class DetectionWatch:
    """Streaming: one frame in memory, a few numbers for each obstacle and frame."""

    def __init__(self, covered: float = COVERED, visible_px: int = VISIBLE_PX) -> None:
        self._covered = covered
        self._visible_px = visible_px
        self._start_ns: int | None = None
        self._tracks: dict[int, _Track] = {}

    def add(
        self,
        stamp_ns: int,
        instances: npt.NDArray[np.uint16],
        mask: npt.NDArray[np.uint8] | None,
        *,
        arrival_ns: int | None = None,
        obstacles: Iterable[Sighting] | None = None,
    ) -> None:
        """The next frame in stamp order, whether or not it was answered.

        Args:
            stamp_ns: the frame's stamp.
            instances: uint16[H, W], 0 or the id of an obstacle.
            mask: uint8[H, W], not 0 = obstacle; None where the frame was not answered.
            arrival_ns: when the mask arrived, on the stamps' clock; None = at once.
            obstacles: those to watch, where some of the ids are not; None = all ids, of no known kind and distance.

        Raises:
            ValueError: sizes differ.
        """
        if mask is not None and mask.shape != instances.shape:
            raise ValueError(f"mask is {mask.shape}, the instances {instances.shape}; expected equal shapes")
        self._start_ns = stamp_ns if self._start_ns is None else self._start_ns
        visible = np.bincount(instances.ravel())
        covered = None if mask is None else np.bincount(instances[mask > 0], minlength=visible.size)
        watched = (Sighting(int(i)) for i in np.flatnonzero(visible) if i) if obstacles is None else obstacles
        for sighting in watched:
            size = int(visible[sighting.id]) if sighting.id < visible.size else 0
            if size < self._visible_px:
                continue
            track = self._tracks.setdefault(sighting.id, _Track(sighting.kind, stamp_ns))
            track.frames_in_view += 1
            if sighting.distance_m is not None:
                track.seen.append((stamp_ns, sighting.distance_m))
            if covered is not None and covered[sighting.id] >= self._covered * size:
                arrival = stamp_ns if arrival_ns is None else arrival_ns
                track.frames_detected += 1
                track.detected_ns = arrival if track.detected_ns is None else min(track.detected_ns, arrival)

    def obstacles(self) -> list[ObstacleDetection]:
        """Every obstacle that was in view so far, by id."""
        return [self._plain(number, track) for number, track in sorted(self._tracks.items())]

    def _plain(self, number: int, track: _Track) -> ObstacleDetection:
        start = self._start_ns or 0
        detected = track.detected_ns
        at_first = track.seen[0][1] if track.seen and track.seen[0][0] == track.first_ns else None
        return ObstacleDetection(
            id=number,
            kind=track.kind,
            frames_in_view=track.frames_in_view,
            frames_detected=track.frames_detected,
            first_in_view_s=(track.first_ns - start) / 1e9,
            first_detected_s=None if detected is None else (detected - start) / 1e9,
            time_to_detection_s=None if detected is None else (detected - track.first_ns) / 1e9,
            first_in_view_m=at_first,
            first_detected_m=None if detected is None else _distance_at(track.seen, detected, start),
        )


def _distance_at(seen: list[tuple[int, float]], time_ns: int, start_ns: int) -> float | None:
    """Linear between the frames on both sides of a time; None outside of them."""
    if not seen or not seen[0][0] <= time_ns <= seen[-1][0]:
        return None
    # Relative to the start: nanoseconds since 1970 are more than a float64 tells apart.
    stamps = [stamp - start_ns for stamp, _ in seen]
    return float(np.interp(time_ns - start_ns, stamps, [distance for _, distance in seen]))
