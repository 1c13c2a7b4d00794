"""One cloud of all cameras over DDS: matched stamps, nothing twice, a late camera is said and not waited for."""

from collections.abc import Iterator

import numpy as np
import pytest

pytest.importorskip("rclpy")

from rclpy.qos import LivelinessPolicy
from sensor_msgs.msg import PointCloud2
from support.ros_graph import Collection, Peer

from hybrid_seg_ros.obstacles.cloud import POINT, Points
from hybrid_seg_ros.obstacles.merge import MergeOptions, merged_id
from hybrid_seg_ros.ros.liveliness import watched
from hybrid_seg_ros.ros.merged_output import MergedOutput
from hybrid_seg_ros.ros.qos import keep_last

S = 1_000_000_000
STAMP = 1_700_000_000 * S + 123_456_789
QOS = keep_last("reliable", 5)


@pytest.fixture(scope="module")
def peer(module_domain: int) -> Iterator[Peer]:
    made = Peer(module_domain)
    yield made
    made.close()


@pytest.fixture
def merged(peer: Peer) -> Iterator[MergedOutput]:
    made = MergedOutput(peer.node, ["front", "rear"], MergeOptions(0.05, 0.2), QOS, "base_link")
    yield made
    peer.forget()
    made.close()


@pytest.fixture
def clouds(peer: Peer, merged: MergedOutput) -> Collection:
    made = peer.collect(PointCloud2, "/peer/obstacles_merged", QOS)
    peer.wait(merged.heard, "the subscription")
    return made


def points(*rows: tuple[float, int]) -> Points:
    """Points at (x, 0, 0.3) of a track."""
    made = np.zeros(len(rows), POINT)
    made["z"] = 0.3
    for number, (x, track) in enumerate(rows):
        made[number]["x"], made[number]["id"] = x, track
    return made


def told(cloud: PointCloud2) -> list[tuple[float, int]]:
    """(x, id) of each point, by the declared layout."""
    offset = {field.name: field.offset for field in cloud.fields}
    layout = np.dtype(
        {"names": ["x", "id"], "formats": ["<f4", "<u4"], "offsets": [offset["x"], offset["id"]],
         "itemsize": cloud.point_step}
    )  # fmt: skip
    return [(float(x), int(track)) for x, track in np.frombuffer(bytes(cloud.data), layout)]


def stamp_of(cloud: PointCloud2) -> int:
    return int(cloud.header.stamp.sec) * S + int(cloud.header.stamp.nanosec)


def test_two_cameras_make_one_cloud(merged: MergedOutput, clouds: Collection) -> None:
    merged.add("front", STAMP + 10_000_000, points((5.0, 7)), 100.0)
    merged.add("rear", STAMP, points((-3.0, 7), (-4.0, 8)), 100.01)
    cloud = clouds.wait()[0]
    assert (stamp_of(cloud), cloud.header.frame_id) == (STAMP, "base_link")
    assert told(cloud) == [(5.0, merged_id(7, 0, 2)), (-3.0, merged_id(7, 1, 2)), (-4.0, merged_id(8, 1, 2))]
    assert merged.missing == ()


def test_all_clear_is_an_empty_cloud(merged: MergedOutput, clouds: Collection) -> None:
    for camera in ("front", "rear"):
        merged.add(camera, STAMP, points(), 100.0)
    cloud = clouds.wait()[0]
    assert (cloud.width, len(cloud.data), stamp_of(cloud)) == (0, 0, STAMP)
    assert [field.name for field in cloud.fields][:4] == ["x", "y", "z", "intensity"]


def test_a_camera_that_is_late_is_gone_without(peer: Peer, merged: MergedOutput, clouds: Collection) -> None:
    merged.add("front", STAMP, points((5.0, 1)), 100.0)
    merged.poll(100.1)
    peer.spin_for(0.2)
    assert not clouds.messages
    merged.poll(100.25)
    assert told(clouds.wait()[0]) == [(5.0, merged_id(1, 0, 2))]
    assert merged.missing == ("rear",)
    merged.poll(101.0)
    merged.add("front", STAMP + S, points((4.0, 1)), 101.0)
    assert told(clouds.wait(2)[1]) == [(4.0, merged_id(1, 0, 2))]
    peer.spin_for(0.2)
    assert len(clouds.messages) == merged.published == 2


def test_what_is_not_believed_any_more_is_not_said(peer: Peer, merged: MergedOutput, clouds: Collection) -> None:
    merged.add("front", STAMP, points((5.0, 1)), 100.0)
    merged.forget("front")
    merged.poll(101.0)
    merged.add("rear", STAMP + 1, points((-5.0, 1)), 101.0)
    assert told(clouds.wait()[0]) == [(-5.0, merged_id(1, 1, 2))]
    assert len(clouds.messages) == 1


def test_nobody_listens_nothing_is_published(peer: Peer, merged: MergedOutput) -> None:
    assert not merged.heard()
    for camera in ("front", "rear"):
        merged.add(camera, STAMP, points((5.0, 1)), 100.0)
    assert merged.published == 0


def test_it_can_promise_to_be_alive_and_ends_quietly(peer: Peer) -> None:
    made = MergedOutput(peer.node, ["front"], MergeOptions(), watched(keep_last("reliable", 1), 0.5, 1.0), "base_link")
    (offered,) = peer.node.get_publishers_info_by_topic("/peer/obstacles_merged")
    assert offered.qos_profile.liveliness is LivelinessPolicy.MANUAL_BY_TOPIC
    assert offered.qos_profile.deadline.nanoseconds == S // 2
    made.assert_alive()
    made.close()
    made.assert_alive()
    made.add("front", STAMP, points(), 1.0)
    assert not made.heard()
    assert peer.node.count_publishers("/peer/obstacles_merged") == 0
