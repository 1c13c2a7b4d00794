"""Publishing a recording as its raw CDR bytes, paced by its own log times."""

import time
from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from typing import Any

from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from hybrid_seg_ros.bags.cdr import header_stamp_ns
from hybrid_seg_ros.bags.reader import BagReader, RawMessage
from hybrid_seg_ros.bags.topics import CAMERA_INFO, COMPRESSED, IMAGE, Topic
from hybrid_seg_ros.ros.qos import keep_last

_TYPES: Mapping[str, Any] = {IMAGE: Image, COMPRESSED: CompressedImage, CAMERA_INFO: CameraInfo}
# How often /clock moves while no message is due, s of the recording's time.
_CLOCK_STEP_S = 0.02


class Player:
    """Publishes one camera of a recording.

    Args:
        node: the node to publish from.
        bag: the open recording.
        image: its image topic.
        info: its CameraInfo topic, if there is one.
        rate: speed relative to the recording.
        clock: whether to publish /clock.
    """

    def __init__(
        self, node: Node, bag: BagReader, image: Topic, info: Topic | None, *, rate: float = 1.0, clock: bool = True
    ) -> None:
        if rate <= 0:
            raise ValueError(f"rate must be positive, found {rate}")
        self._bag = bag
        self._image = image
        self._topics = [t for t in (info, image) if t is not None]
        self._rate = rate
        self._publishers = {
            t.name: node.create_publisher(_TYPES[t.type], t.name, _qos(node, t.name)) for t in self._topics
        }
        self._clock = node.create_publisher(Clock, "/clock", 10) if clock else None

    @property
    def subscribers(self) -> int:
        """How many subscriptions the image has."""
        return int(self._publishers[self._image.name].get_subscription_count())

    def play(self, on_image: Callable[[int], None]) -> list[float]:
        """Play the recording once.

        Args:
            on_image: called with the stamp, ns, right before an image is published.

        Returns:
            How late each image went out against its log time, ms: what this machine could not hold.
        """
        late_ms: list[float] = []
        start_wall = time.monotonic()
        start_log: int | None = None
        now_log = 0
        for log_time, messages in self._moments():
            if start_log is None:
                start_log = now_log = log_time
            now_log = self._sleep_until(start_wall, start_log, now_log, log_time)
            for raw in messages:
                if raw.topic is self._image:
                    due = start_wall + (log_time - start_log) / 1e9 / self._rate
                    late_ms.append(max(time.monotonic() - due, 0.0) * 1e3)
                    on_image(header_stamp_ns(raw.data))
                self._publishers[raw.topic.name].publish(bytes(raw.data))
        return late_ms

    def _moments(self) -> Iterator[tuple[int, list[RawMessage]]]:
        """Messages of equal log time together, the CameraInfo before its image, as drivers mean it."""
        for log_time, group in groupby(self._bag.raw(*self._topics), key=lambda raw: raw.log_time_ns):
            yield log_time, sorted(group, key=lambda raw: raw.topic is self._image)

    def _sleep_until(self, start_wall: float, start_log: int, now_log: int, log_time: int) -> int:
        """Sleep to a log time while /clock moves on in steps; the clock is there before the message."""
        step = int(_CLOCK_STEP_S * 1e9)
        while now_log + step < log_time:
            now_log += step
            self._tick(start_wall, start_log, now_log)
        self._tick(start_wall, start_log, log_time)
        return log_time

    def _tick(self, start_wall: float, start_log: int, log_time: int) -> None:
        due = start_wall + (log_time - start_log) / 1e9 / self._rate
        time.sleep(max(due - time.monotonic(), 0.0))
        if self._clock is not None:
            message = Clock()
            message.clock.sec, message.clock.nanosec = divmod(log_time, 1_000_000_000)
            self._clock.publish(message)


def _qos(node: Node, topic: str) -> QoSProfile:
    """Best effort, newest only, as camera drivers publish; reliable where a subscriber insists."""
    wanted = node.get_subscriptions_info_by_topic(topic)
    reliable = any(info.qos_profile.reliability == ReliabilityPolicy.RELIABLE for info in wanted)
    return keep_last("reliable", 10) if reliable else keep_last("best_effort", 1)
