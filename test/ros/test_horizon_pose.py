"""The road tells the pitch; where it does not, or not any more, that is said."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("rclpy")

from hybrid_seg_ros.frames.camera import CameraModel
from hybrid_seg_ros.obstacles.ground import GroundProjection
from hybrid_seg_ros.obstacles.pose import CameraPose
from hybrid_seg_ros.ros.horizon_pose import HorizonPose
from hybrid_seg_ros.ros.pose_source import FirstPose, PoseSource

ROAD, SKY = 0, 10
S = 1_000_000_000
PERIOD = S // 15
CAMERA = CameraModel(320, 180, 266.0, 266.0, 159.5, 89.5)
TRUE = CameraPose(0.4, -0.1, 1.4, roll=0.06, pitch=0.08, yaw=0.02)
MOUNT = replace(TRUE, pitch=0.0)
NOTHING = np.full((180, 320), SKY, np.uint8)


def road(camera: CameraModel = CAMERA) -> np.ndarray:
    """Labels of a straight road of 6 m, every pixel through the plane."""
    v, u = np.mgrid[: camera.height, : camera.width]
    xy, valid = GroundProjection(camera, TRUE).to_ground(u.ravel(), v.ravel())
    on = valid & (np.abs(xy[:, 1]) <= 3.0)
    return np.where(on, ROAD, SKY).astype(np.uint8).reshape(v.shape)


def shown(source: PoseSource, labels: np.ndarray, images: int, first: int = 0, camera: CameraModel = CAMERA) -> int:
    """Images at 15 Hz; the stamp of the last."""
    for index in range(first, first + images):
        source.observe(labels, camera, index * PERIOD)
    return (first + images - 1) * PERIOD


def test_the_mount_is_completed_by_the_pitch_that_the_road_tells() -> None:
    source: PoseSource = HorizonPose(MOUNT, [ROAD])
    assert (source.name, source.needs_labels, source.pitch_sigma) == ("horizon", True, 0.0)
    stamp = shown(source, road(), 8)
    pose = source.pose("camera", stamp, "base_link")
    assert pose is not None
    assert replace(pose, pitch=0.0) == MOUNT
    assert source.why == ""
    assert 0.0 < source.pitch_sigma < 0.02
    assert abs(pose.pitch - TRUE.pitch) < min(3 * source.pitch_sigma, 0.004)


def test_the_mounts_roll_is_taken_into_account() -> None:
    upright, leaning = HorizonPose(replace(MOUNT, roll=0.0), [ROAD]), HorizonPose(MOUNT, [ROAD])
    for source in (upright, leaning):
        shown(source, road(), 8)
    known, wrong = (source.pose("camera", 7 * PERIOD, "base_link") for source in (leaning, upright))
    assert known is not None
    assert wrong is None or abs(wrong.pitch - TRUE.pitch) > 2 * abs(known.pitch - TRUE.pitch)


def test_the_camera_is_resized_to_the_labels() -> None:
    source = HorizonPose(MOUNT, [ROAD])
    stamp = shown(source, road(), 8, camera=CAMERA.resized(1280, 720))
    pose = source.pose("camera", stamp, "base_link")
    assert pose is not None
    assert abs(pose.pitch - TRUE.pitch) < 0.004


def test_without_a_road_it_says_that_it_does_not_know() -> None:
    source = HorizonPose(MOUNT, [ROAD])
    assert source.pose("camera", 0, "base_link") is None
    assert source.why == "no image has been segmented yet"
    stamp = shown(source, NOTHING, 8)
    assert source.pose("camera", stamp, "base_link") is None
    assert "does not tell" in source.why


def test_an_old_estimate_is_not_used() -> None:
    source = HorizonPose(MOUNT, [ROAD], max_age_s=0.5)
    stamp = shown(source, road(), 8)
    assert source.pose("camera", stamp + S // 2, "base_link") is not None
    assert source.pose("camera", stamp + 6 * S // 10, "base_link") is None
    assert source.why == "the newest estimate is 0.60 s from the image"


@pytest.mark.parametrize("change", ["stamps go back", "another camera"])
def test_what_was_seen_in_another_time_or_by_another_camera_is_forgotten(change: str) -> None:
    source = HorizonPose(MOUNT, [ROAD])
    stamp = shown(source, road(), 8, first=100)
    assert source.pose("camera", stamp, "base_link") is not None
    camera = replace(CAMERA, fx=260.0) if change == "another camera" else CAMERA
    stamp = shown(source, road(camera), 1, first=108 if change == "another camera" else 0, camera=camera)
    assert source.pose("camera", stamp, "base_link") is None


def test_it_stands_in_where_another_source_does_not_know() -> None:
    source = FirstPose([HorizonPose(MOUNT, [SKY]), HorizonPose(MOUNT, [ROAD])])
    stamp = shown(source, road(), 8)
    pose = source.pose("camera", stamp, "base_link")
    assert pose is not None
    assert source.passed_over.startswith("horizon: the road in the image does not tell")


def test_a_lens_that_is_not_known_is_said_and_a_known_one_after_it_tells() -> None:
    source = HorizonPose(MOUNT, [ROAD])
    strange = replace(CAMERA, distortion=(0.1,), distortion_model="double_sphere")
    stamp = shown(source, road(), 8, camera=strange)
    assert source.pose("camera", stamp, "base_link") is None
    assert "double_sphere" in source.why
    stamp = shown(source, road(), 8, first=8)
    assert source.pose("camera", stamp, "base_link") is not None
    stamp = shown(source, road(), 1, first=16, camera=strange)
    assert source.pose("camera", stamp, "base_link") is None, "not the pitch of the lens before"


def test_what_was_seen_before_a_gap_counts_no_more() -> None:
    source = HorizonPose(MOUNT, [ROAD])
    shown(source, road(), 15)
    stamp = 15 * PERIOD + 2 * S
    source.observe(road(), CAMERA, stamp)
    assert source.pose("camera", stamp, "base_link") is None
    for index in range(1, 8):
        source.observe(road(), CAMERA, stamp + index * PERIOD)
    assert source.pose("camera", stamp + 7 * PERIOD, "base_link") is not None
