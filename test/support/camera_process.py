"""A camera in a process of its own: `python -m support.camera_process WIDTH HEIGHT COUNT`.

Publishes bgr8 images on `image`, best effort, the next one when the mask of the last has come or two seconds
have passed; prints how many were answered.
"""

import sys
import time

import numpy as np
import rclpy
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image
from support.ros_graph import RELIABLE, TIMEOUT_S, image_message


def main(width: int, height: int, count: int) -> None:
    rclpy.init()
    node = rclpy.create_node("camera")
    answered: set[int] = set()
    node.create_subscription(
        Image, "/hybrid_seg/obstacle_mask", lambda mask: answered.add(mask.header.stamp.sec), RELIABLE
    )
    images = node.create_publisher(Image, "image", QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT))
    picture = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)

    def send(stamp: int, patience_s: float) -> None:
        images.publish(image_message(np.roll(picture, stamp, axis=0), stamp * 10**9))  # a still one would be a fault
        deadline = time.monotonic() + patience_s
        while stamp not in answered and time.monotonic() < deadline:
            rclpy.spin_once(node, timeout_sec=0.05)

    deadline = time.monotonic() + TIMEOUT_S
    stamp = 0
    while not answered and time.monotonic() < deadline:  # discovery
        stamp += 1
        send(stamp, 0.5)
    answered.clear()
    for later in range(stamp + 1, stamp + 1 + count):
        send(later, 2.0)
    print(f"{len(answered)} of {count} answered")
    node.destroy_node()
    rclpy.shutdown()


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
