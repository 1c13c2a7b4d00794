"""What the numbers in the published images mean, on latched topics."""

import json
from typing import Any

from rclpy.node import Node
from rclpy.publisher import Publisher
from std_msgs.msg import String

from hybrid_seg_ros.bundle import Bundle
from hybrid_seg_ros.ros.qos import LATCHED
from hybrid_seg_ros.ros.schema import Settings


def label_table(bundle: Bundle, settings: Settings, threshold: float) -> dict[str, Any]:
    """The JSON object of ~/label_info_json."""
    score: dict[str, Any] = {
        "kind": bundle.manifest.score.kind,
        "encoding": settings.score_encoding,
        "higher_is": "more anomalous",
        "operating_points": {name: point.threshold for name, point in bundle.manifest.score.operating_points.items()},
    }
    if settings.score_encoding == "mono16":
        score["scale"] = (settings.score_mono16_max - settings.score_mono16_min) / 65535.0
        score["offset"] = settings.score_mono16_min
    return {
        "bundle": bundle.manifest.name,
        "threshold": threshold,
        "classes": [
            {
                "id": info.id,
                "name": info.name,
                "color_rgb": list(info.color),
                "drivable": info.drivable,
                "obstacle": info.obstacle,
            }
            for info in bundle.classes
        ],
        "score": score,
        "confidence": {"scale": 1.0 / 255.0},
    }


def label_info_type() -> Any:  # noqa: ANN401  # a message class that may not be installed
    """vision_msgs/LabelInfo where vision_msgs is installed and new enough to have it, else None."""
    try:
        from vision_msgs.msg import LabelInfo
    except ImportError:
        return None
    return LabelInfo


class LabelPublisher:
    """Publishes names, colours and threshold, latched: JSON always, vision_msgs/LabelInfo where installed."""

    def __init__(self, node: Node, bundle: Bundle) -> None:
        self._node = node
        self._bundle = bundle
        self._json: Publisher = node.create_publisher(String, "~/label_info_json", LATCHED)
        kind = label_info_type()
        self._info: Publisher | None = node.create_publisher(kind, "~/label_info", LATCHED) if kind else None
        self._said: dict[str, Any] | None = None

    def publish(self, settings: Settings, threshold: float) -> None:
        """Publish when something changed since the last time."""
        table = label_table(self._bundle, settings, threshold)
        if table == self._said:
            return
        self._said = table
        self._json.publish(String(data=json.dumps(table)))
        if self._info is not None:
            self._info.publish(self._label_info(threshold))

    def close(self) -> None:
        """Destroy the publishers."""
        for publisher in (self._json, self._info):
            if publisher is not None:
                self._node.destroy_publisher(publisher)

    def _label_info(self, threshold: float) -> Any:  # noqa: ANN401
        from vision_msgs.msg import LabelInfo, VisionClass

        message = LabelInfo(threshold=threshold)
        message.header.stamp = self._node.get_clock().now().to_msg()
        message.class_map = [VisionClass(class_id=info.id, class_name=info.name) for info in self._bundle.classes]
        return message
