"""What the values of an obstacle mask mean, latched, for consumers that look classes up by name."""

from rclpy.node import Node
from rclpy.publisher import Publisher

from hybrid_seg_ros.ros.qos import LATCHED
from hybrid_seg_ros.ros.vision import vision_messages

MASK_CLASSES = {0: "clear", 255: "obstacle"}
"""Value of a mask's pixel -> name."""


class ObstacleLabelPublisher:
    """Publishes `~/obstacle_label_info` once, the same for all cameras, where vision_msgs is installed.

    Nav2's semantic segmentation layer takes no mask before a LabelInfo has told it what the mask's values mean.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._publisher: Publisher | None = None
        messages = vision_messages("LabelInfo")
        if messages is None:
            return
        self._publisher = node.create_publisher(messages.LabelInfo, "~/obstacle_label_info", LATCHED)
        info = messages.LabelInfo()
        info.header.stamp = node.get_clock().now().to_msg()
        info.class_map = [messages.VisionClass(class_id=value, class_name=name) for value, name in MASK_CLASSES.items()]
        self._publisher.publish(info)

    def close(self) -> None:
        """Destroy the publisher."""
        if self._publisher is not None:
            self._node.destroy_publisher(self._publisher)
            self._publisher = None
