"""What each consumer of the obstacle topics demands, as data, and checks that reject as the consumer would.

Read from the consumers' own sources: Nav2 (humble ... lyrical), kiwicampus/semantic_segmentation_layer, Autoware
Universe. Where branches differ, the strictest counts. What they do with a message they take: support.costmaps,
support.brakes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from rclpy.qos import (
    DurabilityPolicy,
    LivelinessPolicy,
    QoSCompatibility,
    QoSProfile,
    ReliabilityPolicy,
    qos_check_compatible,
    qos_profile_sensor_data,
)

Points = npt.NDArray[np.float64]
Frames = Mapping[str, npt.NDArray[np.float64]]
"""Frame -> float64[4, 4], from that frame to the one the consumer works in."""

POINT_TYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 8: "f8"}
FLOAT32 = 7
CLOUD, SCAN, IMAGE = "sensor_msgs/msg/PointCloud2", "sensor_msgs/msg/LaserScan", "sensor_msgs/msg/Image"
LABELS, DIAGNOSTICS = "vision_msgs/msg/LabelInfo", "diagnostic_msgs/msg/DiagnosticArray"


class RejectedError(AssertionError):
    """A consumer would not take the message, or would take it wrongly."""


@dataclass(frozen=True)
class Requirement:
    """What one subscription of a consumer asks for.

    Attributes:
        consumer: its name.
        kind: message type.
        qos: that its subscription requests.
        fields: of a cloud, that it reads, with their PointField datatype.
        encoding: of an image.
        frame: that it insists on; "" is any that tf2 can transform at the stamp.
        band: z in its working frame, m, of what it takes.
        max_age_s: older messages count as no message.
        future_s: stamps farther ahead of its clock wait for a transform that does not come in time.
        empty: what a message without points or hits means to it.
        source: where this is from.
    """

    consumer: str
    kind: str
    qos: QoSProfile
    fields: Mapping[str, int] = field(default_factory=dict)
    encoding: str = ""
    frame: str = ""
    band: tuple[float, float] = (-np.inf, np.inf)
    max_age_s: float = np.inf
    future_s: float = 0.1
    empty: str = ""
    source: str = ""


XYZ = {"x": FLOAT32, "y": FLOAT32, "z": FLOAT32}
SENSOR_50 = QoSProfile(depth=50, reliability=ReliabilityPolicy.BEST_EFFORT)
LATCHED_5 = QoSProfile(depth=5, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL)

OBSTACLE_LAYER_CLOUD = Requirement(
    consumer="Nav2 obstacle layer",
    kind=CLOUD,
    qos=SENSOR_50,
    fields=XYZ,
    band=(0.0, 2.0),
    empty="nothing is marked; nothing is cleared either: only rays that end somewhere clear",
    source="nav2_costmap_2d/plugins/obstacle_layer.cpp, src/observation_buffer.cpp",
)
OBSTACLE_LAYER_SCAN = Requirement(
    consumer="Nav2 obstacle layer",
    kind=SCAN,
    qos=SENSOR_50,
    empty="with inf_is_valid, +inf clears the whole ray; NaN is no ray",
    source="nav2_costmap_2d/plugins/obstacle_layer.cpp, laserScanValidInfCallback",
)
COLLISION_MONITOR_CLOUD = Requirement(
    consumer="Nav2 collision monitor",
    kind=CLOUD,
    qos=qos_profile_sensor_data,
    fields=XYZ,
    band=(0.05, 0.5),
    max_age_s=2.0,
    empty="a valid source that sees nothing: the robot may drive",
    source="nav2_collision_monitor/src/pointcloud.cpp, src/source.cpp, src/collision_monitor_node.cpp",
)
COLLISION_MONITOR_SCAN = Requirement(
    consumer="Nav2 collision monitor",
    kind=SCAN,
    qos=qos_profile_sensor_data,
    max_age_s=2.0,
    empty="ranges outside [range_min, range_max] are no point",
    source="nav2_collision_monitor/src/scan.cpp",
)
SEMANTIC_LAYER_MASK = Requirement(
    consumer="semantic segmentation layer",
    kind=IMAGE,
    qos=SENSOR_50,
    encoding="mono8",
    source="semantic_segmentation_layer/src/semantic_segmentation_layer.cpp",
)
SEMANTIC_LAYER_CLOUD = Requirement(
    consumer="semantic segmentation layer",
    kind=CLOUD,
    qos=SENSOR_50,
    fields=XYZ,
    empty="a cloud of NaN: no tile is observed, and tiles decay",
    source="semantic_segmentation_layer/src/segmentation_buffer.cpp",
)
SEMANTIC_LAYER_LABELS = Requirement(
    consumer="semantic segmentation layer",
    kind=LABELS,
    qos=LATCHED_5,
    source="semantic_segmentation_layer/src/semantic_segmentation_layer.cpp",
)
AUTOWARE_CLOUD = Requirement(
    consumer="Autoware",
    kind=CLOUD,
    qos=QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT),
    fields=XYZ,
    frame="base_link",
    band=(0.0, 3.0),
    max_age_s=1.0,
    empty="a sign of life: no obstacle",
    source="autoware_autonomous_emergency_braking/src/node.cpp; component_state_monitor/topics.yaml: 5 Hz, timeout 1 s",
)
AUTOWARE_DIAGNOSTICS = Requirement(
    consumer="Autoware diagnostic graph",
    kind=DIAGNOSTICS,
    qos=QoSProfile(depth=1000, reliability=ReliabilityPolicy.RELIABLE),
    max_age_s=1.0,
    source="autoware_diagnostic_graph_aggregator: status looked up by its exact name, ERROR when it stays away",
)


def kind_of(message: Any) -> str:  # of rclpy or of rosbags
    """Type of a message of rclpy or rosbags, as in "sensor_msgs/msg/Image"."""
    named = getattr(message, "__msgtype__", None)
    return str(named) if named else f"{type(message).__module__.split('.')[0]}/msg/{type(message).__name__}"


def stamp_s(message: Any) -> float:
    """Stamp of the header, s."""
    return float(message.header.stamp.sec) + float(message.header.stamp.nanosec) * 1e-9


def resolved(qos: QoSProfile) -> QoSProfile:
    """The profile without "system default", which DDS itself does not have."""
    return QoSProfile(
        depth=qos.depth or 1,
        reliability=qos.reliability,
        durability=qos.durability if qos.durability != DurabilityPolicy.SYSTEM_DEFAULT else DurabilityPolicy.VOLATILE,
        deadline=qos.deadline,
        liveliness=qos.liveliness if qos.liveliness != LivelinessPolicy.SYSTEM_DEFAULT else LivelinessPolicy.AUTOMATIC,
        liveliness_lease_duration=qos.liveliness_lease_duration,
    )


def check_qos(wanted: Requirement, offered: QoSProfile | None) -> None:
    """Whether DDS connects the two at all; None is not checked."""
    if offered is not None:
        compatibility, reason = qos_check_compatible(resolved(offered), resolved(wanted.qos))
        if compatibility != QoSCompatibility.OK:
            raise RejectedError(f"{wanted.consumer}: never connected, {reason}")


def check_common(
    wanted: Requirement,
    message: Any,
    offered: QoSProfile | None,
    frames: Frames,
    now_s: float,
) -> None:
    """What every consumer checks: type, QoS, frame and stamp. `offered` None checks no QoS."""
    if kind_of(message) != wanted.kind:
        raise RejectedError(f"{wanted.consumer}: subscribes {wanted.kind}, found {kind_of(message)}")
    check_qos(wanted, offered)
    frame = message.header.frame_id
    if frame.startswith("/") or not frame:
        raise RejectedError(f"{wanted.consumer}: tf2 knows no frame {frame!r}")
    if wanted.frame and frame != wanted.frame:
        raise RejectedError(f"{wanted.consumer}: wants frame {wanted.frame!r}, found {frame!r}")
    if frame not in frames and wanted.kind != LABELS:
        raise RejectedError(f"{wanted.consumer}: no transform from {frame!r}; known: {sorted(frames)}")
    age = now_s - stamp_s(message)
    if age > wanted.max_age_s:
        raise RejectedError(f"{wanted.consumer}: message is {age:.2f} s old, taken up to {wanted.max_age_s:g} s")
    if age < -wanted.future_s:
        raise RejectedError(f"{wanted.consumer}: stamp lies {-age:.2f} s ahead of the clock")


def cloud_points(wanted: Requirement, message: Any) -> dict[str, npt.NDArray[np.generic]]:
    """Every field of a cloud [H * W], read by its declared layout alone."""
    size = message.width * message.height
    if message.row_step != message.width * message.point_step or len(message.data) != message.row_step * message.height:
        raise RejectedError(
            f"{wanted.consumer}: {message.width}x{message.height} points of {message.point_step} bytes, row_step "
            f"{message.row_step}, but {len(message.data)} bytes"
        )
    order = ">" if message.is_bigendian else "<"
    found = {}
    for each in message.fields:
        kind = order + POINT_TYPES[each.datatype]
        if each.count != 1 or each.offset + np.dtype(kind).itemsize > message.point_step:
            raise RejectedError(
                f"{wanted.consumer}: field {each.name} does not fit a point of {message.point_step} bytes"
            )
        layout = np.dtype({"names": ["v"], "formats": [kind], "offsets": [each.offset], "itemsize": message.point_step})
        found[each.name] = np.frombuffer(bytes(message.data), layout, size)["v"]
    declared = {each.name: each.datatype for each in message.fields}
    for name, datatype in wanted.fields.items():
        if declared.get(name) != datatype:
            raise RejectedError(f"{wanted.consumer}: wants field {name} as {datatype}, found {declared}")
    return found


def transformed(points: Points, frame: npt.NDArray[np.float64]) -> Points:
    """float64[N, 3] through a float64[4, 4]."""
    return points @ frame[:3, :3].T + frame[:3, 3]


def check_cloud(
    wanted: Requirement,
    message: Any,
    offered: QoSProfile | None,
    frames: Frames,
    now_s: float,
) -> Points:
    """The points float64[N, 3] in the consumer's frame, all of which it must take."""
    check_common(wanted, message, offered, frames, now_s)
    values = cloud_points(wanted, message)
    xyz = np.stack([values[name].astype(np.float64) for name in "xyz"], axis=1)
    broken = ~np.isfinite(xyz).all(axis=1)
    if broken.any() and message.is_dense:
        raise RejectedError(f"{wanted.consumer}: is_dense, but {broken.sum()} points are not finite")
    if (broken & np.isfinite(xyz[:, 2])).any():
        raise RejectedError(f"{wanted.consumer}: points with a height and no place; it looks at z alone")
    points = transformed(xyz[~broken], frames[message.header.frame_id])
    low, high = wanted.band
    outside = (points[:, 2] < low) | (points[:, 2] > high)
    if outside.any():
        raise RejectedError(
            f"{wanted.consumer}: ignores {outside.sum()} of {len(points)} points, z in [{low:g}, {high:g}] m is taken, "
            f"found {points[:, 2].min():.2f} ... {points[:, 2].max():.2f} m"
        )
    return points


def check_scan(
    wanted: Requirement,
    message: Any,
    offered: QoSProfile | None,
    frames: Frames,
    now_s: float,
) -> npt.NDArray[np.float64]:
    """The ranges float64[N], m."""
    check_common(wanted, message, offered, frames, now_s)
    ranges = np.asarray(message.ranges, np.float64)
    spread = message.angle_max - message.angle_min
    expected = round(spread / message.angle_increment) + 1
    if len(ranges) != expected:
        raise RejectedError(f"{wanted.consumer}: {len(ranges)} ranges, the angles tell of {expected}")
    hits = ranges[np.isfinite(ranges)]
    if ((hits < message.range_min) | (hits > message.range_max)).any():
        raise RejectedError(f"{wanted.consumer}: finite ranges outside [range_min, range_max] are ignored")
    if np.isneginf(ranges).any():
        raise RejectedError(f"{wanted.consumer}: -inf (too near to measure) is no obstacle to it")
    return ranges


def check_nav2_obstacle_layer(message: Any, offered: QoSProfile | None, frames: Frames, now_s: float) -> Points:
    """Points in the costmap's global frame, or ranges of a scan."""
    if kind_of(message) == SCAN:
        return check_scan(OBSTACLE_LAYER_SCAN, message, offered, frames, now_s)
    return check_cloud(OBSTACLE_LAYER_CLOUD, message, offered, frames, now_s)


def check_nav2_collision_monitor(message: Any, offered: QoSProfile | None, frames: Frames, now_s: float) -> Points:
    """Points in the robot's base frame, or ranges of a scan."""
    if kind_of(message) == SCAN:
        return check_scan(COLLISION_MONITOR_SCAN, message, offered, frames, now_s)
    return check_cloud(COLLISION_MONITOR_CLOUD, message, offered, frames, now_s)


def check_semantic_layer(
    mask: Any,
    cloud: Any,
    offered: tuple[QoSProfile | None, QoSProfile | None],
    frames: Frames,
    now_s: float,
) -> tuple[npt.NDArray[np.uint8], Points]:
    """The mask uint8[H, W] and its points float64[H, W, 3], NaN where a pixel has none."""
    # the mask is only compared with the cloud: its frame may be the camera's
    check_common(SEMANTIC_LAYER_MASK, mask, offered[0], {**frames, mask.header.frame_id: np.eye(4)}, now_s)
    check_common(SEMANTIC_LAYER_CLOUD, cloud, offered[1], frames, now_s)
    who = SEMANTIC_LAYER_MASK.consumer
    if mask.encoding != "mono8" or mask.step != mask.width:
        raise RejectedError(f"{who}: reads one byte a pixel without padding, found {mask.encoding}, step {mask.step}")
    if (mask.width, mask.height) != (cloud.width, cloud.height):
        raise RejectedError(f"{who}: mask {mask.width}x{mask.height}, cloud {cloud.width}x{cloud.height}")
    if abs(stamp_s(mask) - stamp_s(cloud)) > 0.1:
        raise RejectedError(f"{who}: mask and cloud lie more than 100 ms apart")
    values = cloud_points(SEMANTIC_LAYER_CLOUD, cloud)
    xyz = np.stack([values[name].astype(np.float64) for name in "xyz"], axis=1)
    if (np.isfinite(xyz[:, 2]) & ~np.isfinite(xyz).all(axis=1)).any():
        raise RejectedError(f"{who}: pixels with a height and no place; it looks at z alone")
    if np.isnan(xyz).any() and cloud.is_dense:
        raise RejectedError(f"{who}: is_dense, but pixels have no point")
    pixels = np.frombuffer(bytes(mask.data), np.uint8).reshape(mask.height, mask.width)
    points = transformed(xyz, frames[cloud.header.frame_id])
    return pixels, points.reshape(cloud.height, cloud.width, 3)


def check_label_info(message: Any, offered: QoSProfile | None, class_names: set[str]) -> dict[int, str]:
    """Class id -> name; every name must be in the layer's parameters, every id in a mono8 mask."""
    check_common(SEMANTIC_LAYER_LABELS, message, offered, {}, stamp_s(message))
    found = {entry.class_id: entry.class_name for entry in message.class_map}
    if not found or max(found) > 255:
        raise RejectedError(f"{SEMANTIC_LAYER_LABELS.consumer}: wants class ids 0 ... 255, found {found}")
    if unknown := set(found.values()) - class_names:
        raise RejectedError(f"{SEMANTIC_LAYER_LABELS.consumer}: classes without parameters are ignored: {unknown}")
    return found


def check_autoware(message: Any, offered: QoSProfile | None, frames: Frames, now_s: float) -> Points:
    """Points over ground in base_link."""
    return check_cloud(AUTOWARE_CLOUD, message, offered, frames, now_s)


def check_autoware_diagnostics(
    message: Any,
    offered: QoSProfile | None,
    names: set[str],
    now_s: float,
) -> dict[str, int]:
    """Level of each of the names that the diagnostic graph looks up."""
    check_qos(AUTOWARE_DIAGNOSTICS, offered)
    if (age := now_s - stamp_s(message)) > AUTOWARE_DIAGNOSTICS.max_age_s:
        raise RejectedError(f"{AUTOWARE_DIAGNOSTICS.consumer}: status is {age:.2f} s old")
    levels = {status.name: int.from_bytes(bytes(status.level), "little") for status in message.status}
    if missing := names - set(levels):
        raise RejectedError(f"{AUTOWARE_DIAGNOSTICS.consumer}: no status {sorted(missing)}, found {sorted(levels)}")
    return {name: levels[name] for name in names}
