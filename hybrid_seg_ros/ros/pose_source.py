"""Where a camera's pose over the ground comes from; parameters, and the first of several sources that knows.

The other sources: `tf_pose`, `horizon_pose`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.frames.camera import CameraModel
from hybrid_seg_ros.obstacles.pose import CameraPose

Labels = npt.NDArray[np.uint8]


class PoseSource(Protocol):
    """Knows where one camera stands, or says why it does not; asked by the worker's thread for each image.

    Attributes:
        name: what diagnostics call it: "parameters", "tf" or "horizon".
        why: why the last `pose` was None; "" when it was not. For any thread.
        needs_labels: whether `observe` must be given the labels of each image before `pose` is asked.
        pitch_sigma: one standard deviation of the last pose's pitch, rad; 0 where the source states none.
    """

    @property
    def name(self) -> str: ...

    @property
    def why(self) -> str: ...

    @property
    def needs_labels(self) -> bool: ...

    @property
    def pitch_sigma(self) -> float: ...

    def observe(self, labels: Labels, camera: CameraModel, stamp_ns: int) -> None:
        """Look at what the network saw.

        Args:
            labels: uint8[H, W], class ids.
            camera: of the image, of any size; it is resized to the labels.
            stamp_ns: of the image.
        """

    def pose(self, frame_id: str, stamp_ns: int, base_frame: str) -> CameraPose | None:
        """The camera's pose in `base_frame`, whose z is replaced by the height over the ground.

        Args:
            frame_id: the image's.
            stamp_ns: of the image.
            base_frame: frame of the obstacles; its x-y plane is parallel to the ground.
        """


@dataclass(slots=True)
class FixedPose:
    """A pose from parameters: always the same, whatever the frame.

    Attributes:
        fixed: the pose; None where the parameters do not tell it.
        why: what the parameters lack then.
    """

    fixed: CameraPose | None
    why: str = ""
    name: str = "parameters"
    needs_labels: bool = False
    pitch_sigma: float = 0.0

    def observe(self, labels: Labels, camera: CameraModel, stamp_ns: int) -> None:
        """Nothing can be learnt."""

    def pose(self, frame_id: str, stamp_ns: int, base_frame: str) -> CameraPose | None:
        """The fixed pose, if any."""
        return self.fixed


class FirstPose:
    """The first of several sources that knows; `name` and `pitch_sigma` are those of the source that answered last.

    Args:
        sources: by preference, at least one.
    """

    def __init__(self, sources: Sequence[PoseSource]) -> None:
        if not sources:
            raise ValueError("no pose source given, expected at least one")
        self._sources = tuple(sources)
        self._answered = sources[0]
        self.why = ""
        self.passed_over = ""
        """Why sources of higher preference did not answer, "" when the first one did."""

    @property
    def name(self) -> str:
        """Of the source that answered last; that of the first before."""
        return self._answered.name

    @property
    def needs_labels(self) -> bool:
        """Whether any source does."""
        return any(source.needs_labels for source in self._sources)

    @property
    def pitch_sigma(self) -> float:
        """Of the source that answered last."""
        return self._answered.pitch_sigma

    def observe(self, labels: Labels, camera: CameraModel, stamp_ns: int) -> None:
        """Passed on to the sources that need it."""
        for source in self._sources:
            if source.needs_labels:
                source.observe(labels, camera, stamp_ns)

    def pose(self, frame_id: str, stamp_ns: int, base_frame: str) -> CameraPose | None:
        """Of the first source that knows."""
        reasons: list[str] = []
        for source in self._sources:
            pose = source.pose(frame_id, stamp_ns, base_frame)
            if pose is not None:
                self._answered, self.why, self.passed_over = source, "", "; ".join(reasons)
                return pose
            reasons.append(f"{source.name}: {source.why}")
        self.why, self.passed_over = "; ".join(reasons), ""
        return None
