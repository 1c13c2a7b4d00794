"""One camera's way into the node: its subscriptions, and what is known about its input."""

import threading
import time
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from rclpy.node import Node
from rclpy.subscription import Subscription
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from hybrid_seg_ros.frames.camera_info import CameraInfoError, camera_model
from hybrid_seg_ros.frames.frame import Frame
from hybrid_seg_ros.monitor.input_state import InputMonitor, InputReport
from hybrid_seg_ros.monitor.stamps import NANOSECONDS, StampOrder, StampVerdict
from hybrid_seg_ros.monitor.throttle import Throttle
from hybrid_seg_ros.ros.arrivals import Sighting
from hybrid_seg_ros.ros.bridge import frame_from_compressed, frame_from_image, stamp_to_ns
from hybrid_seg_ros.ros.qos import keep_last
from hybrid_seg_ros.ros.schema import Settings
from hybrid_seg_ros.ros.silence import image_topic

ImageMessage: TypeAlias = Image | CompressedImage
"""What a camera sends."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """An image message.

    Attributes:
        message: itself.
        at_s: when it arrived, monotonic seconds.
        sighting: what its camera's monitors found then.
    """

    message: ImageMessage
    at_s: float
    sighting: Sighting = field(default_factory=Sighting)


class CameraChannel:
    """Subscribes to one camera while the node is active and judges what arrives.

    The callbacks run in the executor's thread, `frame` and `refuse` in the worker's: a lock guards the monitor.

    Args:
        node: subscribes, logs, resolves names.
        name: the camera's name, "" for the only one.
        settings: gives the settings of this moment.
        offer: called with every image whose stamp allows it to be used.
    """

    def __init__(
        self, node: Node, name: str, settings: Callable[[], Settings], offer: Callable[[str, Arrival], None]
    ) -> None:
        self.name = name
        prefix = f"{name}/" if name else ""
        start = settings()
        self.base_topic = node.resolve_topic_name(f"{prefix}image")
        self.topic = image_topic(self.base_topic, start.image_transport)
        self.info_topic = node.resolve_topic_name(f"{prefix}camera_info")
        self._node = node
        self._settings = settings
        self._offer = offer
        self._monitor = InputMonitor(start.stale_after_s, StampOrder(start.stamp_restart_s))
        self._lock = threading.Lock()
        self._throttle = Throttle(start.log_throttle_s)
        self._infos: deque[CameraInfo] = deque(maxlen=8)
        self._subscriptions: list[Subscription] = []

    def open(self) -> None:
        """Subscribe; the input is waiting from now on."""
        settings = self._settings()
        qos = keep_last(settings.input_reliability, settings.input_depth)
        with self._lock:
            self._monitor.watch(time.monotonic())
            self._infos.clear()
        self._throttle.clear()
        kind = CompressedImage if settings.image_transport == "compressed" else Image
        self._subscriptions = [
            self._node.create_subscription(CameraInfo, self.info_topic, self._on_info, qos),
            self._node.create_subscription(kind, self.topic, self._on_image, qos),
        ]

    @property
    def listening(self) -> bool:
        """Whether it is open."""
        return bool(self._subscriptions)

    def close(self) -> None:
        """Unsubscribe."""
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        self._subscriptions.clear()

    def frame(self, message: ImageMessage, raw: Collection[str] = ()) -> tuple[Frame, CameraInfo | None]:
        """The message's image, ready for the detector, and the CameraInfo that fits it.

        Args:
            message: what the camera sent.
            raw: encodings the detector takes as they lie in the message.

        Raises:
            ImageFormatError: says what is wrong with the image.
        """
        frame = (
            frame_from_compressed(message) if isinstance(message, CompressedImage) else frame_from_image(message, raw)
        )
        with self._lock:
            changed = self._monitor.used(frame.size)
        if changed:
            self._node.get_logger().info(f"{self.topic}: the image size is now {frame.size[0]}x{frame.size[1]}")
        info = self._matching_info(message)
        if info is None:
            return frame, None
        try:
            return replace(frame, camera=camera_model(info, frame.size)), info
        except CameraInfoError as error:
            self._warn("camera_info", f"{self.info_topic}: {error}; it is not used")
            return frame, None

    def refuse(self, kind: str, problem: str) -> None:
        """Count and (throttled) log a message that could not be used."""
        with self._lock:
            self._monitor.refuse(kind, problem, time.monotonic())
        self._warn(kind, f"{self.topic}: {problem}; the image is not used")

    def report(self) -> InputReport:
        """The input's state now."""
        with self._lock:
            self._monitor.stale_after_s = self._settings().stale_after_s
            return self._monitor.report(time.monotonic())

    def _matching_info(self, message: ImageMessage) -> CameraInfo | None:
        """The CameraInfo with the image's stamp, else the newest: intrinsics rarely change, stamps often differ."""
        with self._lock:
            infos = list(self._infos)
        same = (info for info in reversed(infos) if info.header.stamp == message.header.stamp)
        return next(same, infos[-1] if infos else None)

    def _on_info(self, message: CameraInfo) -> None:
        with self._lock:
            self._infos.append(message)

    def _on_image(self, message: ImageMessage) -> None:
        now, stamp = time.monotonic(), stamp_to_ns(message.header)
        with self._lock:
            last = self._monitor.stamps.last
            verdict = self._monitor.arrived(stamp, now)
        if verdict is StampVerdict.REPEATED:
            hint = " (a driver that stamps nothing)" if stamp == 0 else " (a frozen or doubled publisher)"
            self.refuse("repeated_stamp", f"stamp {seconds(stamp)} came before{hint}, expected increasing stamps")
        elif verdict is StampVerdict.BACKWARDS:
            self.refuse(
                "backward_stamp",
                f"stamp {seconds(stamp)} lies before {seconds(last or 0)} of the image before it, expected increasing "
                "stamps (two cameras on one topic?)",
            )
        else:
            if verdict is StampVerdict.RESTARTED:
                self._warn(
                    "restart",
                    f"{self.topic}: stamps went back from {seconds(last or 0)} to {seconds(stamp)}: a new timeline "
                    "(a bag that loops, a clock that was set); starting over",
                )
            self._offer(self.name, Arrival(message, now))

    def _warn(self, kind: str, text: str) -> None:
        self._throttle.period_s = self._settings().log_throttle_s
        if self._throttle.ready(kind, time.monotonic()):
            self._node.get_logger().warning(text)


def seconds(stamp: int) -> str:
    """A stamp in ns as exact seconds, "12.000000345"."""
    return f"{stamp // NANOSECONDS}.{stamp % NANOSECONDS:09d}"
