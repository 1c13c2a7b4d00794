"""What the numbers in the published images mean, on latched topics."""

import json
from typing import Any

from rclpy.node import Node
from rclpy.publisher import Publisher
from std_msgs.msg import String

from hybrid_seg_ros.bundle import Bundle, label_table
from hybrid_seg_ros.ros.qos import LATCHED
from hybrid_seg_ros.ros.schema import Settings
from hybrid_seg_ros.ros.vision import vision_messages


def node_label_table(bundle: Bundle, settings: Settings, threshold: float) -> dict[str, Any]:
    """The JSON object of ~/label_info_json under the node's settings."""
    coded = settings.score_encoding == "mono16"
    mono16 = (settings.score_mono16_min, settings.score_mono16_max) if coded else None
    return label_table(bundle.manifest, threshold, mono16)


def label_info(messages: Any, bundle: Bundle, threshold: float, stamp: Any) -> Any:  # noqa: ANN401  # as above
    """The vision_msgs/LabelInfo of a bundle; `messages` is vision_msgs.msg."""
    info = messages.LabelInfo(threshold=threshold)
    info.header.stamp = stamp
    info.class_map = [messages.VisionClass(class_id=entry.id, class_name=entry.name) for entry in bundle.classes]
    return info


class LabelPublisher:
    """Publishes names, colours and threshold, latched: JSON always, vision_msgs/LabelInfo where installed."""

    def __init__(self, node: Node, bundle: Bundle) -> None:
        self._node = node
        self._bundle = bundle
        self._json: Publisher = node.create_publisher(String, "~/label_info_json", LATCHED)
        self._messages = vision_messages("LabelInfo")
        self._info: Publisher | None = None
        if self._messages is not None:
            self._info = node.create_publisher(self._messages.LabelInfo, "~/label_info", LATCHED)
        self._said: dict[str, Any] | None = None

    def publish(self, settings: Settings, threshold: float) -> None:
        """Publish when something changed since the last time."""
        table = node_label_table(self._bundle, settings, threshold)
        if table == self._said:
            return
        self._said = table
        self._json.publish(String(data=json.dumps(table)))
        if self._info is not None:
            now = self._node.get_clock().now().to_msg()
            self._info.publish(label_info(self._messages, self._bundle, threshold, now))

    def close(self) -> None:
        """Destroy the publishers."""
        for publisher in (self._json, self._info):
            if publisher is not None:
                self._node.destroy_publisher(publisher)
