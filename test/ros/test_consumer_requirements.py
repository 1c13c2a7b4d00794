"""The shipped configurations, with messages as the node makes them, in models of the consumers."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import yaml

pytest.importorskip("rclpy")

from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.duration import Duration
from rclpy.qos import LivelinessPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image, PointCloud2
from std_msgs.msg import Header
from support.brakes import CollisionMonitor, EmergencyBrake, Planner, TopicMonitor
from support.consumers import (
    RejectedError,
    check_autoware,
    check_autoware_diagnostics,
    check_label_info,
    check_nav2_collision_monitor,
    check_nav2_obstacle_layer,
    check_semantic_layer,
)
from support.costmaps import LETHAL, ObstacleLayer, SemanticLayer, cost_at

from hybrid_seg_ros.obstacles.cloud import point_cloud
from hybrid_seg_ros.obstacles.scan import laser_scan
from hybrid_seg_ros.obstacles.types import Contacts, Obstacle, Obstacles, empty_contacts, empty_runs
from hybrid_seg_ros.ros.obstacle_messages import cloud_message, organised_message, scan_message
from hybrid_seg_ros.ros.qos import keep_last
from hybrid_seg_ros.ros.schema import SCHEMA

CONFIG = Path(__file__).resolve().parents[2] / "config"
NOW = 100.0
LEVEL = {"base_link": np.eye(4)}
DEFAULT = {name: parameter.default for name, parameter in SCHEMA.items()}
RELIABLE = keep_last("reliable", 1)
# as autoware_launch ships them
AEB = {
    "detection_range_min_height": 0.0,
    "voxel_grid_x": 0.05,
    "voxel_grid_y": 0.05,
    "voxel_grid_z": 100000.0,
    "expand_width": 0.1,
    "cluster_tolerance": 0.15,
    "cluster_minimum_height": 0.1,
    "minimum_cluster_size": 10,
    "maximum_cluster_size": 10000,
    "longitudinal_offset": 2.0,
    "t_response": 1.0,
    "a_ego_min": -3.0,
}


def parameters(name: str, *keys: str) -> dict[str, Any]:
    found = yaml.safe_load((CONFIG / name).read_text(encoding="utf-8"))
    for key in keys:
        found = found[key]
    return dict(found)


def obstacles(*places: tuple[float, float], width: float = 0.5, confirmed: bool = True) -> Obstacles:
    """An obstacle of this width at each place (x, y) m, a contact every 4 cm."""
    if not places:
        return Obstacles(0, (640, 480), (), empty_contacts(), empty_runs())
    across = np.arange(0.0, width + 1e-9, 0.04) - width / 2
    xy = np.concatenate([np.stack([np.full(len(across), x), y - across], axis=1) for x, y in places]).astype(np.float32)
    count = len(xy)
    contacts = Contacts(
        np.arange(count, dtype=np.int32),
        np.full(count, 300.5, np.float32),
        np.repeat(np.arange(len(places), dtype=np.int32), len(across)),
        np.ones(count, np.float32),
        xy,
        np.full((count, 2), 0.1, np.float32),
    )
    found = tuple(
        Obstacle((0, 0, 1, 1), 100, position=place, id=number, age=5, confirmed=confirmed)
        for number, place in enumerate(places, 1)
    )
    return Obstacles(0, (640, 480), found, contacts, empty_runs())


def header(stamp_s: float = NOW, frame: str = "base_link") -> Header:
    return Header(stamp=Time(sec=int(stamp_s), nanosec=round(stamp_s % 1 * 1e9)), frame_id=frame)


def cloud(seen: Obstacles, stamp_s: float = NOW, values: Mapping[str, Any] = DEFAULT) -> PointCloud2:
    points = point_cloud(seen, z_min=values["cloud_z_min"], z_max=values["cloud_z_max"], layers=values["cloud_layers"])
    return cloud_message(points, header(stamp_s))


def scan(seen: Obstacles, stamp_s: float = NOW) -> Any:
    low, high, step = (DEFAULT[f"scan_{name}"] for name in ("angle_min", "angle_max", "increment"))
    near, far = DEFAULT["scan_range_min"], DEFAULT["scan_range_max"]
    bearings = low + np.arange(round((high - low) / step) + 1) * step
    ranges = laser_scan(
        seen, angle_min=low, angle_max=high, increment=step, range_min=near, range_max=far,
        in_view=np.abs(bearings) < 0.5,
    )  # fmt: skip
    return scan_message(ranges, header(stamp_s), angle_min=low, increment=step, range_min=near, range_max=far)


def test_default_clouds_and_scans_pass_every_consumer_whole() -> None:
    seen = obstacles((5.0, 0.0), (12.0, 2.0))
    for check in (check_nav2_obstacle_layer, check_nav2_collision_monitor, check_autoware):
        points = check(cloud(seen), RELIABLE, LEVEL, NOW + 0.1)
        np.testing.assert_allclose(points[:, :2], seen.contacts.xy, atol=1e-5)
        assert len(check(cloud(obstacles()), RELIABLE, LEVEL, NOW + 0.1)) == 0
    for check in (check_nav2_obstacle_layer, check_nav2_collision_monitor):
        ranges = check(scan(seen), RELIABLE, LEVEL, NOW + 0.1)
        assert np.nanmin(ranges) == pytest.approx(5.0, abs=0.01)


def test_a_cloud_is_refused_for_the_consumers_own_reasons() -> None:
    good = cloud(obstacles((5.0, 0.0)))
    with pytest.raises(RejectedError, match="no transform from 'base_link'"):
        check_nav2_obstacle_layer(good, RELIABLE, {"odom": np.eye(4)}, NOW)
    with pytest.raises(RejectedError, match="wants frame 'base_link'"):
        check_autoware(cloud_message(point_cloud(obstacles((5.0, 0.0)), z_min=0.1, z_max=0.5), header(frame="car")),
                       RELIABLE, {"car": np.eye(4)}, NOW)  # fmt: skip
    with pytest.raises(RejectedError, match=r"2\.50 s old"):
        check_nav2_collision_monitor(good, RELIABLE, LEVEL, NOW + 2.5)
    with pytest.raises(RejectedError, match="ahead of the clock"):
        check_nav2_obstacle_layer(good, RELIABLE, LEVEL, NOW - 1.0)
    with pytest.raises(RejectedError, match=r"ignores .* points, z in \[0.05, 0.5\] m"):
        check_nav2_collision_monitor(cloud(obstacles((5.0, 0.0)), values={**DEFAULT, "cloud_z_max": 2.0}), RELIABLE,
                                     LEVEL, NOW)  # fmt: skip
    broken = cloud(obstacles((5.0, 0.0)))
    broken.row_step += 1
    with pytest.raises(RejectedError, match="row_step"):
        check_autoware(broken, RELIABLE, LEVEL, NOW)
    lame = cloud(obstacles((5.0, 0.0)))
    lame.fields = lame.fields[1:]
    with pytest.raises(RejectedError, match="wants field x"):
        check_autoware(lame, RELIABLE, LEVEL, NOW)
    with pytest.raises(RejectedError, match="subscribes sensor_msgs/msg/PointCloud2"):
        check_autoware(Image(header=header()), RELIABLE, LEVEL, NOW)


def test_promised_deadline_and_liveliness_keep_nobody_away_and_a_missing_reliability_does() -> None:
    offered = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE, deadline=Duration(seconds=0.5))
    offered.liveliness, offered.liveliness_lease_duration = LivelinessPolicy.MANUAL_BY_TOPIC, Duration(seconds=0.5)
    assert len(check_autoware(cloud(obstacles((5.0, 0.0))), offered, LEVEL, NOW))
    status = DiagnosticArray(header=Header(stamp=Time(sec=100)), status=[DiagnosticStatus(name="hybrid_seg: node")])
    with pytest.raises(RejectedError, match="never connected"):
        check_autoware_diagnostics(status, keep_last("best_effort", 1), {"hybrid_seg: node"}, NOW)


def obstacle_layer() -> ObstacleLayer:
    given = parameters(
        "nav2_obstacle_layer.yaml", "local_costmap", "local_costmap", "ros__parameters", "obstacle_layer"
    )
    return ObstacleLayer(given, LEVEL)


def test_the_costmap_gets_an_obstacle_and_loses_it_when_it_is_gone() -> None:
    layer = obstacle_layer()
    seen = obstacles((5.0, 0.5))
    layer.add("unknown_obstacles", cloud(seen), NOW)
    layer.add("free_space", scan(seen), NOW)
    assert cost_at(layer.update(), 5.0, 0.5, 0.1) == LETHAL
    layer.add("unknown_obstacles", cloud(obstacles()), NOW + 0.1)
    layer.add("free_space", scan(obstacles()), NOW + 0.1)
    assert not layer.update().any()


def test_clouds_alone_never_clear_the_costmap() -> None:
    """Why the shipped configuration takes the scan, too."""
    layer = obstacle_layer()
    layer.add("unknown_obstacles", cloud(obstacles((5.0, 0.5))), NOW)
    layer.update()
    layer.add("unknown_obstacles", cloud(obstacles()), NOW + 0.1)
    assert cost_at(layer.update(), 5.0, 0.5, 0.1) == LETHAL


def test_what_is_out_of_view_is_not_cleared() -> None:
    layer = obstacle_layer()
    layer.add("unknown_obstacles", cloud(obstacles((1.0, 6.0))), NOW)
    layer.update()
    layer.add("unknown_obstacles", cloud(obstacles()), NOW + 0.1)
    layer.add("free_space", scan(obstacles()), NOW + 0.1)
    assert cost_at(layer.update(), 1.0, 6.0, 0.1) == LETHAL


def test_a_silent_node_makes_the_costmap_stale() -> None:
    layer = obstacle_layer()
    assert not layer.current(NOW)
    for source, message in (("unknown_obstacles", cloud(obstacles())), ("free_space", scan(obstacles()))):
        layer.add(source, message, NOW)
    assert layer.current(NOW + 0.4)
    assert not layer.current(NOW + 0.6)


def test_rays_are_taken_on_a_road_that_rises() -> None:
    tilt = np.eye(4)
    tilt[:3, :3] = [[0.9995, 0.0, 0.0316], [0.0, 1.0, 0.0], [-0.0316, 0.0, 0.9995]]  # 1.8 degrees down
    layer = replace(obstacle_layer(), frames={"base_link": tilt})
    layer.add("unknown_obstacles", cloud(obstacles((8.0, 0.0))), NOW)
    layer.add("free_space", scan(obstacles()), NOW)
    assert len(layer.newest["free_space"].points) > 0


def monitor() -> CollisionMonitor:
    return CollisionMonitor(parameters("nav2_collision_monitor.yaml", "collision_monitor", "ros__parameters"), LEVEL)


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        ([], ("", "")),
        ([(1.0, 0.0)], ("stop", "stop_zone")),
        ([(2.5, 0.3)], ("slowdown", "slow_zone")),
        ([(2.5, 2.0)], ("", "")),
    ],
)
def test_the_collision_monitor_stops_for_what_is_in_the_way(
    places: list[tuple[float, float]], expected: tuple[str, str]
) -> None:
    guard = monitor()
    guard.add("unknown_obstacles", cloud(obstacles(*places)))
    assert guard.action(NOW + 0.2) == expected


def test_the_collision_monitor_stops_when_the_node_falls_silent_or_never_spoke() -> None:
    guard = monitor()
    assert guard.action(NOW) == ("stop", "invalid source")
    guard.add("unknown_obstacles", cloud(obstacles()))
    assert guard.action(NOW + 0.4) == ("", "")
    assert guard.action(NOW + 0.6) == ("stop", "invalid source")


def organised(seen_column: int) -> tuple[Image, PointCloud2]:
    """A mask 8x6 whose columns see the ground ahead; an obstacle of three rows stands in one of them at 3.05 m."""
    points = np.full((6, 8, 4), np.nan, np.float32)
    for row, x in ((3, 6.0), (4, 4.0), (5, 3.05)):
        points[row, :, 0], points[row, :, 1], points[row, :, 2] = x, 0.35 - 0.1 * np.arange(8), 0.0
    mask = np.zeros((6, 8), np.uint8)
    mask[1:6, seen_column] = 255
    points[1:6, seen_column] = points[5, seen_column]
    image = Image(header=header(frame="camera"), height=6, width=8, encoding="mono8", step=8)
    image.data.frombytes(mask.tobytes())
    return image, organised_message(points, header())


def semantic_layer() -> SemanticLayer:
    given = parameters("nav2_semantic_layer.yaml", "local_costmap", "local_costmap", "ros__parameters")
    return SemanticLayer(given["semantic_layer"]["foreign"], np.eye(4))


def labels(**classes: int) -> Any:
    entries = [SimpleNamespace(class_id=number, class_name=name) for name, number in classes.items()]
    return SimpleNamespace(__msgtype__="vision_msgs/msg/LabelInfo", header=header(), class_map=entries)


def test_the_semantic_layer_marks_the_contact_and_nothing_behind_it() -> None:
    layer = semantic_layer()
    mask, points = organised(seen_column=2)
    check_semantic_layer(mask, points, (RELIABLE, RELIABLE), LEVEL, NOW)
    layer.names = check_label_info(labels(clear=0, obstacle=255), None, {"clear", "obstacle"})
    layer.add(mask, points)
    grid = layer.update(NOW)
    assert cost_at(grid, 3.05, 0.15) == 254
    assert grid.astype(bool).sum() == 1


def test_ground_that_is_seen_again_frees_the_semantic_layers_tile() -> None:
    """Why the organised cloud holds the ground, too: a tile that nobody looks at keeps its cost for ever."""
    layer = semantic_layer()
    layer.names = {0: "clear", 255: "obstacle"}
    layer.add(*organised(seen_column=2))
    layer.update(NOW)
    assert layer.update(NOW + 10.0).any()
    mask, points = organised(seen_column=2)
    mask.data = mask.data[:0]
    mask.data.frombytes(bytes(48))
    points.header.stamp.sec += 3
    layer.add(mask, points)
    assert not layer.update(NOW + 3.0).any()


def test_the_semantic_layer_refuses_what_does_not_fit() -> None:
    mask, points = organised(2)
    with pytest.raises(RejectedError, match="no label info came"):
        semantic_layer().add(mask, points)
    with pytest.raises(RejectedError, match="classes without parameters"):
        check_label_info(labels(road=0), None, {"clear", "obstacle"})
    padded = Image(header=mask.header, height=6, width=8, encoding="mono8", step=16)
    with pytest.raises(RejectedError, match="without padding"):
        check_semantic_layer(padded, points, (None, None), LEVEL, NOW)
    smaller = Image(header=mask.header, height=3, width=8, encoding="mono8", step=8)
    with pytest.raises(RejectedError, match="mask 8x3, cloud 8x6"):
        check_semantic_layer(smaller, points, (None, None), LEVEL, NOW)
    later = Image(header=header(NOW + 0.2), height=6, width=8, encoding="mono8", step=8)
    with pytest.raises(RejectedError, match="100 ms apart"):
        check_semantic_layer(later, points, (None, None), LEVEL, NOW + 0.2)


def test_autowares_emergency_brake_brakes_for_wide_obstacles_and_its_default_drops_narrow_ones() -> None:
    """minimum_cluster_size counts columns of 5 cm: docs/integration/autoware.md says to lower it."""
    values = {**DEFAULT, **parameters("autoware.yaml", "/**", "ros__parameters")}
    brake = EmergencyBrake(AEB)
    assert brake.brakes(cloud(obstacles((15.0, 0.0), width=0.8), values=values), 9.0)
    assert not brake.brakes(cloud(obstacles((15.0, 4.0), width=0.8), values=values), 9.0)
    assert not brake.brakes(cloud(obstacles(), values=values), 9.0)
    narrow = cloud(obstacles((15.0, 0.0), width=0.3), values=values)
    assert not brake.brakes(narrow, 9.0)
    assert EmergencyBrake({**AEB, "minimum_cluster_size": 3}).brakes(narrow, 9.0)


def test_autowares_parameters_are_the_nodes_own_and_its_points_stand_above_the_brakes_limit() -> None:
    given = parameters("autoware.yaml", "/**", "ros__parameters")
    assert set(given) <= set(SCHEMA)
    points = check_autoware(cloud(obstacles((5.0, 0.0)), values={**DEFAULT, **given}), RELIABLE, LEVEL, NOW)
    assert points[:, 2].min() > AEB["cluster_minimum_height"]
    assert given["diagnostics_period_s"] < 1.0


def test_autowares_topic_monitor_wants_five_clouds_a_second_empty_or_not() -> None:
    watch = TopicMonitor()
    assert watch.state(0.0) == "NotReceived"
    watch.times.extend(np.arange(10) / 15.0)
    assert watch.state(0.7) == "OK"
    assert watch.state(2.0) == "Timeout"
    watch.times.extend(2.0 + np.arange(10) / 3.0)
    assert watch.state(5.0) == "WarnRate"


def test_autowares_diagnostic_graph_finds_the_status_by_its_exact_name() -> None:
    status = [DiagnosticStatus(name="hybrid_seg: node", level=DiagnosticStatus.WARN)]
    message = DiagnosticArray(header=Header(stamp=Time(sec=100)), status=status)
    assert check_autoware_diagnostics(message, RELIABLE, {"hybrid_seg: node"}, NOW) == {"hybrid_seg: node": 1}
    with pytest.raises(RejectedError, match="no status"):
        check_autoware_diagnostics(message, RELIABLE, {"/hybrid_seg: node"}, NOW)
    with pytest.raises(RejectedError, match=r"1\.50 s old"):
        check_autoware_diagnostics(message, RELIABLE, {"hybrid_seg: node"}, NOW + 1.5)


def test_the_planner_brakes_for_what_is_in_its_corridor_and_for_silence() -> None:
    planner = Planner(speed=9.0)
    assert planner.brakes(NOW) == "silence"
    planner.hear(cloud(obstacles((planner.stopping_m + 1, 0.0), (5.0, 3.0))), NOW)
    assert planner.brakes(NOW) == ""
    planner.hear(cloud(obstacles((planner.stopping_m - 1, 0.0))), NOW)
    assert planner.brakes(NOW) == "obstacle"
    planner.hear(cloud(obstacles()), NOW)
    assert planner.brakes(NOW + 0.5) == ""
    assert planner.brakes(NOW + 1.5) == "silence"
