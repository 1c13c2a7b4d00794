"""The obstacles of a generated drive held against its truth: who is found how far away, and what is not there."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.assessment.contact_error import RANGE_M, ContactError, contact_error, shows_its_foot
from hybrid_seg_ros.bundle import ClassInfo
from hybrid_seg_ros.detector.types import Segmentation
from hybrid_seg_ros.evaluation.tracking import TrackingReport, TrackingWatch
from hybrid_seg_ros.obstacles.chain import ObstacleChain, ObstacleOptions
from hybrid_seg_ros.obstacles.ground import GroundProjection
from hybrid_seg_ros.obstacles.pose import CameraPose
from hybrid_seg_ros.obstacles.types import Obstacles
from hybrid_seg_ros.scenes.classes import ROAD
from hybrid_seg_ros.scenes.truth import ObstacleTruth, SceneFrame

BEFORE_M = 25.0
"""At this distance an obstacle must have been confirmed, m."""
FAR_M = 50.0
"""Up to here obstacles are watched, m."""

_AHEAD_M = 40.0
_MIN_SHARE = 0.1  # of the smaller of truth and obstacle, as TrackingWatch has it
_VISIBLE_SHARE = 0.25
_MIN_FRAMES_AHEAD = 5

Painted = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class FoundObstacle:
    """What became of one unknown obstacle of a drive.

    Attributes:
        kind: what it is.
        size: the greater of its height and width, m.
        on_road: whether it stands on the road.
        frames_ahead: frames in which it was in sight between BEFORE_M and 40 m.
        detected_m: true distance when a component first showed it, m; None: never.
        confirmed_m: true distance when it was first confirmed, m; None: never.
        frames_near: frames in which it was in sight nearer than BEFORE_M.
        confirmed_near: of these, frames with it confirmed.
    """

    kind: str
    size: float
    on_road: bool
    frames_ahead: int
    detected_m: float | None
    confirmed_m: float | None
    frames_near: int
    confirmed_near: int

    @property
    def counts(self) -> bool:
        """Whether it had to be found: on the road, 0.3 m or more, in sight long enough before BEFORE_M."""
        return self.on_road and self.size >= 0.3 and self.frames_ahead >= _MIN_FRAMES_AHEAD and self.frames_near > 0

    @property
    def in_time(self) -> bool:
        """Whether it was confirmed before BEFORE_M."""
        return self.confirmed_m is not None and self.confirmed_m >= BEFORE_M


@dataclass(frozen=True, slots=True)
class DriveFindings:
    """Of one drive.

    Attributes:
        obstacles: the unknown ones that were in sight.
        tracking: of the unknown ones within FAR_M, and the false alarms.
        positions: of confirmed obstacles whose foot is seen, with the exact pose of each frame.
        positions_mounted: the same with the pose that the chain was given.
    """

    obstacles: tuple[FoundObstacle, ...]
    tracking: TrackingReport
    positions: tuple[ContactError, ...]
    positions_mounted: tuple[ContactError, ...]


@dataclass(slots=True)
class _Watched:
    kind: str
    size: float
    on_road: list[float] = field(default_factory=list)
    frames_ahead: int = 0
    detected_m: float | None = None
    confirmed_m: float | None = None
    frames_near: int = 0
    confirmed_near: int = 0

    def found(self) -> FoundObstacle:
        standing = bool(self.on_road) and float(np.median(self.on_road)) > 0.5
        return FoundObstacle(
            self.kind, self.size, standing, self.frames_ahead, self.detected_m, self.confirmed_m, self.frames_near,
            self.confirmed_near,
        )  # fmt: skip


class DriveJudge:
    """Frame after frame of one drive through an obstacle chain; keeps numbers, no images.

    Args:
        options: of the chain.
        classes: the bundle's class table.
    """

    def __init__(self, options: ObstacleOptions, classes: Sequence[ClassInfo]) -> None:
        self.chain = ObstacleChain(options, classes)
        self._watch = TrackingWatch(min_pixels=options.extract.min_pixels, min_share=_MIN_SHARE)
        self._known: dict[int, _Watched] = {}
        self._exact: list[ContactError] = []
        self._mounted: list[ContactError] = []

    def add(
        self, scene: SceneFrame, result: Segmentation, given: CameraPose, exact: CameraPose, pitch_sigma: float
    ) -> None:
        """The next frame.

        Args:
            scene: its truth.
            result: what the network said of it, at the frame's size.
            given: the pose that the chain gets.
            exact: the true one, for positions.
            pitch_sigma: of the pose that the chain gets, rad.
        """
        camera = scene.frame.camera
        if camera is None:
            raise ValueError("the frame has no camera, expected one of a generated drive")
        made = self.chain.process(result, scene.frame.stamp_ns, camera, given, pitch_sigma=pitch_sigma)
        obstacles = made.obstacles
        shown = [o.confirmed or not o.score_max <= result.threshold for o in obstacles.obstacles]
        painted = paint_indices(obstacles, shown)
        unknown = [o for o in scene.obstacles if not o.known and o.distance <= FAR_M]
        confirmed = [o.confirmed for o in obstacles.obstacles]
        self._watch.add(
            scene.frame.stamp_ns, scene.instances, painted, [o.id for o in obstacles.obstacles], confirmed,
            [o.id for o in unknown],
        )  # fmt: skip
        areas = [o.pixels for o in obstacles.obstacles]
        exactly = GroundProjection(camera.resized(*result.size), exact)
        for truth in unknown:
            on = _on(truth, scene, painted, areas)
            passed = [index for index in on if confirmed[index]]
            self._follow(truth, scene, bool(on), bool(passed))
            if not passed or not RANGE_M[0] <= truth.distance <= RANGE_M[1]:
                continue
            if not shows_its_foot(truth, scene):
                continue
            for ground, errors in ((exactly, self._exact), (made.ground, self._mounted)):
                error = None if ground is None else contact_error(obstacles, passed, truth, ground)
                if error is not None:
                    errors.append(error)

    def findings(self) -> DriveFindings:
        """Of all frames so far."""
        return DriveFindings(
            tuple(item.found() for _, item in sorted(self._known.items())),
            self._watch.report(),
            tuple(self._exact),
            tuple(self._mounted),
        )

    def _follow(self, truth: ObstacleTruth, scene: SceneFrame, detected: bool, confirmed: bool) -> None:
        if truth.id not in self._known:
            self._known[truth.id] = _Watched(truth.kind, max(truth.extent[1], truth.extent[2]))
        item = self._known[truth.id]
        if detected and item.detected_m is None:
            item.detected_m = truth.distance
        if confirmed and item.confirmed_m is None:
            item.confirmed_m = truth.distance
        if not _in_sight(truth, scene):
            return
        item.on_road.append(_road_below(truth, scene))
        if BEFORE_M <= truth.distance <= _AHEAD_M:
            item.frames_ahead += 1
        elif truth.distance < BEFORE_M:
            item.frames_near += 1
            item.confirmed_near += confirmed


def paint_indices(obstacles: Obstacles, shown: Sequence[bool]) -> Painted:
    """int32[H, W], 1 + the index of the obstacle that covers a pixel, 0 where none that is to be shown does."""
    runs = obstacles.runs
    width, height = obstacles.size
    image = np.zeros(height * width, np.int32)
    length = runs.stop - runs.start
    first = runs.row.astype(np.int64) * width + runs.start
    before = np.cumsum(length) - length
    pixels = np.repeat(first - before, length) + np.arange(int(length.sum()))
    value = np.where(np.asarray(shown, bool), np.arange(1, len(shown) + 1), 0).astype(np.int32)
    image[pixels] = np.repeat(value[runs.obstacle], length)
    return image.reshape(height, width)


def _box(truth: ObstacleTruth) -> tuple[slice, slice]:
    x0, y0, x1, y1 = truth.bbox
    return slice(y0, y1), slice(x0, x1)


def _on(truth: ObstacleTruth, scene: SceneFrame, painted: Painted, areas: Sequence[int]) -> list[int]:
    """Indices of the obstacles that show a true one; `areas`: pixels of each."""
    box = _box(truth)
    mine = painted[box][scene.instances[box] == truth.id]
    shared = np.bincount(mine, minlength=len(areas) + 1)[1:]
    return [index for index, area in enumerate(areas) if shared[index] >= max(_MIN_SHARE * min(mine.size, area), 1)]


def _in_sight(truth: ObstacleTruth, scene: SceneFrame) -> bool:
    """Whether as much of it is visible as of something that nothing hides: by the area of its box from the front."""
    camera = scene.frame.camera
    focal = math.nan if camera is None else camera.fx
    length, width, height = truth.extent
    whole = (focal / max(truth.distance, 1.0)) ** 2 * min(length, width) * height
    x0, _, x1, _ = truth.bbox
    inside = x0 > 0 and x1 < scene.instances.shape[1]
    return inside and truth.visible_pixels >= _VISIBLE_SHARE * whole


def _road_below(truth: ObstacleTruth, scene: SceneFrame) -> float:
    """Share of its columns under whose lowest pixel there is road."""
    box = _box(truth)
    mine = scene.instances[box] == truth.id
    columns = np.flatnonzero(mine.any(axis=0))
    lowest = box[0].stop - 1 - np.argmax(mine[::-1][:, columns], axis=0)
    below = np.minimum(lowest + 1, scene.labels.shape[0] - 1)
    return float(np.mean(scene.labels[below, columns + box[1].start] == ROAD))
