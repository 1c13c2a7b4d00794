"""One cloud of all cameras: their newest results, each once, with stamps that match."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hybrid_seg_ros.obstacles.cloud import POINT, Points


@dataclass(frozen=True, slots=True)
class MergeOptions:
    """When results belong together.

    Attributes:
        window_s: stamps of one merged cloud lie at most this far apart, s.
        patience_s: a merged cloud waits for missing cameras this long after its first result came in, s. A camera
            that was missing then is not waited for again before its next result.
    """

    window_s: float = 0.05
    patience_s: float = 0.1

    def __post_init__(self) -> None:
        """Raises ValueError for negative times."""
        if not self.window_s >= 0.0:
            raise ValueError(f"window_s is {self.window_s:g}, expected >= 0")
        if not self.patience_s >= 0.0:
            raise ValueError(f"patience_s is {self.patience_s:g}, expected >= 0")


@dataclass(frozen=True, slots=True)
class MergedCloud:
    """Points of several cameras.

    Attributes:
        stamp_ns: the oldest stamp of the results in it.
        points: POINT[N], the cameras in their order; ids are unique over cameras, see `merged_id`.
        cameras: whose results are in it, in the order of the merger's cameras.
        missing: cameras whose results are not, likewise.
    """

    stamp_ns: int
    points: Points
    cameras: tuple[str, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Result:
    stamp_ns: int
    points: Points


def merged_id(track: int, camera: int, cameras: int) -> int:
    """The id in the merged cloud of a camera's track: track * cameras + camera, modulo 2^32.

    `id % cameras` tells the camera, `id // cameras` the track. Track 0, before the time filter, stays no track.
    """
    return (track * cameras + camera) % 2**32


class CloudMerger:
    """Gathers the clouds of several cameras into merged ones; no thread and no clock of its own.

    A merged cloud is due when every camera that is waited for has a result and all their stamps lie within the
    window, or when the patience with the missing ones is over. Then it holds the largest group of results whose
    stamps match, the newest one of equals. What is older than that group is dropped with it, what is newer stays for
    the next merged cloud. Every result is in one merged cloud at most; a newer result of a camera replaces one that
    waits.

    A result with the stamp of the camera's last one is ignored. An older one means that time was set back (a bag that
    starts again): what waits is forgotten and all begins anew.
    """

    def __init__(self, cameras: Sequence[str], options: MergeOptions | None = None) -> None:
        if not cameras or len(set(cameras)) != len(cameras):
            raise ValueError(f"the cameras are {list(cameras)}, expected at least one, each once")
        self._options = options if options is not None else MergeOptions()
        self._cameras = tuple(cameras)
        self._awaited = set(cameras)
        self._last: dict[str, int] = {}
        self._waiting: dict[str, _Result] = {}
        self._since_s = 0.0

    def add(self, camera: str, stamp_ns: int, points: Points, now_s: float) -> MergedCloud | None:
        """Take a camera's result; the merged cloud that it completes, or that was due.

        Args:
            camera: one of the merger's cameras.
            stamp_ns: of the image.
            points: POINT[N], of one frame that all cameras share; empty when all is clear.
            now_s: steady time, s.

        Raises:
            KeyError: an unknown camera.
        """
        if camera not in self._cameras:
            raise KeyError(f"camera {camera!r} is none of {', '.join(self._cameras)}")
        last = self._last.get(camera)
        if stamp_ns == last:
            return self.poll(now_s)
        if last is not None and stamp_ns < last:
            self._waiting.clear()
            self._last.clear()
        self._last[camera] = stamp_ns
        self._awaited.add(camera)
        if not self._waiting:
            self._since_s = now_s
        self._waiting[camera] = _Result(stamp_ns, points)
        return self.poll(now_s)

    def poll(self, now_s: float) -> MergedCloud | None:
        """The merged cloud that is due, if any; to be called at least once in `patience_s`, now_s steady time, s."""
        if not self._waiting:
            return None
        group = self._matching()
        complete = self._awaited <= group.keys()
        if not complete and now_s - self._since_s < self._options.patience_s:
            return None
        if not complete:
            self._awaited &= self._waiting.keys()
        newest = max(result.stamp_ns for result in group.values())
        self._waiting = {
            camera: result
            for camera, result in self._waiting.items()
            if camera not in group and result.stamp_ns > newest
        }
        self._since_s = now_s
        return self._merged(group)

    @property
    def waiting(self) -> tuple[str, ...]:
        """Cameras whose newest result is in no merged cloud yet."""
        return tuple(camera for camera in self._cameras if camera in self._waiting)

    def forget(self, camera: str) -> None:
        """Drop what waits of a camera that fell silent, and wait for it no more before its next result."""
        self._waiting.pop(camera, None)
        self._awaited.discard(camera)

    def _matching(self) -> dict[str, _Result]:
        """The largest group of waiting results within the window, of equals the newest."""
        window_ns = round(self._options.window_s * 1e9)
        groups = (
            {
                camera: result
                for camera, result in self._waiting.items()
                if 0 <= newest.stamp_ns - result.stamp_ns <= window_ns
            }
            for newest in sorted(self._waiting.values(), key=lambda result: -result.stamp_ns)
        )
        return max(groups, key=len)

    def _merged(self, group: dict[str, _Result]) -> MergedCloud:
        parts = [np.empty(0, POINT)]
        for number, camera in enumerate(self._cameras):
            if camera not in group:
                continue
            part = group[camera].points.copy()
            tracked = part["id"] > 0
            ids = part["id"].astype(np.uint64) * len(self._cameras) + number
            part["id"] = np.where(tracked, ids, 0)
            parts.append(part)
        return MergedCloud(
            min(result.stamp_ns for result in group.values()),
            np.concatenate(parts),
            tuple(camera for camera in self._cameras if camera in group),
            tuple(camera for camera in self._cameras if camera not in group),
        )
