"""The time filter on a generated drive whose unknown obstacles are masked exactly, frame by frame or with gaps."""

import math

import numpy as np
import pytest

from hybrid_seg_ros.evaluation.tracking import TrackingReport, TrackingWatch
from hybrid_seg_ros.obstacles.extract import ExtractOptions, extract
from hybrid_seg_ros.obstacles.ground import GroundProjection
from hybrid_seg_ros.obstacles.pose import CameraPose
from hybrid_seg_ros.obstacles.track import FilterOptions, ObstacleFilter
from hybrid_seg_ros.obstacles.types import Obstacles
from hybrid_seg_ros.scenes.drive import Drive
from hybrid_seg_ros.scenes.truth import SceneFrame

DRIVE = Drive(seed=3, size=(320, 180), n_frames=30, fps=10.0)


@pytest.fixture(scope="module")
def frames() -> list[SceneFrame]:
    return list(DRIVE)


def painted(obstacles: Obstacles) -> np.ndarray:
    width, height = obstacles.size
    result = np.zeros((height, width), np.int32)
    for row, start, stop, index in zip(*_columns(obstacles), strict=True):
        result[row, start:stop] = index + 1
    return result


def _columns(obstacles: Obstacles) -> tuple[list[int], ...]:
    runs = obstacles.runs
    return runs.row.tolist(), runs.start.tolist(), runs.stop.tolist(), runs.obstacle.tolist()


def follow(
    frames: list[SceneFrame], options: FilterOptions, missed: float = 0.0, grounded: bool = True
) -> TrackingReport:
    config = DRIVE.config
    pose = CameraPose(0.0, 0.0, config.mount_height, 0.0, math.radians(config.pitch_deg))
    ground = GroundProjection(DRIVE.camera, pose) if grounded else None
    chosen, watch, rng = ObstacleFilter(options), TrackingWatch(min_pixels=8), np.random.default_rng(1)
    for scene in frames:
        unknown = [o.id for o in scene.obstacles if not o.known and o.distance < 50.0]
        seen = [id_ for id_ in unknown if rng.uniform() >= missed]
        mask = np.where(np.isin(scene.instances, seen), 255, 0).astype(np.uint8)
        found = extract(
            mask, None, None, gate=None, drivable=None, ground=ground, stamp_ns=scene.frame.stamp_ns,
            options=ExtractOptions(min_pixels=8, pitch_sigma=0.004),
        )  # fmt: skip
        result = chosen.update(found)
        ids = [o.id for o in result.obstacles]
        confirmed = [o.confirmed for o in result.obstacles]
        watch.add(scene.frame.stamp_ns, scene.instances, painted(result), ids, confirmed, unknown)
    return watch.report()


@pytest.mark.parametrize("grounded", [True, False])
@pytest.mark.parametrize("k", [1, 2, 3])
def test_nothing_seen_all_along_waits_longer_than_promised_nor_loses_its_id(
    frames: list[SceneFrame], k: int, grounded: bool
) -> None:
    options = FilterOptions(confirm_hits=k, confirm_window=k + 1)
    report = follow(frames, options, grounded=grounded)
    assert len(report.objects) >= 3
    assert report.longest_wait <= options.delay_frames
    assert max(report.delays) <= options.delay_frames
    assert report.fragmentations == 0
    assert report.id_switches <= 1
    assert report.false_tracks == 0


def test_an_obstacle_that_is_missed_now_and_then_keeps_its_id(frames: list[SceneFrame]) -> None:
    options = FilterOptions(confirm_hits=2, confirm_window=3, drop_after=4)
    report = follow(frames, options, missed=0.2)
    assert report.longest_wait <= options.delay_frames
    alone = report.objects[0]  # the others stand behind one another and are one obstacle now and two then
    assert alone.detected < alone.frames
    assert (alone.fragmentations, alone.id_switches) == (1, 0)
