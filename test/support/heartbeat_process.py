"""A node that beats: `python -m support.heartbeat_process PERIOD_S`.

A line on stdin ends the beats, not the process.
"""

import sys
import threading

import rclpy
from diagnostic_msgs.msg import DiagnosticStatus

from hybrid_seg_ros.ros.liveliness import Heartbeat


def main(period_s: float) -> None:
    rclpy.init()
    node = rclpy.create_node("hybrid_seg")
    heartbeat = Heartbeat(node, period_s)
    hang = threading.Event()

    def listen() -> None:
        sys.stdin.readline()
        hang.set()

    threading.Thread(target=listen, daemon=True).start()
    while not hang.wait(period_s):
        heartbeat.beat(DiagnosticStatus.WARN, "front: image.dark", {"front": "image.dark"})
    hang.clear()
    hang.wait()


if __name__ == "__main__":
    main(float(sys.argv[1]))
