"""Planner arrays as ROS messages.

Every builder takes the header as it shall be published: the image's stamp, the frame the arrays are in. Data goes in
through `array.array.frombytes`: assigning an ndarray or bytes makes rclpy check every element (see `ros.bridge`).
"""

import math
from collections.abc import Sequence
from types import ModuleType

import numpy as np
import numpy.typing as npt
from builtin_interfaces.msg import Duration
from geometry_msgs.msg import Point, Pose, Quaternion, Vector3
from nav_msgs.msg import OccupancyGrid
from sensor_msgs.msg import LaserScan, PointCloud2, PointField
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker, MarkerArray

from hybrid_seg_ros.obstacles.cloud import POINT, Points
from hybrid_seg_ros.obstacles.detections import Detection
from hybrid_seg_ros.obstacles.grid import GridGeometry
from hybrid_seg_ros.obstacles.markers import ObstacleBox

Floats = npt.NDArray[np.float32]

CLASS_ID = "obstacle"
"""class_id of every detection: what it is of is not known."""

_FIELD_TYPES = {"<f4": PointField.FLOAT32, "<u4": PointField.UINT32}
_ORGANISED = np.dtype([("x", "<f4"), ("y", "<f4"), ("z", "<f4"), ("intensity", "<f4")])
_CONFIRMED_COLOR = ColorRGBA(r=1.0, g=0.2, b=0.1, a=0.6)
_RAW_COLOR = ColorRGBA(r=1.0, g=0.8, b=0.1, a=0.3)
_TEXT_COLOR = ColorRGBA(r=1.0, g=1.0, b=1.0, a=1.0)
_TEXT_HEIGHT_M = 0.4


def cloud_message(points: Points, header: Header) -> PointCloud2:
    """An unorganised cloud of POINT[N]; none at all are a valid message, with its fields, that says "clear".

    Raises:
        ValueError: points of another type.
    """
    if points.dtype != POINT or points.ndim != 1:
        raise ValueError(f"points are {points.dtype}{list(points.shape)}, expected {POINT}[N]")
    return _cloud(points, POINT, header, height=1, width=len(points), is_dense=True)


def organised_message(cloud: Floats, header: Header) -> PointCloud2:
    """A cloud of the mask's width and height, x, y, z and intensity of every pixel, NaN where there is none.

    Args:
        cloud: float32[H, W, 4], see `obstacles.organised`.
        header: of the message.

    Raises:
        ValueError: an array of another type or shape.
    """
    if cloud.dtype != np.float32 or cloud.ndim != 3 or cloud.shape[2] != 4:
        raise ValueError(f"the cloud is {cloud.dtype}{list(cloud.shape)}, expected float32[H, W, 4]")
    height, width, _ = cloud.shape
    return _cloud(cloud, _ORGANISED, header, height=height, width=width, is_dense=False)


def _cloud(
    data: npt.NDArray[np.generic], point: np.dtype[np.void], header: Header, *, height: int, width: int, is_dense: bool
) -> PointCloud2:
    message = PointCloud2(header=header, height=height, width=width, is_bigendian=False, is_dense=is_dense)
    message.fields = [
        PointField(name=name, offset=offset, datatype=_FIELD_TYPES[kind.str], count=1)
        for name, (kind, offset, *_) in (point.fields or {}).items()
    ]
    message.point_step = point.itemsize
    message.row_step = point.itemsize * width
    message.data.frombytes(_bytes(data))
    return message


def _bytes(data: npt.NDArray[np.generic]) -> memoryview:
    """The array's bytes, little-endian types as they are; copied only where they do not lie in one piece."""
    return np.ascontiguousarray(data).reshape(-1).view(np.uint8).data


def scan_message(
    ranges: Floats, header: Header, *, angle_min: float, increment: float, range_min: float, range_max: float
) -> LaserScan:
    """The ranges of `obstacles.scan.laser_scan`, all taken at the header's stamp.

    angle_max is that of the last ray, which consumers check the number of ranges against.
    """
    message = LaserScan(
        header=header,
        angle_min=angle_min,
        angle_max=angle_min + (len(ranges) - 1) * increment,
        angle_increment=increment,
        time_increment=0.0,
        scan_time=0.0,
        range_min=range_min,
        range_max=range_max,
    )
    message.ranges.frombytes(_bytes(ranges.astype(np.float32, copy=False)))
    return message


def grid_message(
    cells: npt.NDArray[np.int8], header: Header, geometry: GridGeometry, *, ground_z: float = 0.0
) -> OccupancyGrid:
    """The cells of `obstacles.grid.occupancy`, -1 unknown, 0 free, 100 occupied.

    Args:
        cells: int8[height, width].
        header: of the message; also the time the map was loaded.
        geometry: of the grid.
        ground_z: height of the ground plane in the header's frame, m.

    Raises:
        ValueError: cells of another size than the geometry.
    """
    if cells.shape != (geometry.height, geometry.width) or cells.dtype != np.int8:
        raise ValueError(
            f"the cells are {cells.dtype}{list(cells.shape)}, expected int8[{geometry.height}, {geometry.width}]"
        )
    message = OccupancyGrid(header=header)
    info = message.info
    info.map_load_time = header.stamp
    info.resolution = geometry.resolution
    info.width, info.height = geometry.width, geometry.height
    info.origin.position = Point(x=geometry.origin_x, y=geometry.origin_y, z=ground_z)
    message.data.frombytes(_bytes(cells))
    return message


def markers_message(boxes: Sequence[ObstacleBox], header: Header, *, lifetime_s: float = 0.5) -> MarkerArray:
    """A box and a text for each obstacle, after an order to delete all earlier ones.

    Args:
        boxes: of `obstacles.markers.obstacle_boxes`.
        header: of every marker.
        lifetime_s: viewers drop the markers after this time, so that a node that is gone leaves none standing, s.
    """
    clear = Marker(header=header, action=Marker.DELETEALL)
    clear.pose.orientation.w = 1.0
    markers = [clear]
    lifetime = _duration(lifetime_s)
    for number, box in enumerate(boxes):
        x, y, z = box.centre
        depth, width, height = box.size
        markers.append(
            Marker(
                header=header,
                ns="obstacles",
                id=number,
                type=Marker.CUBE,
                action=Marker.ADD,
                pose=Pose(position=Point(x=x, y=y, z=z), orientation=_about_z(box.yaw)),
                scale=Vector3(x=depth, y=width, z=height),
                color=_CONFIRMED_COLOR if box.confirmed else _RAW_COLOR,
                lifetime=lifetime,
            )
        )
        markers.append(
            Marker(
                header=header,
                ns="texts",
                id=number,
                type=Marker.TEXT_VIEW_FACING,
                action=Marker.ADD,
                pose=Pose(position=Point(x=x, y=y, z=z + height / 2.0 + _TEXT_HEIGHT_M), orientation=_about_z(0.0)),
                scale=Vector3(z=_TEXT_HEIGHT_M),
                color=_TEXT_COLOR,
                lifetime=lifetime,
                text=box.text,
            )
        )
    return MarkerArray(markers=markers)


def _about_z(yaw: float) -> Quaternion:
    return Quaternion(z=math.sin(yaw / 2.0), w=math.cos(yaw / 2.0))


def _duration(seconds: float) -> Duration:
    whole, rest = divmod(round(seconds * 1e9), 1_000_000_000)
    return Duration(sec=whole, nanosec=rest)


def detections_message(found: Sequence[Detection], header: Header, messages: ModuleType) -> object:
    """A vision_msgs/Detection2DArray (Humble and later): centre and size of the box in pixels, id and score.

    The centre is in pixel coordinates with centres at integers: a box of one pixel (x, y) is centred on (x, y).

    Args:
        found: of `obstacles.detections.detections`.
        header: of the array and every detection.
        messages: of `vision.vision_messages`.
    """
    array = messages.Detection2DArray(header=header)
    for detection in found:
        x0, y0, x1, y1 = detection.bbox
        entry = messages.Detection2D(header=header, id=str(detection.id))
        entry.bbox.center.position.x, entry.bbox.center.position.y = (x0 + x1 - 1) / 2.0, (y0 + y1 - 1) / 2.0
        entry.bbox.size_x, entry.bbox.size_y = float(x1 - x0), float(y1 - y0)
        result = messages.ObjectHypothesisWithPose()
        result.hypothesis.class_id = CLASS_ID
        result.hypothesis.score = detection.score
        entry.results.append(result)
        array.detections.append(entry)
    return array
