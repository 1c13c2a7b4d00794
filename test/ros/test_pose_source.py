"""Which source answers, and what is said when none does."""

from dataclasses import dataclass

import numpy as np
import pytest

pytest.importorskip("rclpy")

from hybrid_seg_ros.frames.camera import CameraModel
from hybrid_seg_ros.obstacles.pose import CameraPose
from hybrid_seg_ros.ros.pose_source import FirstPose, FixedPose, Labels, PoseSource

MOUNT = CameraPose(0.3, 0.0, 1.4, pitch=0.05)
CAMERA = CameraModel(320, 180, 260.0, 260.0, 159.5, 89.5)


@dataclass
class Scripted:
    """Answers what it is told to."""

    name: str
    answer: CameraPose | None = None
    why: str = "not yet"
    needs_labels: bool = False
    pitch_sigma: float = 0.0
    seen: int = 0

    def observe(self, labels: Labels, camera: CameraModel, stamp_ns: int) -> None:
        self.seen += 1

    def pose(self, frame_id: str, stamp_ns: int, base_frame: str) -> CameraPose | None:
        return self.answer


def test_parameters_always_know() -> None:
    source: PoseSource = FixedPose(MOUNT)
    source.observe(np.zeros((180, 320), np.uint8), CAMERA, 1)
    assert source.pose("any", 1, "base_link") is MOUNT
    assert (source.name, source.why, source.needs_labels, source.pitch_sigma) == ("parameters", "", False, 0.0)


def test_parameters_that_tell_nothing_say_so() -> None:
    source: PoseSource = FixedPose(None, "camera_z is 0")
    assert source.pose("any", 1, "base_link") is None
    assert source.why == "camera_z is 0"


def test_the_first_that_knows_answers() -> None:
    first, second = Scripted("tf"), Scripted("horizon", needs_labels=True, pitch_sigma=0.01)
    source: PoseSource = FirstPose([first, second])
    assert isinstance(source, FirstPose)
    assert source.pose("camera", 1, "base_link") is None
    assert source.why == "tf: not yet; horizon: not yet"
    assert source.passed_over == ""
    second.answer = MOUNT
    assert source.pose("camera", 2, "base_link") is MOUNT
    assert (source.name, source.why, source.pitch_sigma) == ("horizon", "", 0.01)
    assert source.passed_over == "tf: not yet"
    first.answer = CameraPose(0.0, 0.0, 1.0)
    assert source.pose("camera", 3, "base_link") is first.answer
    assert (source.name, source.pitch_sigma, source.passed_over) == ("tf", 0.0, "")


def test_only_who_needs_labels_gets_them() -> None:
    blind, looking = Scripted("tf"), Scripted("horizon", needs_labels=True)
    source = FirstPose([blind, looking])
    assert source.needs_labels
    assert not FirstPose([blind]).needs_labels
    source.observe(np.zeros((180, 320), np.uint8), CAMERA, 1)
    assert (blind.seen, looking.seen) == (0, 1)


def test_no_source_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="expected at least one"):
        FirstPose([])
