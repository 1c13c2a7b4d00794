"""detector.launch.py: what it starts, with which parameters, remaps and environment, and how it brings it up."""

import ast
from pathlib import Path

import pytest

pytest.importorskip("lifecycle_msgs")

from lifecycle_msgs.msg import Transition
from support.launch_stand_ins import Context, run

from hybrid_seg_ros.ros.schema import SCHEMA

REPOSITORY = Path(__file__).resolve().parents[2]
FILE = REPOSITORY / "launch" / "detector.launch.py"
SHARE = "/opt/share/hybrid_seg_ros"
PROFILES = {"FASTDDS_DEFAULT_PROFILES_FILE", "FASTRTPS_DEFAULT_PROFILES_FILE"}


def launched(environment: dict[str, str] | None = None, **arguments: str) -> Context:
    return run(FILE, arguments, environment or {}, {"hybrid_seg_ros": SHARE})


def line(context: Context) -> str:
    (started,) = context.started
    return " ".join(started.arguments)


def test_starts_the_node_with_the_shipped_parameters() -> None:
    (started,) = launched().started
    assert (started.package, started.executable) == ("hybrid_seg_ros", "hybrid_seg_node")
    assert started.arguments == [
        *("--ros-args", "--log-level", "info", "-r", "__node:=hybrid_seg", "-r", "__ns:="),
        *("--params-file", f"{SHARE}/config/detector.yaml"),
        *("-r", "image:=image", "-r", "camera_info:=camera_info"),
    ]


@pytest.mark.parametrize(
    ("image", "info"),
    [
        ("/camera/image_raw", "/camera/camera_info"),
        ("front/image", "front/camera_info"),
        ("image", "camera_info"),
        ("/image", "/camera_info"),
    ],
)
def test_camera_info_is_looked_for_beside_the_image(image: str, info: str) -> None:
    assert f"-r image:={image} -r camera_info:={info}" in line(launched(image_topic=image))
    assert "-r camera_info:=/other" in line(launched(image_topic=image, camera_info_topic="/other"))


def test_given_arguments_go_before_the_file_and_empty_ones_leave_it_alone() -> None:
    found = line(launched(params_file="/my.yaml", bundle="b", backend="fake", use_sim_time="true"))
    assert "--params-file /my.yaml -p bundle:=b -p backend:=fake -p use_sim_time:=true -r" in found
    found = line(launched(params_file="/my.yaml"))
    assert "-p " not in found


def test_namespace_and_log_level() -> None:
    found = line(launched(namespace="car", log_level="debug", image_transport="compressed"))
    assert "__ns:=car" in found
    assert "--log-level debug" in found
    assert "-p image_transport:=compressed" in found


def test_arguments_that_are_parameters_are_in_the_schema() -> None:
    tree = ast.parse(FILE.read_text(encoding="utf-8"))
    table = next(
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "PARAMETERS"
    )
    names = set(ast.literal_eval(table))
    assert names - {"use_sim_time"} <= set(SCHEMA)
    for name in ("image_transport", "backend", "mask_output"):
        for choice in SCHEMA[name].choices:
            assert choice in ast.literal_eval(table)[name]


def test_every_argument_is_declared_and_described() -> None:
    assert set(launched().arguments) == {
        *("namespace", "params_file", "image_topic", "camera_info_topic", "image_transport", "bundle", "backend"),
        *("use_sim_time", "mask_output", "autostart", "log_level", "fastdds_profile"),
    }
    assert all(launched().arguments.values())


def test_profile_is_set_for_the_node_only() -> None:
    context = launched()
    (started,) = context.started
    assert started.environment == dict.fromkeys(PROFILES, f"{SHARE}/config/fastdds.xml")
    assert context.environment == {}
    assert context.parameters == []


@pytest.mark.parametrize("own", sorted(PROFILES))
def test_a_profile_of_the_users_own_stays(own: str) -> None:
    (started,) = launched({own: "/my.xml"}).started
    assert started.environment == {own: "/my.xml"}


def test_profile_can_be_switched_off() -> None:
    (started,) = launched(fastdds_profile="false").started
    assert started.environment == {}


def test_brings_the_node_to_active_once() -> None:
    context = launched()
    assert [event.transition_id for event in context.emitted] == [Transition.TRANSITION_CONFIGURE]
    node = context.handlers[0].node
    assert context.emitted[0].lifecycle_node_matcher(node)
    context.transition(node, "configuring", "inactive")
    assert [event.transition_id for event in context.emitted[1:]] == [Transition.TRANSITION_ACTIVATE]
    context.transition(node, "deactivating", "inactive")
    assert len(context.emitted) == 2, "a later deactivate stays one"


def test_activates_also_when_the_arguments_are_out_of_scope_by_then() -> None:
    context = launched()
    context.configurations.clear()  # as after a scoped group around the include
    context.transition(context.handlers[0].node, "configuring", "inactive")
    assert [event.transition_id for event in context.emitted[1:]] == [Transition.TRANSITION_ACTIVATE]


def test_autostart_off_leaves_the_transitions_to_others() -> None:
    context = launched(autostart="false")
    assert context.emitted == []
    assert context.handlers == []
    assert len(context.started) == 1
