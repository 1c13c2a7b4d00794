"""The real node, the shipped network and a generated drive over DDS: every consumer takes what comes, and brakes."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import yaml

pytest.importorskip("rclpy")

from nav_msgs.msg import OccupancyGrid
from sensor_msgs.msg import CameraInfo, Image, LaserScan, PointCloud2
from support.brakes import CollisionMonitor, Planner, TopicMonitor
from support.consumers import (
    check_autoware,
    check_autoware_diagnostics,
    check_nav2_collision_monitor,
    check_nav2_obstacle_layer,
    check_semantic_layer,
    stamp_s,
)
from support.costmaps import LETHAL, ObstacleLayer, cost_at
from support.ros_graph import RELIABLE, Collection, Peer, image_message, running_node
from visualization_msgs.msg import MarkerArray

from hybrid_seg_ros.ros.qos import keep_last
from hybrid_seg_ros.scenes.drive import Drive

CONFIG = Path(__file__).resolve().parents[2] / "config"
SENSOR = keep_last("best_effort", 10)
LEVEL = {"base_link": np.eye(4)}
SEED, FIRST, LAST = 3, 66, 84  # a sofa comes into the corridor and nearer, from 20 to 9 m
HEIGHT_M, PITCH_DEG = 1.35, 3.0
PARAMETERS = {
    "backend": "onnxruntime",
    "camera_z": HEIGHT_M,
    "camera_pitch": math.radians(PITCH_DEG),
    "diagnostics_period_s": 0.2,
}


class Picture(NamedTuple):
    image: Any
    info: CameraInfo
    truth: tuple[Any, ...]


def drive(obstacle_gap: float) -> list[Picture]:
    """The frames, stamped 1 / 15 s apart; the first stamp is set when they are played."""
    street = Drive(
        seed=SEED, size=(480, 360), n_frames=150, curvature=0.0, obstacle_gap=obstacle_gap, mount_height=HEIGHT_M,
        pitch_deg=PITCH_DEG,
    )  # fmt: skip
    camera = street.camera
    info = CameraInfo(width=480, height=360, distortion_model="plumb_bob", d=[0.0] * 5)
    info.k = [camera.fx, 0.0, camera.cx, 0.0, camera.fy, camera.cy, 0.0, 0.0, 1.0]
    info.p = [camera.fx, 0.0, camera.cx, 0.0, 0.0, camera.fy, camera.cy, 0.0, 0.0, 0.0, 1.0, 0.0]
    frames = [street.frame(index) for index in range(FIRST, LAST)]
    return [Picture(frame.frame.image, info, frame.obstacles) for frame in frames]


@pytest.fixture(scope="module")
def with_obstacle() -> list[Picture]:
    return drive(22.0)


@pytest.fixture(scope="module")
def clean() -> list[Picture]:
    return drive(0.0)


class Live(NamedTuple):
    peer: Peer
    images: Any
    infos: Any
    newest: list[int]  # the last stamp, ns


@contextmanager
def running(domain: int, log_dir: Path, parameters: dict[str, Any]) -> Iterator[Live]:
    arguments = ["--autostart", "--ros-args"]
    for name, value in parameters.items():
        arguments += ["-p", f"{name}:={value}"]
    with running_node(domain, log_dir, arguments) as process:
        peer = Peer(domain)
        try:
            images, infos = peer.publisher(Image, "/image"), peer.publisher(CameraInfo, "/camera_info")
            process.wait_for_log("listening to /image and /camera_info")
            peer.wait_for_subscriber(images)
            peer.wait_for_subscriber(infos)
            yield Live(peer, images, infos, [0])
        finally:
            peer.close()


@pytest.fixture(scope="module")
def live(module_domain: int, ros_log_dir: Path) -> Iterator[Live]:
    """The active node with the shipped network, on the CPU, and its camera."""
    with running(module_domain, ros_log_dir, PARAMETERS) as live:
        yield live


@pytest.fixture(autouse=True)
def forget(live: Live) -> Iterator[None]:
    """Each test begins with nobody listening."""
    yield
    live.peer.forget()


def send(live: Live, picture: Picture, stamp_ns: int) -> None:
    message = image_message(picture.image, stamp_ns, "camera_optical_frame")
    picture.info.header = message.header
    live.infos.publish(picture.info)
    live.images.publish(message)
    live.newest[0] = stamp_ns


def play(live: Live, pictures: list[Picture], answer: Collection, each: Any = None) -> list[int]:
    """Every frame in turn, the next one when the last is answered on the topic; gives the stamps, ns."""
    start = max(time.time_ns() - 1_000_000_000, live.newest[0])
    # the noise that tells a camera from one that is frozen or plays a loop: several tests drive the same way
    noise = np.random.default_rng(start)

    def taken(picture: Picture) -> Picture:
        return picture._replace(image=picture.image ^ noise.integers(0, 2, picture.image.shape, np.uint8))

    # discovery may lose the first ones: a camera that stands still, until somebody answers
    for tries in range(1, 200):
        if answer.messages:
            break
        send(live, taken(pictures[0]), start + tries * 1_000_000)
        live.peer.spin_for(0.1)
    assert answer.messages, "no answer to a still camera"
    live.peer.spin_for(0.3)
    stamps = []
    for index, picture in enumerate(pictures):
        stamp = start + 500_000_000 + index * 66_666_667
        seen = len(answer.messages)
        send(live, taken(picture), stamp)
        live.peer.wait(lambda seen=seen: len(answer.messages) > seen, f"an answer to frame {index}")
        stamps.append(stamp)
        if each is not None:
            each(picture, answer.messages[-1])
    return stamps


def nanoseconds(message: Any) -> int:
    return int(message.header.stamp.sec) * 1_000_000_000 + int(message.header.stamp.nanosec)


def offered(live: Live, topic: str) -> Any:
    """The QoS that the node really offers."""
    (publisher,) = live.peer.node.get_publishers_info_by_topic(topic)
    return publisher.qos_profile


def test_every_message_is_what_its_consumers_take(live: Live, with_obstacle: list[Picture]) -> None:
    topics = {
        "/hybrid_seg/obstacles": PointCloud2,
        "/hybrid_seg/obstacles_raw": PointCloud2,
        "/hybrid_seg/obstacles_organized": PointCloud2,
        "/hybrid_seg/obstacle_scan": LaserScan,
        "/hybrid_seg/occupancy": OccupancyGrid,
        "/hybrid_seg/obstacle_mask": Image,
    }
    heard = {topic: live.peer.collect(kind, topic, RELIABLE) for topic, kind in topics.items()}
    boxes = live.peer.collect(MarkerArray, "/hybrid_seg/markers", RELIABLE)
    stamps = play(live, with_obstacle, heard["/hybrid_seg/obstacle_mask"])
    for topic, collection in heard.items():
        live.peer.wait(
            lambda kept=collection.messages: kept and nanoseconds(kept[-1]) == stamps[-1],
            f"the last message on {topic}",
        )
    for topic, collection in heard.items():
        for message in collection.messages:
            frame = "camera_optical_frame" if topic.endswith("mask") else "base_link"
            assert message.header.frame_id == frame, topic
        # a slow listener may miss some, for of each topic only the newest message is kept
        assert len(set(stamps) & {nanoseconds(message) for message in collection.messages}) > len(stamps) // 2, topic

    for message in heard["/hybrid_seg/obstacles"].messages:
        now = stamp_s(message) + 0.1
        qos = offered(live, "/hybrid_seg/obstacles")
        for check in (check_nav2_obstacle_layer, check_nav2_collision_monitor, check_autoware):
            check(message, qos, LEVEL, now)
    for message in heard["/hybrid_seg/obstacle_scan"].messages:
        now = stamp_s(message) + 0.1
        ranges = check_nav2_obstacle_layer(message, offered(live, "/hybrid_seg/obstacle_scan"), LEVEL, now)
        check_nav2_collision_monitor(message, offered(live, "/hybrid_seg/obstacle_scan"), LEVEL, now)
        assert np.isposinf(ranges).any()
        assert np.isnan(ranges[[0, -1]]).all(), "62 degrees are in view, the scan's ends are not"
    masks = {nanoseconds(message): message for message in heard["/hybrid_seg/obstacle_mask"].messages}
    clouds = {nanoseconds(message): message for message in heard["/hybrid_seg/obstacles_organized"].messages}
    assert masks.keys() & clouds.keys()
    for stamp in masks.keys() & clouds.keys():
        mask, cloud = masks[stamp], clouds[stamp]
        kinds = (offered(live, "/hybrid_seg/obstacle_mask"), offered(live, "/hybrid_seg/obstacles_organized"))
        pixels, points = check_semantic_layer(mask, cloud, kinds, LEVEL, stamp_s(cloud) + 0.1)
        assert np.isfinite(points[pixels == 0]).any()
    for grid in heard["/hybrid_seg/occupancy"].messages:
        assert set(grid.data) <= {-1, 0, 100}
        assert len(grid.data) == grid.info.width * grid.info.height
    assert all(array.markers[0].action == 3 for array in boxes.messages), "DELETEALL comes first"


def test_the_cloud_says_where_the_obstacle_is(live: Live, with_obstacle: list[Picture]) -> None:
    clouds = live.peer.collect(PointCloud2, "/hybrid_seg/obstacles", SENSOR)
    play(live, with_obstacle, clouds)
    points = check_autoware(clouds.messages[-1], None, LEVEL, stamp_s(clouds.messages[-1]))
    (sofa,) = (each for each in with_obstacle[-1].truth if each.kind == "sofa" and each.distance < 15.0)
    nearest = points[np.linalg.norm(points[:, :2] - sofa.contact, axis=1).argmin()]
    assert np.linalg.norm(nearest[:2] - sofa.contact) < 0.1 * sofa.distance


def test_the_planner_brakes_for_the_unknown_obstacle(live: Live, with_obstacle: list[Picture]) -> None:
    planner = Planner()
    clouds = live.peer.collect(PointCloud2, "/hybrid_seg/obstacles", SENSOR)
    reasons: list[tuple[str, float]] = []

    def drive_on(picture: Picture, cloud: Any) -> None:
        planner.hear(cloud, time.monotonic())
        distance = min((each.contact[0] for each in picture.truth if each.kind == "sofa"), default=math.inf)
        reasons.append((planner.brakes(time.monotonic()), distance))

    play(live, with_obstacle, clouds, drive_on)
    braked_at = [distance for reason, distance in reasons if reason == "obstacle"]
    assert braked_at, reasons
    assert max(braked_at) > planner.stopping_m - planner.margin - 10.0


def test_the_planner_does_not_brake_on_the_clean_street(live: Live, clean: list[Picture]) -> None:
    planner = Planner()
    clouds = live.peer.collect(PointCloud2, "/hybrid_seg/obstacles", SENSOR)
    reasons: list[str] = []

    def drive_on(_: Picture, cloud: Any) -> None:
        planner.hear(cloud, time.monotonic())
        reasons.append(planner.brakes(time.monotonic()))

    play(live, clean, clouds, drive_on)
    assert set(reasons) == {""}


def test_a_costmap_and_a_collision_monitor_live_on_it_and_stop_when_the_camera_does(
    live: Live, with_obstacle: list[Picture], clean: list[Picture]
) -> None:
    nav2 = yaml.safe_load((CONFIG / "nav2_obstacle_layer.yaml").read_text(encoding="utf-8"))
    given = nav2["local_costmap"]["local_costmap"]["ros__parameters"]["obstacle_layer"]
    layer = ObstacleLayer(given, LEVEL)
    guard = yaml.safe_load((CONFIG / "nav2_collision_monitor.yaml").read_text(encoding="utf-8"))
    monitor = CollisionMonitor(guard["collision_monitor"]["ros__parameters"], LEVEL)
    clouds = live.peer.collect(PointCloud2, "/hybrid_seg/obstacles", SENSOR)
    scans = live.peer.collect(LaserScan, "/hybrid_seg/obstacle_scan", SENSOR)

    def both(pictures: list[Picture]) -> float:
        stamps = play(live, pictures, clouds)
        live.peer.wait(lambda: nanoseconds(scans.messages[-1]) == stamps[-1], "the last scan")
        now = stamps[-1] * 1e-9
        layer.add("unknown_obstacles", clouds.messages[-1], now)
        layer.add("free_space", scans.messages[-1], now)
        monitor.add("unknown_obstacles", clouds.messages[-1])
        layer.update()
        return now

    now = both(with_obstacle)
    points = check_nav2_obstacle_layer(clouds.messages[-1], None, LEVEL, now)
    near = points[np.linalg.norm(points[:, :2], axis=1) < 14.0]
    assert len(near)
    assert all(cost_at(layer.grid, x, y, 0.1) == LETHAL for x, y, _ in near[:5])
    assert monitor.action(now + 0.1)[1] != "invalid source"
    clouds.messages.clear()
    now = both(clean)
    assert all(cost_at(layer.grid, x, y) != LETHAL for x, y, _ in near if abs(y) < 0.3 * x)
    assert monitor.action(now + 0.1) == ("", "")
    live.peer.spin_for(1.0)
    assert nanoseconds(clouds.messages[-1]) * 1e-9 == pytest.approx(now)
    assert monitor.action(now + 0.6) == ("stop", "invalid source")
    assert not layer.current(now + 0.6)


def test_autoware_finds_the_status_of_node_and_camera(live: Live) -> None:
    names = {"hybrid_seg: node", "hybrid_seg: camera image"}
    live.peer.wait_for_status("camera image", lambda *_: True, "the camera's status")
    live.peer.diagnostics.clear()
    live.peer.wait(lambda: len(live.peer.diagnostics) >= 6, "diagnostics")
    watch = TopicMonitor(warn_rate=2.0)
    for message in live.peer.diagnostics:
        check_autoware_diagnostics(message, offered(live, "/diagnostics"), names, stamp_s(message) + 0.1)
        watch.times.append(stamp_s(message))
    assert watch.state(stamp_s(live.peer.diagnostics[-1])) == "OK"


def test_no_cloud_is_published_while_the_ground_is_not_known(
    domain: int, ros_log_dir: Path, with_obstacle: list[Picture]
) -> None:
    """An empty cloud means clear, and a camera without a pose cannot say that."""
    without = {name: value for name, value in PARAMETERS.items() if not name.startswith("camera_")}
    with running(domain, ros_log_dir, without) as blind:
        clouds = blind.peer.collect(PointCloud2, "/hybrid_seg/obstacles", SENSOR)
        scans = blind.peer.collect(LaserScan, "/hybrid_seg/obstacle_scan", SENSOR)
        masks = blind.peer.collect(Image, "/hybrid_seg/obstacle_mask", SENSOR)
        play(blind, with_obstacle[:3], masks)
        blind.peer.spin_for(0.3)
        assert clouds.messages == []
        assert scans.messages == []
        blind.peer.wait_for_status("camera image", lambda status, _: "ground.unknown" in str(status), "ground.unknown")
