"""A subscriber to be killed: `python -m hybrid_seg_ros.ros.trials.fault_listener /hybrid_seg`."""

import sys
from typing import Any

import rclpy
from sensor_msgs.msg import Image, PointCloud2

from hybrid_seg_ros.ros.qos import keep_last


def main(target: str) -> None:
    """Listen to planner and image topics of a node until killed."""
    rclpy.init(args=[])
    node = rclpy.create_node("fault_listener")

    def ignore(message: Any) -> None:  # noqa: ANN401  # any message
        del message

    for kind, topic in ((PointCloud2, "obstacles"), (Image, "obstacle_mask"), (Image, "overlay")):
        node.create_subscription(kind, f"{target}/{topic}", ignore, keep_last("reliable", 10))
    rclpy.spin(node)


if __name__ == "__main__":
    main(sys.argv[1])
