"""planner.launch.py: the detector with a planner's parameters and topic names."""

from pathlib import Path

import pytest
import yaml

pytest.importorskip("lifecycle_msgs")

from lifecycle_msgs.msg import Transition
from support.launch_stand_ins import Context, run

from hybrid_seg_ros.ros.schema import SCHEMA

REPOSITORY = Path(__file__).resolve().parents[2]
FILE = REPOSITORY / "launch" / "planner.launch.py"


def launched(**arguments: str) -> Context:
    return run(FILE, arguments, {}, {"hybrid_seg_ros": str(REPOSITORY)})


def line(context: Context) -> str:
    (started,) = context.started
    assert (started.package, started.executable) == ("hybrid_seg_ros", "hybrid_seg_node")
    return " ".join(started.arguments)


def test_autoware_finds_the_cloud_where_it_looks() -> None:
    found = line(launched(planner="autoware", image_topic="/sensing/camera/camera0/image_raw"))
    assert "-r ~/obstacles:=/perception/obstacle_segmentation/pointcloud" in found
    assert f"--params-file {REPOSITORY}/config/autoware.yaml" in found
    assert "-r image:=/sensing/camera/camera0/image_raw" in found
    assert "-r camera_info:=/sensing/camera/camera0/camera_info" in found


def test_nav2_takes_the_nodes_own_topics() -> None:
    found = line(launched(planner="nav2"))
    assert "obstacles:=" not in found
    assert f"--params-file {REPOSITORY}/config/nav2.yaml" in found


def test_what_is_given_wins_over_the_planners_own() -> None:
    found = line(
        launched(planner="autoware", obstacles_topic="/lidar_and_camera/in", params_file="/my.yaml", backend="fake")
    )
    assert "-r ~/obstacles:=/lidar_and_camera/in" in found
    assert "--params-file /my.yaml -p backend:=fake" in found
    assert "obstacle_segmentation" not in found


def test_the_node_is_configured_and_then_activated_unless_told_otherwise() -> None:
    (event,) = launched(planner="nav2").emitted
    assert event.transition_id == Transition.TRANSITION_CONFIGURE
    assert launched(planner="nav2", autostart="false").emitted == []


def test_there_is_no_default_planner_and_no_other() -> None:
    with pytest.raises(AssertionError, match="planner"):
        launched()
    with pytest.raises(KeyError, match="apollo"):
        launched(planner="apollo")


@pytest.mark.parametrize("planner", ["nav2", "autoware"])
def test_the_planners_parameters_are_the_nodes_own(planner: str) -> None:
    given = yaml.safe_load((REPOSITORY / "config" / f"{planner}.yaml").read_text(encoding="utf-8"))
    for name, value in given["/**"]["ros__parameters"].items():
        assert type(value) is type(SCHEMA[name].default), name
