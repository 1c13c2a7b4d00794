"""What it costs to make planner outputs of a large mask: obstacles, tracks, cloud, scan, and the dense ones."""

import math
import time
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from hybrid_seg_ros.assessment.drive_pose import MOUNT_PITCH_SIGMA, mounted_pose
from hybrid_seg_ros.backends import usable_cores
from hybrid_seg_ros.benchmark.obstacle_settings import node_defaults
from hybrid_seg_ros.benchmark.scenario import Context, Measured, Scenario
from hybrid_seg_ros.detector.types import Segmentation, Timings
from hybrid_seg_ros.obstacles.chain import ChainResult, ObstacleChain
from hybrid_seg_ros.obstacles.cloud import point_cloud
from hybrid_seg_ros.obstacles.detections import detections
from hybrid_seg_ros.obstacles.grid import GridGeometry, OccupancyMapper
from hybrid_seg_ros.obstacles.markers import obstacle_boxes
from hybrid_seg_ros.obstacles.organised import OrganisedCloud
from hybrid_seg_ros.obstacles.scan import laser_scan
from hybrid_seg_ros.scenes.drive import Drive

_SIZE = (2048, 1024)
_SEED, _PICTURES = 5001, 6
_TURNS = 300
_CORES = 2
_FALSE_SHARE = 0.003
_MS = 5.0
_PERIOD_NS = 66_666_667


def measure(context: Context) -> Measured:
    """True silhouettes of all cars, people and unknown obstacles, ragged as networks make them, with false specks."""
    drive = Drive(seed=_SEED, size=_SIZE, n_frames=60)
    chain = ObstacleChain(node_defaults().options, context.bundle.manifest.classes)
    pose = mounted_pose(drive.config)
    pictures = range(0, 60, 60 // context.count(_PICTURES, 1))
    seen = [_segmentation(drive, index) for index in pictures]
    outputs = _outputs(chain)
    times: dict[str, list[float]] = {"obstacles": [], **{name: [] for name in outputs}}
    turns = context.count(_TURNS, 20)
    found = 0
    cv2.setNumThreads(min(_CORES, usable_cores()))
    for turn in tqdm(range(turns + len(seen)), desc="masks", unit="mask", disable=not context.progress):
        result = seen[turn % len(seen)]
        start = time.perf_counter()
        made = chain.process(result, turn * _PERIOD_NS, drive.camera, pose, pitch_sigma=MOUNT_PITCH_SIGMA)
        times["obstacles"].append((time.perf_counter() - start) * 1e3)
        for name, output in outputs.items():
            start = time.perf_counter()
            output(made, result)
            times[name].append((time.perf_counter() - start) * 1e3)
        found = max(found, len(made.obstacles.obstacles))
    # The first round builds tables of lens and pose that stay.
    kept = {name: np.array(taken[len(seen) :]) for name, taken in times.items()}
    sparse = kept["obstacles"] + kept["cloud"] + kept["scan"]
    every = np.sum([*kept.values()], axis=0)
    median, high = np.quantile(sparse, (0.5, 0.95)).tolist()
    shares = [float(np.mean(np.asarray(result.mask) > 0)) for result in seen]
    components = [cv2.connectedComponents(np.asarray(result.mask), connectivity=8)[0] - 1 for result in seen]
    return Measured(
        f"{median:.1f} ms for obstacles, tracks, cloud and scan (95 %: {high:.1f}); {np.median(every):.1f} ms with "
        f"markers, detections, occupancy grid and organised cloud",
        median <= _MS,
        {
            "mask": f"{_SIZE[0]}x{_SIZE[1]}, {100 * np.mean(shares):.1f} % of it set",
            "components": [min(components), max(components)],
            "masks": turns,
            "obstacles_at_most": found,
            "cores": min(_CORES, usable_cores()),
            "ms": {name: _spread(taken) for name, taken in {**kept, "sparse": sparse, "every": every}.items()},
        },
    )


def _outputs(chain: ObstacleChain) -> dict[str, Callable[[ChainResult, Segmentation], Any]]:
    """As the node's defaults have them."""
    grid = OccupancyMapper(GridGeometry(0.2, 250, 200, 0.0, -20.0))
    organised = OrganisedCloud()

    def dense(make: Callable[..., Any]) -> Callable[[ChainResult, Segmentation], Any]:
        return lambda made, result: make(made.obstacles, result.labels, chain.drivable, made.ground)

    return {
        "cloud": lambda made, _: point_cloud(made.obstacles, z_min=0.1, z_max=0.4),
        "scan": lambda made, _: laser_scan(
            made.obstacles,
            angle_min=-math.pi / 2,
            angle_max=math.pi / 2,
            increment=math.pi / 720,
            range_min=0.3,
            range_max=60.0,
        ),
        "markers": lambda made, _: obstacle_boxes(made.obstacles),
        "detections": lambda made, _: detections(made.obstacles),
        "grid": dense(grid.occupancy),
        "organised cloud": dense(organised.cloud),
    }


def _segmentation(drive: Drive, index: int) -> Segmentation:
    scene = drive.frame(index)
    rng = np.random.default_rng(index)
    height, width = scene.labels.shape
    rough = cv2.GaussianBlur(rng.standard_normal((height, width), np.float32), (0, 0), 3.0) * 8.0
    truth: npt.NDArray[np.float32] = (scene.instances > 0).astype(np.float32)
    score = np.asarray(cv2.GaussianBlur(truth, (0, 0), 2.0), np.float32) * 6.0 - 3.0 + rough
    specks = np.quantile(rough[::4, ::4], 1.0 - _FALSE_SHARE)
    score = np.where((scene.instances == 0) & (rough > specks), np.float32(1.0), np.minimum(score, truth * 9.0 - 1.0))
    score = np.ascontiguousarray(score, np.float32)
    mask = np.where(score > 0.0, 255, 0).astype(np.uint8)
    return Segmentation((width, height), scene.labels, score, mask, None, 0.0, Timings(0.0, 0.0, 0.0))


def _spread(taken: npt.NDArray[np.float64]) -> dict[str, float]:
    low, middle, high = np.quantile(taken, (0.05, 0.5, 0.95)).tolist()
    return {"p5": low, "p50": middle, "p95": high}


SCENARIO = Scenario(
    "planner_outputs",
    "planner outputs from a 2048x1024 mask: obstacles, tracks, cloud and scan",
    f"<= {_MS:.0f} ms on two cores",
    measure,
)
