"""`~/obstacles_merged`: the confirmed obstacle points of all cameras in one cloud."""

import threading
from collections.abc import Sequence

from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile
from sensor_msgs.msg import PointCloud2
from std_msgs.msg import Header

from hybrid_seg_ros.obstacles.cloud import Points
from hybrid_seg_ros.obstacles.merge import CloudMerger, MergedCloud, MergeOptions
from hybrid_seg_ros.ros.obstacle_messages import cloud_message


class MergedOutput:
    """Publishes what the merger gives, while somebody listens; for any thread.

    A result is added by the worker's thread and may complete a cloud; a camera that is late is noticed by `poll`,
    which a timer calls.

    Args:
        node: publishes.
        cameras: names of all cameras.
        options: when results belong together.
        qos: of the topic.
        frame_id: frame of the points.
    """

    def __init__(
        self, node: Node, cameras: Sequence[str], options: MergeOptions, qos: QoSProfile, frame_id: str
    ) -> None:
        self._node = node
        self._frame_id = frame_id
        self._merger = CloudMerger(cameras, options)
        self._lock = threading.Lock()
        self._publisher: Publisher | None = node.create_publisher(PointCloud2, "~/obstacles_merged", qos)
        self.published = 0
        """Clouds published."""
        self.missing: tuple[str, ...] = ()
        """Cameras that were not in the last cloud published."""

    def heard(self) -> bool:
        """Whether somebody listens."""
        with self._lock:
            return self._publisher is not None and self._publisher.get_subscription_count() > 0

    def add(self, camera: str, stamp_ns: int, points: Points, now_s: float) -> None:
        """A camera's result; arguments as those of `CloudMerger.add`."""
        with self._lock:
            self._publish(self._merger.add(camera, stamp_ns, points, now_s))

    def poll(self, now_s: float) -> None:
        """Publish without the cameras that are late; `now_s` steady time, s."""
        with self._lock:
            self._publish(self._merger.poll(now_s))

    def forget(self, camera: str) -> None:
        """The camera is not to be believed: what it said and is not published yet is dropped, and not waited for."""
        with self._lock:
            self._merger.forget(camera)

    def assert_alive(self) -> None:
        """Renew the lease that the QoS may offer."""
        with self._lock:
            if self._publisher is not None:
                self._publisher.assert_liveliness()

    def close(self) -> None:
        """Destroy the publisher."""
        with self._lock:
            publisher, self._publisher = self._publisher, None
        if publisher is not None:
            self._node.destroy_publisher(publisher)

    def _publish(self, cloud: MergedCloud | None) -> None:
        if cloud is None or self._publisher is None or self._publisher.get_subscription_count() == 0:
            return
        header = Header(frame_id=self._frame_id)
        header.stamp.sec, header.stamp.nanosec = divmod(cloud.stamp_ns, 1_000_000_000)
        self.published, self.missing = self.published + 1, cloud.missing
        self._publisher.publish(cloud_message(cloud.points, header))
