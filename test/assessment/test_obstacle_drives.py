"""Obstacles of generated drives held against truth: with perfect results, with none, and with a real small network."""

import math
from dataclasses import replace

import numpy as np
import pytest

from hybrid_seg_ros.assessment.contact_error import contact_error, shows_its_foot
from hybrid_seg_ros.assessment.drive_judge import DriveFindings, DriveJudge, paint_indices
from hybrid_seg_ros.assessment.drive_pose import MOUNT_PITCH_SIGMA, exact_pose, mounted_pose
from hybrid_seg_ros.assessment.obstacle_drives import PICTURES, Chosen, DriveJob, judge_drive
from hybrid_seg_ros.assessment.perfect_contacts import perfect_contacts
from hybrid_seg_ros.bundle import Bundle, ClassInfo
from hybrid_seg_ros.detector.types import Segmentation, Timings
from hybrid_seg_ros.obstacles.chain import ObstacleOptions
from hybrid_seg_ros.obstacles.extract import ExtractOptions, extract, paint
from hybrid_seg_ros.obstacles.gate import GateOptions
from hybrid_seg_ros.obstacles.ground import GroundProjection
from hybrid_seg_ros.obstacles.track import FilterOptions
from hybrid_seg_ros.scenes import CLASS_NAMES, Drive, DriveConfig, SceneFrame

DRIVE = Drive(seed=11, size=(320, 180), n_frames=36, fps=6.0, obstacle_gap=12.0)
CLASSES = tuple(
    ClassInfo(id=i, name=name, color=(0, 0, 0), drivable=name == "Road", obstacle=name == "Car")
    for i, name in enumerate((*CLASS_NAMES, "Void"))
)
OPTIONS = ObstacleOptions(GateOptions(drivable=False), ExtractOptions(min_pixels=4), FilterOptions(2, 3))


@pytest.fixture(scope="module")
def scenes() -> list[SceneFrame]:
    return [DRIVE.frame(index) for index in range(len(DRIVE))]


def segmentation(mask: np.ndarray, scene: SceneFrame) -> Segmentation:
    score = np.where(mask > 0, 1.0, -1.0).astype(np.float32)
    size = scene.frame.size
    return Segmentation(size, np.minimum(scene.labels, 11), score, mask, None, 0.0, Timings(0.0, 0.0, 0.0))


def judged(scenes: list[SceneFrame], masks: list[np.ndarray]) -> DriveFindings:
    judge = DriveJudge(OPTIONS, CLASSES)
    for index, (scene, mask) in enumerate(zip(scenes, masks, strict=True)):
        exact = exact_pose(DRIVE.view(index))
        judge.add(scene, segmentation(mask, scene), mounted_pose(DRIVE.config), exact, MOUNT_PITCH_SIGMA)
    return judge.findings()


def silhouettes(scene: SceneFrame) -> np.ndarray:
    return np.where(scene.anomaly == 1, 255, 0).astype(np.uint8)


def test_the_exact_pose_puts_true_contact_points_on_their_true_pixels(scenes: list[SceneFrame]) -> None:
    for index in (0, 9, 20):
        ground = GroundProjection(DRIVE.camera, exact_pose(DRIVE.view(index)))
        for truth in scenes[index].obstacles:
            if truth.contact[0] > 1.0:
                pixel, _ = ground.to_image([[*truth.contact, 0.0]])
                assert pixel[0] == pytest.approx(truth.contact_pixel, abs=1e-3)


def test_the_mounted_pose_is_within_the_springs_travel_of_every_exact_one() -> None:
    mounted = mounted_pose(DRIVE.config)
    poses = [exact_pose(DRIVE.view(index)) for index in range(len(DRIVE))]
    assert max(abs(pose.pitch - mounted.pitch) for pose in poses) <= MOUNT_PITCH_SIGMA + 1e-9
    assert max(abs(pose.yaw) for pose in poses) < 1e-9
    assert max(abs(pose.z - mounted.z) for pose in poses) <= 0.0121


def test_perfect_masks_find_everything_before_25_m_and_raise_no_alarm(scenes: list[SceneFrame]) -> None:
    found = judged(scenes, [silhouettes(scene) for scene in scenes])
    must = [item for item in found.obstacles if item.counts]
    assert len(must) >= 2
    assert all(item.in_time and item.confirmed_near == item.frames_near for item in must)
    assert found.tracking.false_tracks == 0
    assert found.tracking.longest_wait <= OPTIONS.filter.delay_frames
    exact = np.array([item.error / item.distance for item in found.positions])
    mounted = np.array([item.error / item.distance for item in found.positions_mounted])
    assert len(exact) >= 8
    assert np.median(exact) < 0.03 < np.quantile(mounted, 0.95)


def test_an_empty_mask_finds_nothing_and_says_so_of_everything(scenes: list[SceneFrame]) -> None:
    found = judged(scenes, [np.zeros_like(scene.anomaly) for scene in scenes])
    assert any(item.counts for item in found.obstacles)
    assert all(item.confirmed_m is None and item.detected_m is None and not item.in_time for item in found.obstacles)
    assert (found.tracking.confirmed_tracks, found.positions) == (0, ())


def test_what_is_on_nothing_true_is_one_false_alarm_and_a_car_is_none(scenes: list[SceneFrame]) -> None:
    few = scenes[:6]
    empty = (few[0].instances == 0) & (few[5].instances == 0)
    box = next(
        (slice(y, y + 12), slice(x, x + 16))
        for y in range(120, 168, 4)
        for x in range(0, 300, 4)
        if all((scene.instances[y : y + 12, x : x + 16] == 0).all() for scene in few)
    )
    assert empty[box].all()
    masks = []
    for scene in few:
        known = [truth.id for truth in scene.obstacles if truth.known]
        mask = np.where(np.isin(scene.instances, known), 255, 0).astype(np.uint8)
        mask[box] = 255
        masks.append(mask)
    found = judged(few, masks)
    assert found.tracking.confirmed_tracks > 1
    assert found.tracking.false_tracks == 1


def test_painted_indices_are_the_components_of_the_mask(scenes: list[SceneFrame]) -> None:
    mask = silhouettes(scenes[12])
    found = extract(
        mask, None, None, gate=None, drivable=None, ground=None, options=ExtractOptions(min_pixels=4), stamp_ns=0
    )
    count = len(found.obstacles)
    painted = paint_indices(found, [True] * count)
    assert np.array_equal(painted > 0, paint(found) > 0)
    assert [int((painted == i + 1).sum()) for i in range(count)] == [o.pixels for o in found.obstacles]
    assert not (paint_indices(found, [False] + [True] * (count - 1)) == 1).any()


def test_feet_that_are_hidden_or_outside_are_not_judged(scenes: list[SceneFrame]) -> None:
    scene, truth = next(
        (scene, truth)
        for scene in scenes
        for truth in scene.obstacles
        if not truth.known and shows_its_foot(truth, scene)
    )
    u, v = (round(value) for value in truth.contact_pixel)
    other = scene.instances.copy()
    other[v - 3 : v + 4, u - 3 : u + 4] = truth.id + 1
    assert not shows_its_foot(truth, replace(scene, instances=other))
    assert not shows_its_foot(replace(truth, contact_pixel=(u, 400.0)), scene)


def test_the_error_of_a_contact_is_its_distance_over_ground_to_the_true_point(scenes: list[SceneFrame]) -> None:
    index, truth = next(
        (index, truth)
        for index, scene in enumerate(scenes)
        for truth in scene.obstacles
        if not truth.known and 5 < truth.distance < 20 and shows_its_foot(truth, scene)
    )
    scene, pose = scenes[index], exact_pose(DRIVE.view(index))
    mask = np.where(scene.instances == truth.id, 255, 0).astype(np.uint8)
    ground = GroundProjection(DRIVE.camera, pose)
    options = ExtractOptions(min_pixels=4)
    found = extract(mask, None, None, gate=None, drivable=None, ground=ground, options=options, stamp_ns=0)
    error = contact_error(found, range(len(found.obstacles)), truth, ground)
    assert error is not None
    assert error.error < 0.05 * truth.distance
    # The same picture with a camera 10 % higher: all ground points move away by 10 %.
    higher = contact_error(
        found, range(len(found.obstacles)), truth, GroundProjection(DRIVE.camera, replace(pose, z=1.1 * pose.z))
    )
    assert higher is not None
    assert higher.error == pytest.approx(0.1 * truth.distance, abs=1.1 * error.error + 1e-6)
    assert contact_error(found, (), truth, ground) is None


def test_perfect_contacts_are_exact_within_pixels() -> None:
    found = perfect_contacts(Drive(seed=5, size=(640, 360), n_frames=60, obstacle_gap=10.0), (0, 30))
    share = [item.error / item.distance for item in found.alone]
    assert len(share) >= 3
    assert float(np.median(share)) <= 0.02
    assert len(found.together) >= len(found.alone) - 2


def test_pictures_are_changed_as_their_names_say(scenes: list[SceneFrame]) -> None:
    image = scenes[0].frame.image
    assert PICTURES["as it is"](image) is image
    assert PICTURES["under-exposed"](image).mean() < 0.6 * image.mean()
    assert PICTURES["over-exposed"](image).mean() > 1.3 * image.mean()
    assert 0.5 < np.abs(PICTURES["jpeg"](image).astype(int) - image).mean() < 12.0


def test_a_drive_through_a_real_network_is_judged_for_each_picture_and_choice(tiny_bundle: Bundle) -> None:
    chosen = {"all": Chosen(-math.inf, OPTIONS), "nothing": Chosen(1e9, OPTIONS)}
    config = DriveConfig(seed=1, size=(160, 96), n_frames=4)
    ways = (("as it is", "all"), ("jpeg", "all"), ("jpeg", "nothing"))
    found = judge_drive(DriveJob(config, chosen, ways, tiny_bundle.path))
    assert tuple(found) == ways
    assert found["jpeg", "nothing"].tracking.confirmed_tracks == 0
    assert found["as it is", "all"].tracking.frames == 4
    assert all(item.tracking.false_tracks == 0 for item in found.values())
