"""Poses from tf2: the same tests with a stand-in of its buffer, and with the real one where it is installed."""

import importlib.util
import inspect
import math
import sys
from collections.abc import Iterator
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("rclpy")

import rclpy
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Quaternion, TransformStamped
from rclpy.context import Context
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile
from rosgraph_msgs.msg import Clock
from support import fake_tf2_ros
from support.ros_graph import Peer

from hybrid_seg_ros.obstacles.pose import CameraPose
from hybrid_seg_ros.ros.tf_pose import TfPose, Transforms

INSTALLED = importlib.util.find_spec("tf2_ros") is not None
needs_tf2 = pytest.mark.skipif(not INSTALLED, reason="tf2_ros is not installed")
S = 1_000_000_000
OPTICAL = Quaternion(x=-0.5, y=0.5, z=-0.5, w=0.5)
"""The optical frame in its body frame, as every URDF has it: roll -90, yaw -90 degrees."""


def transform(
    parent: str, child: str, xyz: tuple[float, float, float], rotation: Quaternion, stamp_ns: int = 0
) -> TransformStamped:
    message = TransformStamped(child_frame_id=child)
    message.header.frame_id = parent
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp_ns, S)
    out = message.transform
    out.translation.x, out.translation.y, out.translation.z = xyz
    out.rotation = rotation
    return message


def about(axis: str, angle: float) -> Quaternion:
    return Quaternion(**{axis: math.sin(angle / 2)}, w=math.cos(angle / 2))


@pytest.fixture(scope="module")
def node(module_domain: int) -> Iterator[Node]:
    context = Context()
    rclpy.init(context=context, domain_id=module_domain)
    made = rclpy.create_node("hybrid_seg", context=context)
    yield made
    made.destroy_node()
    rclpy.shutdown(context=context)


@pytest.fixture(scope="module", params=["stand-in", *(["real"] if INSTALLED else [])])
def tf2(request: pytest.FixtureRequest) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "stand-in":
            patch.setitem(sys.modules, "tf2_ros", fake_tf2_ros)
        yield


@pytest.fixture
def transforms(node: Node, tf2: None) -> Iterator[Transforms]:
    made = Transforms(node)
    yield made
    made.close()


def mount(transforms: Transforms, body: str = "camera_link", optical: str = "camera_optical_frame") -> None:
    """A camera that looks down by 0.1 rad, 1.4 m over base_link, 0.3 m ahead and 0.2 m left of it."""
    transforms.buffer.set_transform_static(transform("base_link", body, (0.3, 0.2, 1.4), about("y", 0.1)), "test")
    transforms.buffer.set_transform_static(transform(body, optical, (0.0, 0.0, 0.0), OPTICAL), "test")


def test_static_transforms_hold_at_every_stamp(transforms: Transforms) -> None:
    mount(transforms)
    source = TfPose(transforms)
    for stamp in (1, 5 * S, 1_700_000_000 * S):
        pose = source.pose("camera_optical_frame", stamp, "base_link")
        assert pose is not None, source.why
        assert (pose.x, pose.y, pose.z) == pytest.approx((0.3, 0.2, 1.4))
        assert (pose.roll, pose.pitch, pose.yaw) == pytest.approx((0.0, 0.1, 0.0), abs=1e-6)
        assert source.why == ""


def test_heights_count_from_the_ground(transforms: Transforms) -> None:
    mount(transforms)
    pose = TfPose(transforms, ground_z=-0.35).pose("camera_optical_frame", S, "base_link")
    assert pose is not None
    assert pose.z == pytest.approx(1.75)


@given(st.floats(-0.5, 0.5), st.floats(-0.3, 0.6), st.floats(-3.0, 3.0), st.floats(0.2, 3.0))
def test_the_pose_of_parameters_comes_back(
    node: Node, tf2: None, roll: float, pitch: float, yaw: float, height: float
) -> None:
    """x, y, z, roll, pitch, yaw as a URDF joint has them, through quaternions."""
    rotation = fake_tf2_ros.product(
        fake_tf2_ros.product(about("z", yaw), about("y", pitch)), fake_tf2_ros.product(about("x", roll), OPTICAL)
    )
    transforms = Transforms(node)
    transforms.buffer.set_transform_static(transform("map_base", "eye", (1.0, -2.0, height), rotation), "test")
    pose = TfPose(transforms).pose("eye", S, "map_base")
    transforms.close()
    assert pose is not None
    np.testing.assert_allclose(pose.rotation, CameraPose(1.0, -2.0, height, roll, pitch, yaw).rotation, atol=1e-9)
    np.testing.assert_allclose(pose.position, (1.0, -2.0, height), atol=1e-12)


def test_a_moving_transform_serves_within_its_tolerance(transforms: Transforms) -> None:
    for at, height in ((9 * S, 1.0), (10 * S, 2.0)):
        transforms.buffer.set_transform(transform("base_link", "mast", (0.0, 0.0, height), OPTICAL, at), "test")
    source = TfPose(transforms, tolerance_s=0.1)
    at_stamp = source.pose("mast", 10 * S, "base_link")
    just_late = source.pose("mast", 10 * S + S // 20, "base_link")
    assert at_stamp is not None
    assert just_late is not None
    assert at_stamp.z == just_late.z == pytest.approx(2.0)
    assert source.pose("mast", 10 * S + S // 4, "base_link") is None
    assert (
        source.why
        == "the newest transform from 'mast' to 'base_link' is 0.250 s from the image, expected at most 0.1 s"
    )
    assert source.pose("mast", 5 * S, "base_link") is None
    assert "-5.000 s from the image" in source.why
    earlier = source.pose("mast", 9 * S, "base_link")
    assert earlier is not None
    assert earlier.z == pytest.approx(1.0)
    assert source.why == ""


def test_a_clock_that_went_back_forgets_what_moves(transforms: Transforms) -> None:
    mount(transforms)
    transforms.buffer.set_transform(transform("base_link", "mast", (0.0, 0.0, 1.0), OPTICAL, 9 * S), "test")
    source = TfPose(transforms)
    assert source.pose("mast", 9 * S, "base_link") is not None
    transforms.clear()
    assert source.pose("mast", 9 * S, "base_link") is None
    assert source.pose("camera_optical_frame", 9 * S, "base_link") is not None


def test_a_bag_that_starts_again_forgets_what_moves(domain: int, tf2: None) -> None:
    peer = Peer(domain)
    peer.node.set_parameters([Parameter("use_sim_time", value=True)])
    clock = peer.publisher(Clock, "/clock", QoSProfile(depth=1))
    peer.wait_for_subscriber(clock)
    transforms = Transforms(peer.node)

    def set_clock(seconds: int) -> None:
        clock.publish(Clock(clock=Time(sec=seconds)))
        peer.wait(lambda: peer.node.get_clock().now().nanoseconds == seconds * S, f"the clock to say {seconds} s")

    set_clock(100)
    mount(transforms)
    transforms.buffer.set_transform(transform("base_link", "mast", (0.0, 0.0, 1.0), OPTICAL, 100 * S), "test")
    source = TfPose(transforms)
    set_clock(101)
    assert source.pose("mast", 100 * S, "base_link") is not None
    set_clock(5)
    assert source.pose("mast", 100 * S, "base_link") is None
    assert source.pose("camera_optical_frame", 5 * S, "base_link") is not None
    transforms.close()
    peer.close()


def test_what_is_missing_is_said_with_the_frames_there_are(transforms: Transforms) -> None:
    source = TfPose(transforms)
    assert source.pose("camera", S, "base_link") is None
    assert "nobody publishes on /tf or /tf_static" in source.why
    mount(transforms)
    assert source.pose("camera", S, "base_link") is None
    assert "no transform from 'camera' to 'base_link'" in source.why
    assert "frames known: base_link, camera_link, camera_optical_frame" in source.why
    assert source.pose("camera_optical_frame", S, "base_footprint") is None
    assert "base_footprint" in source.why
    transforms.buffer.set_transform_static(transform("robot", "other", (0.0, 0.0, 1.0), OPTICAL), "test")
    assert source.pose("other", S, "base_link") is None
    assert "not part of the same tree" in source.why
    assert source.pose("/camera_optical_frame", S, "base_link") is None
    assert "cannot start with a '/'" in source.why
    assert source.pose("", S, "base_link") is None
    assert source.why == "the images carry no frame_id, expected the camera's optical frame"


def test_a_long_list_of_frames_is_cut(transforms: Transforms) -> None:
    for number in range(30):
        transforms.buffer.set_transform_static(
            transform("base_link", f"wheel_{number:02}", (0.0, 0.0, 1.0), OPTICAL), "test"
        )
    source = TfPose(transforms)
    assert source.pose("camera", S, "base_link") is None
    assert "base_link, wheel_00" in source.why
    assert "wheel_10, ...)" in source.why
    assert "wheel_11" not in source.why


def test_a_body_frame_is_not_taken_for_an_optical_one(transforms: Transforms) -> None:
    mount(transforms)
    source = TfPose(transforms)
    assert source.pose("camera_link", S, "base_link") is None
    assert "expected" not in source.why
    assert "optical frame (x right, y down, z ahead; REP 103)" in source.why


def test_a_camera_in_the_ground_is_none(transforms: Transforms) -> None:
    mount(transforms)
    source = TfPose(transforms, ground_z=1.5)
    assert source.pose("camera_optical_frame", S, "base_link") is None
    assert "height over the ground is -0.1 m, expected > 0" in source.why


def test_without_tf2_it_is_said_what_to_do(monkeypatch: pytest.MonkeyPatch, node: Node) -> None:
    monkeypatch.setitem(sys.modules, "tf2_ros", None)
    with pytest.raises(ValueError, match=r"need the Python package tf2_ros .*apt install ros-\$ROS_DISTRO-tf2-ros-py"):
        Transforms(node)


@needs_tf2
def test_the_stand_in_has_the_real_signatures() -> None:
    import tf2_ros

    real: ModuleType = tf2_ros
    for name in ("set_transform", "set_transform_static", "clear", "all_frames_as_string", "lookup_transform"):
        assert hasattr(real.Buffer, name), name
    assert _parameters(fake_tf2_ros.Buffer.__init__) == _parameters(real.Buffer.__init__)
    assert _parameters(fake_tf2_ros.Buffer.lookup_transform) == _parameters(real.Buffer.lookup_transform)
    listener = _parameters(fake_tf2_ros.TransformListener.__init__)
    assert listener == _parameters(real.TransformListener.__init__)[: len(listener)]
    for name in ("TransformException", "ExtrapolationException", "LookupException"):
        assert issubclass(getattr(real, name), real.TransformException)


@needs_tf2
def test_transforms_arrive_over_the_wire(domain: int) -> None:
    import tf2_ros

    peer = Peer(domain)
    transforms = Transforms(peer.node)
    broadcaster = tf2_ros.StaticTransformBroadcaster(peer.node)
    broadcaster.sendTransform(transform("base_link", "eye", (0.0, 0.0, 1.2), OPTICAL))
    source = TfPose(transforms)
    pose = peer.wait(lambda: source.pose("eye", S, "base_link"), "the transform")
    assert pose.z == pytest.approx(1.2)
    transforms.close()
    peer.close()


def _parameters(function: object) -> list[str]:
    assert callable(function)
    return list(inspect.signature(function).parameters)


def test_a_stamp_before_time_began_is_said_to_be_one(transforms: Transforms) -> None:
    mount(transforms)
    source = TfPose(transforms)
    assert source.pose("camera_optical_frame", -5 * S, "base_link") is None
    assert "before 0" in source.why
    assert source.pose("camera_optical_frame", 5 * S, "base_link") is not None
