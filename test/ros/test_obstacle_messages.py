"""Obstacle messages, serialised and read back by what they declare themselves."""

import math

import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("rclpy")
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import PointCloud2, PointField
from std_msgs.msg import Header
from support.contact_points import Touching, standing
from visualization_msgs.msg import Marker

from hybrid_seg_ros.obstacles.cloud import POINT, point_cloud
from hybrid_seg_ros.obstacles.grid import GridGeometry
from hybrid_seg_ros.obstacles.markers import obstacle_boxes
from hybrid_seg_ros.ros.obstacle_messages import (
    cloud_message,
    grid_message,
    markers_message,
    organised_message,
    scan_message,
)

WALL = Touching([(10.0, 1.0), (10.0, 0.0)], first=5, id=7, score=2.5, sigma=(0.4, 0.02))
TYPES = {PointField.FLOAT32: "<f4", PointField.UINT32: "<u4"}


def header() -> Header:
    made = Header(frame_id="base_link")
    made.stamp.sec, made.stamp.nanosec = 17, 5
    return made


def back(message: object) -> object:
    return deserialize_message(serialize_message(message), type(message))


def read(message: PointCloud2, name: str) -> npt.NDArray[np.generic]:
    """A field of every point, float or int [height, width], by offset, datatype and steps."""
    assert not message.is_bigendian
    (field,) = (entry for entry in message.fields if entry.name == name)
    kind = np.dtype(TYPES[field.datatype])
    data = np.frombuffer(bytes(message.data), np.uint8)
    return np.ndarray((message.height, message.width), kind, data, field.offset, (message.row_step, message.point_step))


def test_a_cloud_is_read_by_its_fields() -> None:
    points = point_cloud(standing(WALL), z_min=0.1, z_max=1.0, layers=2)
    message = back(cloud_message(points, header()))
    assert isinstance(message, PointCloud2)
    assert message.header == header()
    assert (message.height, message.width, message.is_dense) == (1, 4, True)
    assert len(message.data) == message.row_step == 4 * message.point_step
    assert [field.name for field in message.fields] == list(POINT.names or ())
    for name in POINT.names or ():
        np.testing.assert_array_equal(read(message, name)[0], points[name])


def test_clear_is_a_message_with_fields_and_without_points() -> None:
    message = back(cloud_message(np.empty(0, POINT), header()))
    assert isinstance(message, PointCloud2)
    assert (message.height, message.width, message.row_step, len(message.data)) == (1, 0, 0, 0)
    assert [field.name for field in message.fields][:3] == ["x", "y", "z"]


def test_an_organised_cloud_has_the_mask_s_size() -> None:
    cloud = np.arange(5 * 3 * 4, dtype=np.float32).reshape(3, 5, 4)
    cloud[1, 2] = np.nan
    message = back(organised_message(cloud, header()))
    assert isinstance(message, PointCloud2)
    assert (message.height, message.width, message.is_dense) == (3, 5, False)
    for k, name in enumerate(("x", "y", "z", "intensity")):
        np.testing.assert_array_equal(read(message, name), cloud[..., k])


def test_a_scan_s_angles_are_those_of_its_rays() -> None:
    ranges = np.array([1.0, math.inf, math.nan, 4.0], np.float32)
    message = scan_message(ranges, header(), angle_min=-0.3, increment=0.2, range_min=0.1, range_max=9.0)
    np.testing.assert_array_equal(np.array(message.ranges, np.float32), ranges)
    assert message.angle_max == pytest.approx(0.3)
    assert round((message.angle_max - message.angle_min) / message.angle_increment) + 1 == len(message.ranges)
    assert (message.range_min, message.range_max) == (0.1, 9.0)


def test_a_grid_is_row_major_from_its_origin() -> None:
    cells = np.array([[-1, 0, 100], [0, 0, -1]], np.int8)
    message = grid_message(cells, header(), GridGeometry(0.5, 3, 2, -1.0, -2.0), ground_z=-0.3)
    assert list(message.data) == [-1, 0, 100, 0, 0, -1]
    assert (message.info.width, message.info.height, message.info.resolution) == (3, 2, 0.5)
    origin = message.info.origin
    assert (origin.position.x, origin.position.y, origin.position.z, origin.orientation.w) == (-1.0, -2.0, -0.3, 1.0)


def test_markers_of_before_go_and_new_ones_end_by_themselves() -> None:
    message = markers_message(obstacle_boxes(standing(WALL)), header(), lifetime_s=0.5)
    clear, box, text = message.markers
    assert clear.action == Marker.DELETEALL
    assert (box.type, text.type, text.text) == (Marker.CUBE, Marker.TEXT_VIEW_FACING, "#7 10.0 m 2.50")
    assert box.scale.y == pytest.approx(1.0)
    assert all(marker.lifetime.nanosec == 500_000_000 for marker in (box, text))
    assert all(marker.header == header() for marker in message.markers)


def test_arrays_of_another_kind_are_refused() -> None:
    with pytest.raises(ValueError, match="points are float32"):
        cloud_message(np.zeros(3, np.float32), header())  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="the cloud is float64"):
        organised_message(np.zeros((2, 2, 4)), header())  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"the cells are int8\[2, 2\], expected int8\[2, 3\]"):
        grid_message(np.zeros((2, 2), np.int8), header(), GridGeometry(0.5, 3, 2, 0.0, 0.0))
