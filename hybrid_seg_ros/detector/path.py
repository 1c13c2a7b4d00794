"""From an image to its maps: on the host or on a device, begun now and asked for later."""

from collections.abc import Collection
from typing import Protocol

from hybrid_seg_ros.backends import BackendInfo
from hybrid_seg_ros.detector.maps import Maps
from hybrid_seg_ros.detector.plans import Plan
from hybrid_seg_ros.detector.types import Outputs, Timings
from hybrid_seg_ros.frames import Frame


class Job(Protocol):
    """A frame under way."""

    def result(self) -> tuple[Maps, Timings]:
        """Wait for it.

        Raises:
            BackendError: the network or the device failed.
            InvalidOutputError: the network returned NaN, Inf or the same everywhere.
        """
        ...


class FramePath(Protocol):
    """Preprocessing, network and post-processing as one. Not thread-safe."""

    @property
    def raw_encodings(self) -> Collection[str]:
        """Encodings taken as they lie in the message; all others must come as BGR."""
        ...

    @property
    def depth(self) -> int:
        """Frames that may be under way at a time; 1 where `begin` does all the work itself."""
        ...

    def begin(self, frame: Frame, plan: Plan, outputs: Outputs, threshold: float) -> Job:
        """Start a frame.

        Args:
            frame: of the plan's source size.
            plan: where every output pixel comes from.
            outputs: what to compute.
            threshold: mask = score > threshold.
        """
        ...

    def warm_up(self) -> None:
        """Run the network until its timing has settled."""
        ...

    def describe(self) -> BackendInfo:
        """What runs, where, and why."""
        ...

    def close(self) -> None:
        """Release the path and its backend; may be called twice."""
        ...
