"""The whole way from a segmentation to tracked obstacles, on a generated drive with true masks."""

import math
from dataclasses import replace

import numpy as np
import pytest

from hybrid_seg_ros.bundle import ClassInfo
from hybrid_seg_ros.detector.types import Outputs, Segmentation, Timings
from hybrid_seg_ros.obstacles.chain import ObstacleChain, ObstacleOptions
from hybrid_seg_ros.obstacles.gate import GateOptions
from hybrid_seg_ros.obstacles.pose import CameraPose
from hybrid_seg_ros.obstacles.track import FilterOptions
from hybrid_seg_ros.scenes.classes import CAR, CLASS_NAMES, PAVEMENT, ROAD
from hybrid_seg_ros.scenes.drive import Drive
from hybrid_seg_ros.scenes.truth import SceneFrame

THRESHOLD = 0.5
CLASSES = [
    ClassInfo(id=i, name=name, color=(i, i, i), drivable=i in (ROAD, PAVEMENT), obstacle=i == CAR)
    for i, name in enumerate((*CLASS_NAMES, "Void"))
]


@pytest.fixture(scope="module")
def drive() -> Drive:
    return Drive(seed=3, size=(480, 270), n_frames=84, curvature=0.0)


@pytest.fixture(scope="module")
def scenes(drive: Drive) -> list[SceneFrame]:
    return [drive.frame(index) for index in range(74, 80)]


def pose_of(drive: Drive, index: int) -> CameraPose:
    """The camera over the ground below it; the road runs along x."""
    view = drive.view(index)
    return CameraPose.from_rotation(view.rotation.T, np.array([0.0, 0.0, view.position[2]]))


def segmentation(scene: SceneFrame, strength: float = 1.0) -> Segmentation:
    score = (scene.anomaly == 1).astype(np.float32) * np.float32(strength)
    mask = np.where(score > THRESHOLD, 255, 0).astype(np.uint8)
    return Segmentation(scene.frame.size, scene.labels, score, mask, None, THRESHOLD, Timings(0, 0, 0))


def test_obstacles_are_confirmed_after_k_images_and_stand_where_the_truth_says(
    drive: Drive, scenes: list[SceneFrame]
) -> None:
    chain = ObstacleChain(ObstacleOptions(filter=FilterOptions(confirm_hits=2, confirm_window=3)), CLASSES)
    counts = []
    for offset, scene in enumerate(scenes):
        frame = scene.frame
        result = chain.process(segmentation(scene), frame.stamp_ns, frame.camera, pose_of(drive, 74 + offset))
        counts.append([obstacle.confirmed for obstacle in result.obstacles.obstacles])
        unknown = [truth for truth in scene.obstacles if not truth.known and truth.distance < 25.0]
        assert unknown
        for truth in unknown:
            nearest = min(abs(found.distance_m - truth.distance) for found in result.obstacles.obstacles)
            assert nearest < 0.03 * truth.distance  # a pixel at 25 m is 3 %
    assert not any(counts[0])
    assert all(any(count) for count in counts[1:])


def test_without_camera_or_pose_there_are_obstacles_but_no_metres(scenes: list[SceneFrame]) -> None:
    chain = ObstacleChain(ObstacleOptions(), CLASSES)
    result = chain.process(segmentation(scenes[0]), 1, None, None)
    assert result.ground is None
    assert result.obstacles.obstacles
    assert all(math.isnan(obstacle.distance_m) for obstacle in result.obstacles.obstacles)


def test_known_classes_count_where_they_are_asked_for(drive: Drive, scenes: list[SceneFrame]) -> None:
    scene = next(scene for scene in scenes if (scene.labels == CAR).sum() > 200)
    for hysteresis in (0.0, 0.2):
        options = ObstacleOptions(
            gate=GateOptions(drivable=False), filter=FilterOptions(confirm_hits=1, hysteresis=hysteresis)
        )
        without = ObstacleChain(options, CLASSES)
        with_them = ObstacleChain(replace(options, known_classes=True), CLASSES)
        assert Outputs.LABELS not in without.needs
        assert Outputs.LABELS in with_them.needs
        pose = pose_of(drive, 74)
        few = without.process(segmentation(scene), 1, scene.frame.camera, pose).obstacles
        more = with_them.process(segmentation(scene), 1, scene.frame.camera, pose).obstacles
        assert sum(o.pixels for o in more.obstacles) > sum(o.pixels for o in few.obstacles) + 100
        # a car with no score to speak of is no weak obstacle: it may start a track
        assert all(o.confirmed for o in more.obstacles)


def test_with_hysteresis_what_was_confirmed_stays_while_its_score_is_a_little_lower(
    drive: Drive, scenes: list[SceneFrame]
) -> None:
    options = ObstacleOptions(filter=FilterOptions(confirm_hits=1, hysteresis=0.2))
    chain = ObstacleChain(options, CLASSES)
    frames = [scene.frame for scene in scenes]
    weak_first = chain.process(segmentation(scenes[0], 0.4), 1, frames[0].camera, pose_of(drive, 74))
    assert weak_first.obstacles.obstacles == ()
    assert weak_first.obstacles.contacts.column.size == weak_first.obstacles.runs.row.size == 0
    chain.process(segmentation(scenes[1], 1.0), 2, frames[1].camera, pose_of(drive, 75))
    later = chain.process(segmentation(scenes[2], 0.4), 3, frames[2].camera, pose_of(drive, 76))
    assert any(o.confirmed for o in later.obstacles.obstacles)


def test_an_output_that_is_missing_is_named(scenes: list[SceneFrame]) -> None:
    bare = replace(segmentation(scenes[0]), labels=None)
    chain = ObstacleChain(ObstacleOptions(known_classes=True), CLASSES)
    with pytest.raises(ValueError, match="no labels"):
        chain.process(bare, 1, None, None)


@pytest.mark.parametrize(
    ("model", "coefficients", "pitch", "why"),
    [
        ("double_sphere", (0.1, 0.2), 0.05, "double_sphere"),
        ("plumb_bob", (0.1, 0.2, 0.3), 0.05, "3 coefficients"),
        ("plumb_bob", (math.nan,) * 5, 0.05, "finite"),
        ("plumb_bob", (), -1.2, "no part of the image shows the ground"),
        ("plumb_bob", (), 1.8, "upside down"),
    ],
)
def test_a_lens_or_pose_that_does_not_do_costs_the_metres_and_not_the_obstacles(
    drive: Drive, scenes: list[SceneFrame], model: str, coefficients: tuple[float, ...], pitch: float, why: str
) -> None:
    chain = ObstacleChain(ObstacleOptions(filter=FilterOptions(confirm_hits=1)), CLASSES)
    assert scenes[0].frame.camera is not None
    camera = replace(scenes[0].frame.camera, distortion_model=model, distortion=coefficients)
    result = chain.process(segmentation(scenes[0]), 1, camera, CameraPose(0.0, 0.0, 1.4, pitch=pitch))
    assert result.ground is None
    assert why in result.why
    assert any(found.confirmed for found in result.obstacles.obstacles)
    assert all(math.isnan(found.distance_m) for found in result.obstacles.obstacles)
    again = chain.process(segmentation(scenes[1]), 2, scenes[1].frame.camera, pose_of(drive, 75))
    assert again.ground is not None
    assert again.why == ""


def test_nothing_counts_where_the_own_car_is_seen(drive: Drive, scenes: list[SceneFrame]) -> None:
    scene, pose = scenes[0], pose_of(drive, 74)
    own_car = np.zeros((30, 50), np.uint8)
    own_car[:, 10:] = 200
    without = ObstacleChain(ObstacleOptions(), CLASSES)
    with_it = ObstacleChain(ObstacleOptions(), CLASSES, own_car)
    all_of_them = without.process(segmentation(scene), 1, scene.frame.camera, pose).obstacles
    outside = with_it.process(segmentation(scene), 1, scene.frame.camera, pose).obstacles
    assert "hood" not in all_of_them.removed
    assert outside.removed["hood"] > 0
    assert all(found.bbox[2] <= 100 for found in outside.obstacles)  # the left fifth of 480 px, rounded up
