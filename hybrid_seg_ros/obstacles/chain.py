"""One camera's way from a segmentation to tracked obstacles; the node and the measurements share it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.bundle import ClassInfo
from hybrid_seg_ros.detector.types import Outputs, Segmentation
from hybrid_seg_ros.frames.camera import CameraModel
from hybrid_seg_ros.obstacles.extract import ExtractOptions, extract
from hybrid_seg_ros.obstacles.gate import Gate, GateOptions
from hybrid_seg_ros.obstacles.ground import GroundProjection
from hybrid_seg_ros.obstacles.pose import CameraPose
from hybrid_seg_ros.obstacles.select import select
from hybrid_seg_ros.obstacles.track import FilterOptions, ObstacleFilter
from hybrid_seg_ros.obstacles.types import Obstacles

Mask = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class ObstacleOptions:
    """How obstacles are made.

    Attributes:
        gate: where they count.
        extract: which components count, and how exact their edges are.
        filter: since when.
        known_classes: whether the bundle's obstacle classes count as well as what is foreign.
    """

    gate: GateOptions = field(default_factory=GateOptions)
    extract: ExtractOptions = field(default_factory=ExtractOptions)
    filter: FilterOptions = field(default_factory=FilterOptions)
    known_classes: bool = False


@dataclass(frozen=True, slots=True)
class ChainResult:
    """What became of one segmentation.

    Attributes:
        obstacles: all of them, with id, age and confirmed.
        ground: how its pixels lie on the ground; None where camera or pose is not known or does not do.
        why: why there is no ground though camera and pose were given: a lens that is not known, an image that is
            upside down or shows no ground; else "".
    """

    obstacles: Obstacles
    ground: GroundProjection | None
    why: str = ""


class ObstacleChain:
    """Segmentation after segmentation of one camera; called by one thread.

    Args:
        options: see there.
        classes: the bundle's class table.
        hood_mask: uint8[h, w] of any size, not 0 = the own vehicle; beside the polygon of the gate's options.
    """

    def __init__(self, options: ObstacleOptions, classes: Sequence[ClassInfo], hood_mask: Mask | None = None) -> None:
        self.options = options
        self._hood_mask = hood_mask
        self.drivable = np.array([info.drivable for info in classes], np.bool_)
        self._known = np.zeros(256, np.uint8)
        self._known[[info.id for info in classes if info.obstacle]] = 255
        self._filter = ObstacleFilter(options.filter)
        self._ground: tuple[CameraModel, CameraPose, GroundProjection | None, str] | None = None
        self._gate: tuple[tuple[int, int], GroundProjection | None, Gate] | None = None

    @property
    def needs(self) -> Outputs:
        """What the detector must compute."""
        needs = Outputs.MASK | Outputs.SCORE
        if self.options.known_classes or self.options.gate.drivable:
            needs |= Outputs.LABELS
        return needs

    @property
    def filter(self) -> ObstacleFilter:
        """The time filter, for its numbers."""
        return self._filter

    def process(
        self,
        result: Segmentation,
        stamp_ns: int,
        camera: CameraModel | None,
        pose: CameraPose | None,
        *,
        pitch_sigma: float | None = None,
        reasons: Mask | None = None,
    ) -> ChainResult:
        """The obstacles of the next image.

        Args:
            result: with what `needs` names.
            stamp_ns: of the image.
            camera: intrinsics for the image, of any size; None: not known.
            pose: of the camera over the ground; None: not known.
            pitch_sigma: of this image's pose, rad; None: as the options say.
            reasons: see `extract`.

        Raises:
            ValueError: an output that `needs` names is missing.
        """
        options = self.options.extract
        mask, score = self._mask(result)
        ground, why = self._projection(result.size, camera, pose)
        obstacles = extract(
            mask,
            score,
            result.labels,
            gate=self._gates(result.size, ground),
            drivable=self.drivable,
            ground=ground,
            options=options if pitch_sigma is None else replace(options, pitch_sigma=pitch_sigma),
            stamp_ns=stamp_ns,
            reasons=reasons,
        )
        return ChainResult(self._tracked(obstacles, result.threshold), ground, why)

    def _tracked(self, obstacles: Obstacles, threshold: float) -> Obstacles:
        """With the time filter's verdict; what lies below the threshold is only there to keep what is confirmed."""
        found = self._filter.update(obstacles, threshold)
        if self.options.filter.hysteresis == 0.0:
            return found
        return select(found, np.array([o.confirmed or not o.score_max <= threshold for o in found.obstacles], np.bool_))

    def _mask(self, result: Segmentation) -> tuple[Mask, npt.NDArray[np.float32] | None]:
        """What may be an obstacle, and the scores that go with it."""
        score, mask = result.score, result.mask
        if mask is None:
            raise ValueError("the segmentation has no mask, expected the outputs that `needs` names")
        if self.options.filter.hysteresis > 0.0:
            if score is None:
                raise ValueError("the segmentation has no score, expected the outputs that `needs` names")
            off = self.options.filter.off_threshold(result.threshold)
            mask = np.asarray(score > np.float32(off)).view(np.uint8)  # not 0 is set: a tenth of the time of 0 and 255
        if not self.options.known_classes:
            return mask, score
        if result.labels is None:
            raise ValueError("the segmentation has no labels, expected the outputs that `needs` names")
        known = np.asarray(cv2.LUT(result.labels, self._known), np.uint8)
        if score is not None:
            # known obstacles are none the weaker for looking familiar: the filter must not take them for weak ones
            above = np.nextafter(np.float32(result.threshold), np.float32(np.inf))
            score = np.where(known > 0, np.maximum(score, above), score)
        return np.asarray(cv2.bitwise_or(mask, known), np.uint8), score

    def _projection(
        self, size: tuple[int, int], camera: CameraModel | None, pose: CameraPose | None
    ) -> tuple[GroundProjection | None, str]:
        """The ground and why there is none; what a CameraInfo says must not cost the camera its masks."""
        if camera is None or pose is None:
            return None, ""
        seen = camera.resized(*size)
        if self._ground is None or self._ground[:2] != (seen, pose):
            self._ground = (seen, pose, *_projected(seen, pose))
        return self._ground[2:]

    def _gates(self, size: tuple[int, int], ground: GroundProjection | None) -> Gate:
        if self._gate is None or self._gate[0] != size or self._gate[1] is not ground:
            horizon = None if ground is None else ground.horizon_rows()
            self._gate = (size, ground, Gate(self.options.gate, size, horizon, self._hood_mask))
        return self._gate[2]


def _projected(camera: CameraModel, pose: CameraPose) -> tuple[GroundProjection | None, str]:
    try:
        ground = GroundProjection(camera, pose)
    except ValueError as error:
        return None, str(error)
    if not ground.sees_ground:
        return None, "no part of the image shows the ground with this lens and this pose"
    return ground, ""
