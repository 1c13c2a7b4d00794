"""Recording what a node publishes, by a publisher of the test's own in its place."""

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="ROS is not installed")

import rclpy
from rclpy.node import Node
from rosbags.interfaces import QosDurability
from rosbags.rosbag2 import Reader
from std_msgs.msg import String
from support.ros_graph import LATCHED, TIMEOUT_S

from hybrid_seg_ros.bags import BagError
from hybrid_seg_ros.bags.writer import BagWriter
from hybrid_seg_ros.ros.replay_recorder import Recorder

LABELS = "/eyes/label_info_json"


@pytest.fixture
def node(domain: int) -> Iterator[Node]:
    rclpy.init(domain_id=domain)
    made = rclpy.create_node("peer")
    yield made
    made.destroy_node()
    rclpy.shutdown()


def recorded(node: Node, bag: BagWriter) -> Recorder:
    """A recorder that began after the label table was published and has received it."""
    publisher = node.create_publisher(String, LABELS, LATCHED)
    publisher.publish(String(data="{}"))
    recorder = Recorder(node, "/eyes", ["obstacle_mask"], "obstacle_mask", bag, start_ns=7)
    (subscription,) = [entry for entry in node.subscriptions if entry.topic_name == LABELS]
    received = rclpy.Future()
    keep = subscription.callback
    subscription.callback = lambda data: (keep(data), received.set_result(True))
    rclpy.spin_until_future_complete(node, received, timeout_sec=TIMEOUT_S)
    assert received.done()
    return recorder


def test_the_label_table_is_recorded_as_the_latched_topic_it_is(node: Node, tmp_path: Path) -> None:
    with BagWriter(tmp_path / "bag") as bag:
        recorded(node, bag).finish()
    with Reader(tmp_path / "bag") as reader:
        (connection,) = [entry for entry in reader.connections if entry.topic == LABELS]
        assert connection.msgcount == 1
        assert [qos.durability for qos in connection.ext.offered_qos_profiles] == [QosDurability.TRANSIENT_LOCAL]


def test_a_recording_that_cannot_be_written_is_told(node: Node, tmp_path: Path) -> None:
    with BagWriter(tmp_path / "bag") as bag:
        bag.add_topic(LABELS, "std_msgs/msg/String", latched=True)
        bag.close()  # in place of a disk that is full
        recorder = recorded(node, bag)
    with pytest.raises(BagError, match="cannot write the recording"):
        recorder.finish()
