"""A path that survives the failure of its device: let go, start again, and at last fall back."""

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import TypeVar

from hybrid_seg_ros.backends import Backend, BackendError, BackendInfo
from hybrid_seg_ros.detector.maps import Maps
from hybrid_seg_ros.detector.path import FramePath, Job
from hybrid_seg_ros.detector.plans import Plan
from hybrid_seg_ros.detector.ranges import InvalidOutputError
from hybrid_seg_ros.detector.restarts import Restarts
from hybrid_seg_ros.detector.types import Outputs, Timings
from hybrid_seg_ros.frames import Frame

_log = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Rescue:
    """What is done when a device fails.

    Attributes:
        restarts: when it is tried again.
        reopen: opens the same backend anew.
        fall_back: opens another one, given why; None = the same is tried for ever.
    """

    restarts: Restarts
    reopen: Callable[[], Backend]
    fall_back: Callable[[str], Backend] | None = None


@dataclass(frozen=True, slots=True)
class _WatchedJob:
    """See `path.Job`; a failure that comes to light in it is one of its path."""

    owner: "RescuedPath"
    path: FramePath
    job: Job

    def result(self) -> tuple[Maps, Timings]:
        return self.owner.watched(self.path, self.job.result)


class RescuedPath:
    """See `path.FramePath`: that of a backend on a device, or of what took its place.

    Args:
        path: the path while all is well.
        open_path: makes the path of a reopened backend.
        rescue: what to do otherwise.
    """

    def __init__(self, path: FramePath, open_path: Callable[[Backend], FramePath], rescue: Rescue) -> None:
        self._path, self._open_path, self._rescue = path, open_path, rescue
        self._name = path.describe().name
        self._down = ""
        self._fallen_back = False

    @property
    def raw_encodings(self) -> Collection[str]:
        """See `path.FramePath`."""
        return self._path.raw_encodings

    @property
    def depth(self) -> int:
        """See `path.FramePath`."""
        return self._path.depth

    def begin(self, frame: Frame, plan: Plan, outputs: Outputs, threshold: float) -> Job:
        """See `path.FramePath`; a device that is down is started again first, where that is due.

        Raises:
            BackendError: the device failed, is not due, or could not be started.
        """
        if self._down:
            self._bring_up()
        path = self._path
        return _WatchedJob(self, path, self.watched(path, lambda: path.begin(frame, plan, outputs, threshold)))

    def warm_up(self) -> None:
        """See `path.FramePath`."""
        self._path.warm_up()

    def describe(self) -> BackendInfo:
        """See `path.FramePath`; while the device is down, that and why."""
        info = self._path.describe()
        return replace(info, degraded=f"{self._name} {self._down}", down=True) if self._down else info

    def close(self) -> None:
        """See `path.FramePath`."""
        if not self._down:
            self._path.close()

    def watched(self, path: FramePath, work: Callable[[], T]) -> T:
        """The work's result; where its device fails, the device is let go of, so that it can be started anew."""
        try:
            return work()
        except InvalidOutputError:
            raise
        except BackendError as error:
            # Another frame under way fails with the one before it: that is no second failure.
            if path is self._path and not self._down and not self._fallen_back:
                self._let_go(path, f"failed: {error}")
            raise

    def _let_go(self, path: FramePath, why: str) -> None:
        self._down = why
        self._rescue.restarts.failed()
        _log.error("%s %s; it is started again in %.1f s", self._name, why, self._rescue.restarts.wait_s)
        try:
            path.close()
        except Exception as error:  # a device that failed may fail at this in its own way, too
            _log.warning("releasing %s: %s", self._name, error)

    def _bring_up(self) -> None:
        restarts, fall_back = self._rescue.restarts, self._rescue.fall_back
        if restarts.wait_s > 0:
            raise BackendError(f"{self._name} {self._down}; it is started again in {restarts.wait_s:.1f} s")
        backend: Backend | None = None
        giving_up = restarts.given_up and fall_back is not None
        try:
            if restarts.given_up and fall_back is not None:
                backend = fall_back(f"{self._name} was given up, it {self._down}")
            else:
                backend = self._rescue.reopen()
            path = self._open_path(backend)
            path.warm_up()
        except BackendError as error:
            restarts.failed()
            self._down = f"could not be started again: {error}"
            _log.error("%s %s; next try in %.1f s", self._name, self._down, restarts.wait_s)
            if backend is not None:
                backend.close()
            raise
        self._path, self._down, self._fallen_back = path, "", giving_up
        info = path.describe()
        _log.warning("running again: %s on %s%s", info.name, info.device, f"; {info.degraded}" if giving_up else "")
