"""The launch file under the real launch: where a ROS 2 install has it and the package is built into a workspace."""

import tempfile
import unittest
from pathlib import Path

import pytest

pytest.importorskip("launch_testing")
pytest.importorskip("launch_ros")

from ament_index_python.packages import PackageNotFoundError, get_package_share_directory
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch_testing.actions import ReadyToTest
from support.bundles import make_bundle
from support.ros_graph import Peer

from launch import LaunchDescription

try:
    SHARE = Path(get_package_share_directory("hybrid_seg_ros"))
except (PackageNotFoundError, OSError):
    pytest.skip("hybrid_seg_ros is not built into a sourced workspace: colcon build", allow_module_level=True)


@pytest.mark.launch_test
def generate_test_description() -> tuple[LaunchDescription, dict[str, object]]:
    """The detector in a namespace, on a topic of its own."""
    bundle = make_bundle(Path(tempfile.mkdtemp()) / "tiny")
    arguments = {"bundle": str(bundle.path), "backend": "fake", "namespace": "car", "image_topic": "/camera/image_raw"}
    source = PythonLaunchDescriptionSource(str(SHARE / "launch" / "detector.launch.py"))
    return LaunchDescription([IncludeLaunchDescription(source, launch_arguments=arguments.items()), ReadyToTest()]), {}


class TestDetectorLaunch(unittest.TestCase):
    def test_becomes_active_on_the_given_topics(self) -> None:
        peer = Peer(None, "/car/hybrid_seg")
        try:
            peer.wait(lambda: peer.state() == "active", "active")
            for topic in ("/camera/image_raw", "/camera/camera_info"):
                peer.wait(lambda topic=topic: peer.node.count_subscribers(topic) == 1, f"a subscription to {topic}")
        finally:
            peer.close()
