"""Why no image arrives: the graph's own answer, in words and with the command that fixes it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rclpy.node import Node
from rclpy.qos import ReliabilityPolicy

from hybrid_seg_ros.ros.parameter_spec import closest

IMAGE = "sensor_msgs/msg/Image"
COMPRESSED = "sensor_msgs/msg/CompressedImage"
TRANSPORTS = {"raw": IMAGE, "compressed": COMPRESSED}


@dataclass(frozen=True, slots=True)
class Publisher:
    """One publisher on the topic: its node, message type and whether it is reliable."""

    node: str
    type: str
    reliable: bool


def image_topic(base: str, transport: str) -> str:
    """The topic to subscribe for the resolved name of `image`: image_transport's convention."""
    if transport == "compressed" and not base.endswith("/compressed"):
        return base + "/compressed"
    return base


def explain_silence(
    base: str,
    transport: str,
    reliability: str,
    publishers: Sequence[Publisher],
    topics: Mapping[str, Sequence[str]],
) -> str:
    """What the ROS graph says about a topic that stays silent.

    Args:
        base: resolved name of `image`.
        transport: "raw" or "compressed".
        reliability: what the subscription asks for, "reliable" or "best_effort".
        publishers: everybody who publishes on the subscribed topic, whatever the type.
        topics: the image topics that somebody publishes, with their types.

    Returns:
        One sentence or two, with the parameter or remap that fixes it where there is one.
    """
    topic, wanted = image_topic(base, transport), TRANSPORTS[transport]
    matching = [entry for entry in publishers if entry.type == wanted]
    if not matching:
        return _nobody(topic, base, wanted, publishers, topics)
    if reliability == "reliable" and not any(entry.reliable for entry in matching):
        return (
            f"{_count(matching)} on {topic}, but with best-effort reliability, while input_reliability is 'reliable': "
            "they cannot be connected; set input_reliability:=best_effort"
        )
    return (
        f"{_count(matching)} on {topic} with matching type and QoS, but nothing arrives: the publisher sends "
        "nothing (any more), or images larger than the shared-memory segment are lost on the way "
        "(start the publisher with FASTDDS_DEFAULT_PROFILES_FILE and FASTRTPS_DEFAULT_PROFILES_FILE set to "
        "share/hybrid_seg_ros/config/fastdds.xml)"
    )


def _nobody(
    topic: str,
    base: str,
    wanted: str,
    publishers: Sequence[Publisher],
    topics: Mapping[str, Sequence[str]],
) -> str:
    if publishers:
        types = ", ".join(sorted({entry.type for entry in publishers}))
        hint = ""
        if COMPRESSED in types and wanted == IMAGE:
            hint = f"; set image_transport:=compressed and image:={base.removesuffix('/compressed')}"
        return f"{_count(publishers)} on {topic}, but of type {types}, expected {wanted}{hint}"
    if wanted == IMAGE and COMPRESSED in topics.get(base + "/compressed", ()):
        return f"nobody publishes on {topic}, but {base}/compressed exists; set image_transport:=compressed"
    if wanted == COMPRESSED and IMAGE in topics.get(base, ()):
        return f"nobody publishes on {topic}, but {base} exists; set image_transport:=raw"
    offered = sorted(name for name, types in topics.items() if wanted in types and name != topic)
    if not offered:
        return (
            f"nobody publishes on {topic}, and no topic of type {wanted} is in sight: is the camera's driver running, "
            "and are ROS_DOMAIN_ID and ROS_AUTOMATIC_DISCOVERY_RANGE (Humble: ROS_LOCALHOST_ONLY) the same there?"
        )
    listing = ", ".join(offered[:8]) + (", ..." if len(offered) > 8 else "")
    hint = closest(topic, offered) or "."
    return f"nobody publishes on {topic}{hint} Topics of type {wanted}: {listing}; remap image"


def _count(publishers: Sequence[Publisher]) -> str:
    nodes = ", ".join(sorted({entry.node for entry in publishers}))
    return f"{len(publishers)} publisher{'s' if len(publishers) != 1 else ''} ({nodes})"


def publishers_of(node: Node, topic: str) -> list[Publisher]:
    """Everybody who publishes on `topic`, as the node sees the graph now."""
    return [
        Publisher(
            node=f"{info.node_namespace.rstrip('/')}/{info.node_name}",
            type=info.topic_type,
            reliable=info.qos_profile.reliability == ReliabilityPolicy.RELIABLE,
        )
        for info in node.get_publishers_info_by_topic(topic)
    ]


def why_silent(node: Node, base: str, transport: str, reliability: str) -> str:
    """`explain_silence` with what the node sees now."""
    publishers = publishers_of(node, image_topic(base, transport))
    own = node.get_fully_qualified_name()
    topics = {
        name: types
        for name, types in node.get_topic_names_and_types()
        if set(types) & set(TRANSPORTS.values()) and not name.startswith(f"{own}/") and node.count_publishers(name)
    }
    return explain_silence(base, transport, reliability, publishers, topics)
