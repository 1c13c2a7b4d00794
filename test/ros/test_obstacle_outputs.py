"""What planners get over DDS: each topic only while heard, under the image's stamp, and nothing that is not known."""

import importlib.util
import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy")

from builtin_interfaces.msg import Time
from nav_msgs.msg import OccupancyGrid
from rclpy.duration import Duration
from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.qos import LivelinessPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import LaserScan, PointCloud2
from std_msgs.msg import Header
from support.ros_graph import Collection, Peer
from visualization_msgs.msg import Marker

from hybrid_seg_ros.detector.types import Outputs
from hybrid_seg_ros.frames.camera import CameraModel
from hybrid_seg_ros.obstacles.cloud import POINT
from hybrid_seg_ros.obstacles.extract import ExtractOptions, extract
from hybrid_seg_ros.obstacles.grid import FREE, OCCUPIED, UNKNOWN, GridGeometry
from hybrid_seg_ros.obstacles.ground import GroundProjection
from hybrid_seg_ros.obstacles.pose import CameraPose
from hybrid_seg_ros.obstacles.types import Obstacles
from hybrid_seg_ros.ros.obstacle_labels import ObstacleLabelPublisher
from hybrid_seg_ros.ros.obstacle_outputs import IN_METRES, ObstacleOutputs, PlannerOptions
from hybrid_seg_ros.ros.qos import LATCHED

CAMERA = CameraModel(320, 180, 260.0, 260.0, 159.5, 89.5)
POSE = CameraPose(0.5, 0.0, 1.4, pitch=0.05)
GROUND = GroundProjection(CAMERA, POSE)
STAMP = Time(sec=1_700_000_000, nanosec=123_456_789)
ROAD, SKY = 0, 1
DRIVABLE = np.array([True, False])
HORIZON = 80
"""Row from which on there is road; the horizon is at 76.5."""
NEAR, FAR = (150, 170, 100, 120), (210, 220, 95, 110)
"""Half-open columns, then rows of two obstacles: the confirmed one, track 7, score 3; and the other, score 2."""
OPTIONS = PlannerOptions(
    base_frame="base_link", ground_z=-0.2, z_min=0.1, z_max=0.5, layers=2, voxel_m=0.0,
    scan_angle_min=-1.5, scan_angle_max=1.5, scan_increment=0.01, scan_range_min=0.3, scan_range_max=60.0,
    grid=GridGeometry(0.25, 120, 80, 0.0, -10.0),
)  # fmt: skip


def distance_of(row: float) -> float:
    """Ahead of base_link, m, of the ground seen in the image's middle column; by hand."""
    return POSE.x + POSE.z / math.tan(POSE.pitch + math.atan((row - CAMERA.cy) / CAMERA.fy))


def scene() -> tuple[Obstacles, np.ndarray]:
    """Two obstacles on the road, and the labels."""
    mask = np.zeros((180, 320), np.uint8)
    score = np.zeros(mask.shape, np.float32)
    for value, (left, right, top, bottom) in ((3.0, NEAR), (2.0, FAR)):
        mask[top:bottom, left:right], score[top:bottom, left:right] = 255, value
    labels = np.full(mask.shape, SKY, np.uint8)
    labels[HORIZON:] = ROAD
    found = extract(
        mask, score, labels, gate=None, drivable=DRIVABLE, ground=GROUND, options=ExtractOptions(), stamp_ns=1
    )
    assert len(found.obstacles) == 2
    told = [replace(one, id=7, confirmed=True) if one.score_max == 3.0 else one for one in found.obstacles]
    return replace(found, obstacles=tuple(told)), labels


def clear() -> Obstacles:
    nothing = np.zeros((180, 320), np.uint8)
    return extract(nothing, None, None, gate=None, drivable=None, ground=GROUND, options=ExtractOptions(), stamp_ns=1)


@pytest.fixture(scope="module")
def peer(module_domain: int) -> Iterator[Peer]:
    made = Peer(module_domain)
    yield made
    made.close()


@pytest.fixture
def outputs(peer: Peer) -> Iterator[ObstacleOutputs]:
    made = ObstacleOutputs(peer.node, "", OPTIONS)
    yield made
    peer.forget()
    made.close()


def heard(peer: Peer, *topics: str) -> list[Collection]:
    """Subscriptions to topics that are matched."""
    made = [peer.collect(IN_METRES[topic], f"/peer/{topic}") for topic in topics]
    for topic in topics:
        (publisher,) = [p for p in peer.node.publishers if p.topic_name == f"/peer/{topic}"]
        peer.wait_for_subscriber(publisher)
    return made


def say(outputs: ObstacleOutputs, obstacles: Obstacles, labels: np.ndarray | None, **more: Any) -> None:
    outputs.publish(obstacles, more.pop("ground", GROUND), labels, DRIVABLE, STAMP, **more)


def values(cloud: PointCloud2) -> np.ndarray:
    """The points, by the declared layout alone."""
    kinds = {7: "<f4", 6: "<u4"}
    layout = np.dtype(
        {
            "names": [f.name for f in cloud.fields],
            "formats": [kinds[f.datatype] for f in cloud.fields],
            "offsets": [f.offset for f in cloud.fields],
            "itemsize": cloud.point_step,
        }
    )
    return np.frombuffer(bytes(cloud.data), layout).reshape(cloud.height, cloud.width)


def test_only_what_somebody_hears_is_wanted(peer: Peer, outputs: ObstacleOutputs) -> None:
    ground_too = {"occupancy", "obstacles_organized"}
    assert set(IN_METRES) == ground_too | {"obstacles", "obstacles_raw", "obstacle_scan", "markers"}
    for topic in IN_METRES:
        assert outputs.wanted() == Outputs(0)
        assert not outputs.heard_in_metres()
        heard(peer, topic)
        expected = Outputs.MASK | Outputs.SCORE
        assert outputs.wanted() == (expected | Outputs.LABELS if topic in ground_too else expected), topic
        assert outputs.heard_in_metres()
        peer.forget()
        peer.wait(lambda: not outputs.wanted(), f"{topic} to be unheard")


def test_clouds_hold_contacts_in_the_height_band(peer: Peer, outputs: ObstacleOutputs) -> None:
    filtered, raw = heard(peer, "obstacles", "obstacles_raw")
    obstacles, labels = scene()
    say(outputs, obstacles, labels)
    message = filtered.wait()[0]
    assert (message.header.stamp, message.header.frame_id) == (STAMP, "base_link")
    points = values(message)[0]
    np.testing.assert_allclose(points["x"], distance_of(NEAR[3] - 0.5), rtol=2e-3)
    assert np.abs(points["y"]).max() < 10.5 / 260 * points["x"].max()
    np.testing.assert_allclose(np.unique(points["z"]), [0.0, 0.2], atol=1e-6)  # slices of 0.1 ... 0.5 over -0.2
    assert len(points) == 2 * (NEAR[1] - NEAR[0])
    assert set(points["intensity"]) == {3.0}
    assert set(points["id"]) == {7}
    assert (points["sigma_range"] > points["sigma_across"]).all()
    everything = values(raw.wait()[0])[0]
    assert set(everything["intensity"]) == {2.0, 3.0}
    np.testing.assert_allclose(everything["x"][everything["intensity"] == 2.0], distance_of(FAR[3] - 0.5), rtol=2e-3)


def test_points_for_the_merged_cloud_are_those_of_the_confirmed(outputs: ObstacleOutputs) -> None:
    points = outputs.points(scene()[0])
    assert points.dtype == POINT
    assert set(points["id"]) == {7}
    assert len(outputs.points(clear())) == 0


def test_a_scan_tells_hits_free_rays_and_rays_out_of_view_apart(peer: Peer, outputs: ObstacleOutputs) -> None:
    (scans,) = heard(peer, "obstacle_scan")
    say(outputs, *scene())
    scan: LaserScan = scans.wait()[0]
    assert (scan.header.stamp, scan.header.frame_id) == (STAMP, "base_link")
    ranges = np.array(scan.ranges)
    bearing = scan.angle_min + scan.angle_increment * np.arange(len(ranges))
    assert bearing[-1] == pytest.approx(scan.angle_max, abs=1e-6) == pytest.approx(1.5)
    assert ranges[np.argmin(np.abs(bearing))] == pytest.approx(distance_of(NEAR[3] - 0.5), rel=2e-3)
    assert np.isposinf(ranges[np.abs(bearing - 0.3) < 0.05]).all()  # half the field of view is 0.55 rad
    assert np.isposinf(ranges[np.abs(bearing + 0.2) < 0.05]).all()  # where the unconfirmed one stands
    assert np.isnan(ranges[np.abs(bearing) > 0.8]).all()


def test_a_grid_tells_free_occupied_and_unknown_apart(peer: Peer, outputs: ObstacleOutputs) -> None:
    (grids,) = heard(peer, "occupancy")
    say(outputs, *scene())
    grid: OccupancyGrid = grids.wait()[0]
    assert (grid.header.stamp, grid.header.frame_id) == (STAMP, "base_link")
    origin = grid.info.origin.position
    assert (origin.x, origin.y, origin.z) == (0.0, -10.0, -0.2)
    cells = np.array(grid.data, np.int8).reshape(grid.info.height, grid.info.width)
    assert set(np.unique(cells)) == {UNKNOWN, FREE, OCCUPIED}

    def at(x: float, y: float) -> int:
        return int(cells[math.floor((y + 10.0) / 0.25), math.floor(x / 0.25)])

    near = distance_of(NEAR[3] - 0.5)
    assert at(near, 0.0) == OCCUPIED
    assert at(near - 2.5, 0.0) == FREE
    assert at(near + 2.5, 0.0) == UNKNOWN  # behind it
    assert at(near, 3.0) == FREE
    assert at(0.5, 0.0) == at(near, 9.0) == UNKNOWN  # under the camera, outside the view


def test_the_organised_cloud_has_a_point_for_each_pixel(peer: Peer, outputs: ObstacleOutputs) -> None:
    (clouds,) = heard(peer, "obstacles_organized")
    say(outputs, *scene())
    message = clouds.wait()[0]
    assert (message.header.stamp, message.header.frame_id) == (STAMP, "base_link")
    assert (message.height, message.width) == (180, 320)
    points = values(message)
    near = points["x"][NEAR[2] : NEAR[3], NEAR[0] : NEAR[1]]
    np.testing.assert_allclose(near, distance_of(NEAR[3] - 0.5), rtol=2e-3)
    assert np.isnan(points["x"][:HORIZON]).all()
    assert points["x"][150, 20] == pytest.approx(distance_of(150), rel=1e-3)
    assert points["z"][150, 20] == pytest.approx(-0.2)


def test_markers_show_all_obstacles_on_the_ground(peer: Peer, outputs: ObstacleOutputs) -> None:
    (arrays,) = heard(peer, "markers")
    say(outputs, *scene())
    markers = arrays.wait()[0].markers
    assert markers[0].action == Marker.DELETEALL
    boxes = [marker for marker in markers if marker.type == Marker.CUBE and marker.action == Marker.ADD]
    assert len(boxes) == 2
    for box in boxes:
        assert (box.header.stamp, box.header.frame_id) == (STAMP, "base_link")
        assert box.pose.position.z - box.scale.z / 2 == pytest.approx(-0.2)


def test_clear_is_said_by_empty_messages(peer: Peer, outputs: ObstacleOutputs) -> None:
    filtered, scans, arrays = heard(peer, "obstacles", "obstacle_scan", "markers")
    say(outputs, clear(), None)
    assert filtered.wait()[0].width == 0
    assert not np.isfinite(scans.wait()[0].ranges).any()
    assert [marker.action for marker in arrays.wait()[0].markers] == [Marker.DELETEALL]


def test_nothing_in_metres_is_said_where_the_ground_is_not_known(peer: Peer, outputs: ObstacleOutputs) -> None:
    collections = heard(peer, *IN_METRES)
    obstacles, labels = scene()
    say(outputs, obstacles, labels, ground=None)
    peer.spin_for(0.3)
    assert [collection.messages for collection in collections] == [[]] * len(IN_METRES)
    say(outputs, obstacles, labels)
    for collection in collections:
        collection.wait()


def test_what_tells_of_free_ground_waits_for_labels(peer: Peer, outputs: ObstacleOutputs) -> None:
    cloud, grid, organised = heard(peer, "obstacles", "occupancy", "obstacles_organized")
    say(outputs, scene()[0], None)
    cloud.wait()
    peer.spin_for(0.3)
    assert grid.messages == organised.messages == []


@pytest.mark.parametrize("ground", [GROUND, None])
def test_a_result_not_to_be_believed_makes_a_grid_of_which_nothing_is_known(
    peer: Peer, outputs: ObstacleOutputs, ground: GroundProjection | None
) -> None:
    grid, *others = heard(peer, "occupancy", *(set(IN_METRES) - {"occupancy"}))
    obstacles, labels = scene()
    say(outputs, obstacles, labels, ground=ground, unknown=True)
    message = grid.wait()[0]
    assert message.header.stamp == STAMP
    assert len(message.data) == 120 * 80
    assert set(message.data) == {UNKNOWN}
    peer.spin_for(0.3)
    assert [collection.messages for collection in others] == [[]] * 5


def test_unheard_topics_are_not_computed(outputs: ObstacleOutputs) -> None:
    say(outputs, scene()[0], np.zeros((1, 1), np.uint8))  # labels of another size would be refused
    assert outputs.wanted() == Outputs(0)


def test_a_new_pose_is_seen_in_the_next_scan(peer: Peer, outputs: ObstacleOutputs) -> None:
    (scans,) = heard(peer, "obstacle_scan")
    say(outputs, clear(), None)
    say(outputs, clear(), None, ground=GroundProjection(CAMERA, replace(POSE, yaw=1.0)))
    ahead, left = (np.isnan(scan.ranges) for scan in scans.wait(2))
    middle, aside = 150, 250
    assert (ahead[middle], ahead[aside], left[middle], left[aside]) == (False, True, True, False)


def test_a_named_camera_has_topics_of_its_own_and_leaves_none(peer: Peer) -> None:
    made = ObstacleOutputs(peer.node, "front", OPTIONS)
    names = [f"/peer/front/{topic}" for topic in IN_METRES]
    assert [peer.node.count_publishers(name) for name in names] == [1] * 6
    made.close()
    made.close()
    assert [peer.node.count_publishers(name) for name in names] == [0] * 6
    made.assert_alive()
    say(made, *scene())
    assert made.wanted() == Outputs(0)


@pytest.mark.parametrize("reliability", ["reliable", "best_effort"])
def test_the_offer_is_that_of_the_options(peer: Peer, reliability: str) -> None:
    made = ObstacleOutputs(peer.node, "", replace(OPTIONS, reliability=reliability, deadline_s=0.25, lease_s=0.75))
    for topic in IN_METRES:
        (offered,) = peer.node.get_publishers_info_by_topic(f"/peer/{topic}")
        qos = offered.qos_profile
        assert qos.reliability is ReliabilityPolicy[reliability.upper()]
        assert (qos.deadline, qos.liveliness_lease_duration) == (Duration(seconds=0.25), Duration(seconds=0.75))
        assert qos.liveliness is LivelinessPolicy.MANUAL_BY_TOPIC
    made.close()


def test_a_lease_lasts_as_long_as_it_is_renewed(peer: Peer) -> None:
    lease_s = 0.5
    made = ObstacleOutputs(peer.node, "", replace(OPTIONS, lease_s=lease_s))
    alive: list[int] = []
    subscription = peer.node.create_subscription(
        PointCloud2,
        "/peer/obstacles",
        lambda _: None,
        QoSProfile(
            depth=1,
            liveliness=LivelinessPolicy.MANUAL_BY_TOPIC,
            liveliness_lease_duration=Duration(seconds=lease_s),
        ),
        event_callbacks=SubscriptionEventCallbacks(liveliness=lambda event: alive.append(event.alive_count)),
    )
    peer.wait(made.heard_in_metres, "the subscription")

    def renewed() -> bool:
        made.assert_alive()
        return bool(alive)

    peer.wait(renewed, "signs of life")
    assert alive[-1] == 1
    peer.wait(lambda: alive[-1] == 0, "the lease to end")
    peer.wait(lambda: made.assert_alive() or alive[-1] == 1, "signs of life again")
    peer.node.destroy_subscription(subscription)
    made.close()


# vision_msgs has no wheel, so what is used of it is written out here.


@dataclass
class Detection2D:
    """vision_msgs/Detection2D."""

    header: Header
    id: str
    results: list[Any] = field(default_factory=list)
    bbox: Any = field(default_factory=lambda: SimpleNamespace(center=SimpleNamespace(position=SimpleNamespace())))


@dataclass
class Detection2DArray:
    """vision_msgs/Detection2DArray."""

    header: Header
    detections: list[Detection2D] = field(default_factory=list)


@dataclass
class ObjectHypothesisWithPose:
    """vision_msgs/ObjectHypothesisWithPose."""

    hypothesis: Any = field(default_factory=SimpleNamespace)


@dataclass
class VisionClass:
    """vision_msgs/VisionClass."""

    class_id: int
    class_name: str


@dataclass
class LabelInfo:
    """vision_msgs/LabelInfo."""

    header: Header = field(default_factory=Header)
    class_map: list[VisionClass] = field(default_factory=list)


@dataclass
class HeardPublisher:
    """A publisher of a type that no middleware knows here."""

    kind: type
    qos: QoSProfile
    said: list[Any] = field(default_factory=list)

    def publish(self, message: Any) -> None:
        self.said.append(message)

    def get_subscription_count(self) -> int:
        return 1


@dataclass
class Listener:
    """A node all of whose publishers are heard."""

    publishers: dict[str, HeardPublisher] = field(default_factory=dict)

    def create_publisher(self, kind: type, topic: str, qos: QoSProfile) -> HeardPublisher:
        return self.publishers.setdefault(topic, HeardPublisher(kind, qos))

    def destroy_publisher(self, publisher: HeardPublisher) -> None:
        self.publishers = {topic: one for topic, one in self.publishers.items() if one is not publisher}

    def get_clock(self) -> Any:
        return SimpleNamespace(now=lambda: SimpleNamespace(to_msg=lambda: STAMP))


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Listener:
    """With vision_msgs installed."""
    package, messages = ModuleType("vision_msgs"), ModuleType("vision_msgs.msg")
    for kind in (Detection2D, Detection2DArray, ObjectHypothesisWithPose, VisionClass, LabelInfo):
        setattr(messages, kind.__name__, kind)
    package.msg = messages  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "vision_msgs", package)
    monkeypatch.setitem(sys.modules, "vision_msgs.msg", messages)
    return Listener()


def test_detections_are_in_pixels_and_need_no_ground(listener: Listener) -> None:
    made = ObstacleOutputs(listener, "", OPTIONS)  # type: ignore[arg-type]
    say(made, *scene(), ground=None, image_frame="camera_optical")
    publisher = listener.publishers["~/detections"]
    assert publisher.kind is Detection2DArray
    (message,) = publisher.said
    assert (message.header.stamp, message.header.frame_id) == (STAMP, "camera_optical")
    (found,) = message.detections  # the confirmed one
    assert (found.id, found.results[0].hypothesis.score) == ("7", 3.0)
    assert (found.bbox.center.position.x, found.bbox.size_y) == ((NEAR[0] + NEAR[1] - 1) / 2, NEAR[3] - NEAR[2])
    assert [topic for topic, one in listener.publishers.items() if one.said] == ["~/detections"]
    say(made, *scene(), image_frame="camera_optical", unknown=True)
    assert len(publisher.said) == 1
    made.close()
    assert listener.publishers == {}


def test_detections_alone_need_no_metres(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HeardPublisher, "get_subscription_count", lambda self: int(self.kind is Detection2DArray))
    made = ObstacleOutputs(listener, "", OPTIONS)  # type: ignore[arg-type]
    assert made.wanted() == Outputs.MASK | Outputs.SCORE
    assert not made.heard_in_metres()


@pytest.mark.skipif(importlib.util.find_spec("vision_msgs") is not None, reason="vision_msgs is installed")
def test_without_vision_msgs_there_are_neither_detections_nor_names(peer: Peer, outputs: ObstacleOutputs) -> None:
    labels = ObstacleLabelPublisher(peer.node)
    for topic in ("detections", "obstacle_label_info"):
        assert peer.node.count_publishers(f"/peer/{topic}") == 0
    labels.close()


def test_the_masks_values_have_names(listener: Listener) -> None:
    labels = ObstacleLabelPublisher(listener)  # type: ignore[arg-type]
    publisher = listener.publishers["~/obstacle_label_info"]
    assert publisher.qos is LATCHED
    (info,) = publisher.said
    assert info.header.stamp == STAMP
    assert [(entry.class_id, entry.class_name) for entry in info.class_map] == [(0, "clear"), (255, "obstacle")]
    labels.close()
    assert listener.publishers == {}
