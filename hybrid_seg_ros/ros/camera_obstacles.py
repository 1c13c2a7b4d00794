"""One camera's obstacles: from its segmentations, its pose and its parameters to planner topics and a filtered mask."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from rclpy.node import Node
from std_msgs.msg import Header

from hybrid_seg_ros.bundle import ClassInfo
from hybrid_seg_ros.detector.types import Outputs, Segmentation
from hybrid_seg_ros.frames import Frame
from hybrid_seg_ros.monitor.reaction import Reaction
from hybrid_seg_ros.obstacles.chain import ObstacleChain
from hybrid_seg_ros.obstacles.cloud import Points
from hybrid_seg_ros.obstacles.extract import paint
from hybrid_seg_ros.obstacles.grid import GridGeometry
from hybrid_seg_ros.obstacles.ground import GroundProjection
from hybrid_seg_ros.obstacles.pose import CameraPose
from hybrid_seg_ros.obstacles.types import Obstacles
from hybrid_seg_ros.ros.horizon_pose import HorizonPose
from hybrid_seg_ros.ros.obstacle_options import obstacle_options
from hybrid_seg_ros.ros.obstacle_outputs import ObstacleOutputs, PlannerOptions
from hybrid_seg_ros.ros.pose_source import FirstPose, FixedPose, PoseSource
from hybrid_seg_ros.ros.schema import Settings
from hybrid_seg_ros.ros.settings_obstacles import hood_image
from hybrid_seg_ros.ros.tf_pose import TfPose, Transforms

Mask = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class ObstacleResult:
    """What became of one image.

    Attributes:
        obstacles: all of them, with the time filter's verdict.
        ground: how the image lies on the ground; None where nobody knows.
        reasons: uint8[H, W], why pixels of the mask are no obstacle (`gate.REASONS`); None unless asked for.
    """

    obstacles: Obstacles
    ground: GroundProjection | None
    reasons: Mask | None

    @property
    def counts(self) -> tuple[int, int]:
        """How many obstacles there are, and how many of them are confirmed."""
        return len(self.obstacles.obstacles), sum(found.confirmed for found in self.obstacles.obstacles)

    def mask(self, *, filtered: bool) -> Mask:
        """uint8[H, W], 255 on obstacles; those that the time filter lets through, or all that pass the gates."""
        if not filtered:
            return paint(self.obstacles)
        return paint(self.obstacles, [i for i, found in enumerate(self.obstacles.obstacles) if found.confirmed])


def planner_options(settings: Settings) -> PlannerOptions:
    """What the planner outputs are told; they are the same for all cameras."""
    cells = settings.grid_resolution
    return PlannerOptions(
        base_frame=settings.base_frame,
        ground_z=settings.ground_z,
        z_min=settings.cloud_z_min,
        z_max=settings.cloud_z_max,
        layers=settings.cloud_layers,
        voxel_m=settings.cloud_voxel_m,
        scan_angle_min=settings.scan_angle_min,
        scan_angle_max=settings.scan_angle_max,
        scan_increment=settings.scan_increment,
        scan_range_min=settings.scan_range_min,
        scan_range_max=settings.scan_range_max,
        grid=GridGeometry(
            resolution=cells,
            width=max(1, math.ceil(settings.grid_length_m / cells)),
            height=max(1, math.ceil(settings.grid_width_m / cells)),
            origin_x=0.0,
            origin_y=-settings.grid_width_m / 2,
        ),
        reliability=settings.planner_reliability,
        deadline_s=settings.planner_deadline_s,
        lease_s=settings.planner_lease_s,
    )


def pose_source(settings: Settings, transforms: Transforms | None, drivable: Sequence[int]) -> PoseSource | None:
    """Where the settings say that the pose comes from; None: they do not tell.

    Args:
        settings: of the camera, without `pose_problems`.
        transforms: from tf2, where the settings ask for it.
        drivable: ids of the classes that are road.
    """
    mount = None
    if settings.camera_z > 0.0:
        mount = CameraPose(
            settings.camera_x, settings.camera_y, settings.camera_z,
            settings.camera_roll, settings.camera_pitch, settings.camera_yaw,
        )  # fmt: skip
    if settings.pose_source == "parameters":
        return None if mount is None else FixedPose(mount)
    sources: list[PoseSource] = []
    if settings.pose_source == "tf" and transforms is not None:
        sources.append(TfPose(transforms, settings.ground_z))
    if mount is not None and (settings.pose_source == "horizon" or settings.pose_fallback):
        sources.append(HorizonPose(mount, drivable))
    return sources[0] if len(sources) == 1 else FirstPose(sources)


class CameraObstacles:
    """The obstacles of one camera; all but the constructor and `close` is called by the worker's thread.

    Args:
        node: publishes.
        name: the camera's name, "" for the only one.
        settings: of this camera.
        classes: the bundle's class table.
        transforms: from tf2, where a camera needs them.
    """

    def __init__(
        self, node: Node, name: str, settings: Settings, classes: Sequence[ClassInfo], transforms: Transforms | None
    ) -> None:
        drivable = [info.id for info in classes if info.drivable]
        self._settings = settings
        self._source = pose_source(settings, transforms, drivable)
        self._no_ground = ""
        self.chain = ObstacleChain(obstacle_options(settings), classes, hood_image(settings.gate_hood_image))
        self.outputs = ObstacleOutputs(node, name, planner_options(settings))

    @property
    def pose_from(self) -> str:
        """Where the pose comes from, or why there is none; for diagnostics."""
        if self._source is None:
            return "nowhere: camera_z is 0 (docs/obstacles.md)"
        why = self._source.why or self._no_ground
        if not why and isinstance(self._source, FirstPose):
            why = self._source.passed_over
        return f"{self._source.name}{f' ({why})' if why else ''}"

    def wanted(self, mask_heard: bool, merged_heard: bool) -> Outputs:
        """What the detector must compute; empty when nobody wants obstacles.

        Args:
            mask_heard: whether somebody looks at a mask that is filtered here.
            merged_heard: whether somebody listens to the cloud of all cameras.
        """
        wanted = self.outputs.wanted()
        if not wanted and not mask_heard and not merged_heard:
            return Outputs(0)
        wanted |= self.chain.needs
        if self._source is not None and self._source.needs_labels:
            wanted |= Outputs.LABELS
        return wanted

    def process(self, frame: Frame, result: Segmentation, *, explain: bool) -> ObstacleResult:
        """The obstacles of one result, which has what `wanted` asked for.

        Args:
            frame: its image.
            result: the segmentation.
            explain: whether somebody looks at what the gates removed.
        """
        source, pose, sigma = self._source, None, None
        if source is not None and frame.camera is not None:
            if source.needs_labels and result.labels is not None:
                source.observe(result.labels, frame.camera, frame.stamp_ns)
            pose = source.pose(frame.frame_id, frame.stamp_ns, self._settings.base_frame)
            sigma = max(self._settings.pitch_sigma, source.pitch_sigma)
        reasons = np.zeros((result.size[1], result.size[0]), np.uint8) if explain else None
        found = self.chain.process(result, frame.stamp_ns, frame.camera, pose, pitch_sigma=sigma, reasons=reasons)
        self._no_ground = found.why if frame.camera is not None else "no camera_info that can be of these images"
        return ObstacleResult(found.obstacles, found.ground, reasons)

    def publish(self, found: ObstacleResult, result: Segmentation, header: Header, reaction: Reaction) -> None:
        """To planners, under the stamp of the image."""
        self.outputs.publish(
            found.obstacles, found.ground, result.labels, self.chain.drivable, header.stamp,
            image_frame=header.frame_id, unknown=reaction is Reaction.MARK_UNKNOWN,
        )  # fmt: skip

    def points(self, found: ObstacleResult) -> Points:
        """For the cloud of all cameras."""
        return self.outputs.points(found.obstacles)
