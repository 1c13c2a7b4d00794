"""config/sros2: the policy allows what the running node does, and nothing that it never does."""

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("rclpy")

from support.ros_graph import Peer, running_node

FILE = Path(__file__).resolve().parents[2] / "config" / "sros2" / "hybrid_seg.policy.xml"
NODE = "hybrid_seg"
# allowed, and not in the graph of one camera with default parameters on this machine
UNDER_CONDITIONS = {
    "publish": {
        f"/{NODE}/obstacles_merged",  # several cameras
        f"/{NODE}/label_info",  # vision_msgs installed
        f"/{NODE}/obstacle_label_info",
        f"/{NODE}/detections",
    },
    "subscribe": {
        "/image/compressed",  # image_transport: compressed
        "/clock",  # use_sim_time
        "/tf",  # pose_source: tf
        "/tf_static",
    },
    "reply": {f"/{NODE}/get_type_description"},  # Iron and later
}


def expanded(name: str) -> str:
    """As the profile's ns and node make it."""
    if name.startswith("~"):
        return f"/{NODE}{name[1:]}"
    return name if name.startswith("/") else f"/{name}"


def allowed() -> dict[str, set[str]]:
    root = ET.parse(FILE).getroot()  # noqa: S314  # our own file
    (profile,) = root.iter("profile")
    assert (profile.get("ns"), profile.get("node")) == ("/", NODE)
    rules: dict[str, set[str]] = {"publish": set(), "subscribe": set(), "reply": set()}
    for group in profile:
        ((action, verdict),) = group.attrib.items()
        assert verdict == "ALLOW"
        names = [expanded(str(entry.text)) for entry in group]
        assert not rules[action] & set(names)
        assert len(names) == len(set(names))
        rules[action] |= set(names)
    return rules


@pytest.fixture
def graph(domain: int, ros_log_dir: Path) -> Iterator[dict[str, set[str]]]:
    """Every name the active node publishes, subscribes and serves."""
    with running_node(domain, ros_log_dir, ["--autostart", "--ros-args", "-p", "backend:=fake"]):
        peer = Peer(domain)
        try:
            peer.wait(lambda: peer.state() == "active", "the node is active")
            names = {
                "publish": {name for name, _ in peer.node.get_publisher_names_and_types_by_node(NODE, "/")},
                "subscribe": {name for name, _ in peer.node.get_subscriber_names_and_types_by_node(NODE, "/")},
                "reply": {name for name, _ in peer.node.get_service_names_and_types_by_node(NODE, "/")},
            }
            yield names
        finally:
            peer.close()


def test_the_policy_allows_exactly_what_the_node_does(graph: dict[str, set[str]]) -> None:
    rules = allowed()
    for action, names in graph.items():
        assert names - rules[action] == set(), f"the node does these, and may not {action}"
        assert rules[action] - names <= UNDER_CONDITIONS[action], f"it may {action} these, and never does"


def test_the_policy_has_the_shape_that_ros2_security_takes() -> None:
    root = ET.parse(FILE).getroot()  # noqa: S314  # our own file
    assert (root.tag, root.get("version")) == ("policy", "0.2.0")
    (enclave,) = root.findall("enclaves/enclave")
    assert enclave.get("path") == f"/{NODE}"
    assert {child.tag for child in enclave} == {"profiles"}
    assert {group.tag for group in root.iter("profile").__next__()} == {"topics", "services"}
