"""Recording a node's outputs as raw CDR bytes, and how long each took."""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeAlias

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import String

from hybrid_seg_ros.bags.answers import Answer
from hybrid_seg_ros.bags.cdr import header_stamp_ns
from hybrid_seg_ros.bags.messages import STRING
from hybrid_seg_ros.bags.results import CAMERA, LABELS
from hybrid_seg_ros.bags.topics import CAMERA_INFO, IMAGE, BagError
from hybrid_seg_ros.bags.writer import BagWriter, DiskFullError
from hybrid_seg_ros.ros.qos import LATCHED, keep_last

RawCallback: TypeAlias = Callable[[bytes], None]

DIAGNOSTICS = "/diagnostics"
_DIAGNOSTICS_TYPE = "diagnostic_msgs/msg/DiagnosticArray"


class Recorder:
    """Subscribes to a node's outputs, writes them, and measures each image from `sent` to its outputs.

    Args:
        node: the node to subscribe from.
        target: full name of the node that publishes.
        outputs: image outputs to record, relative to the target ("semantic", ...).
        timed: the output whose arrival ends the latency.
        bag: where to write; None only measures.
        start_ns: log time of what comes before the first image, ns.
    """

    def __init__(
        self, node: Node, target: str, outputs: Sequence[str], timed: str, bag: BagWriter | None, *, start_ns: int
    ) -> None:
        if timed not in outputs:
            raise ValueError(f"latency is taken at {timed!r}, which is not recorded: {list(outputs)}")
        self._bag = bag
        self._timed = f"{target}/{timed}"
        self._lock = threading.Lock()
        self._sent: dict[int, int] = {}
        self._frames: list[tuple[int, int, int | None]] = []  # stamp, sent, arrived, ns
        self._latest_stamp = start_ns
        self.latencies_ms: list[float] = []
        self.unmatched = 0
        self.problems: list[str] = []
        self.reports = 0
        self.received: dict[str, int] = {f"{target}/{output}": 0 for output in outputs}
        self.diagnostics: dict[str, tuple[int, str, dict[str, str]]] = {}
        self._queue: queue.SimpleQueue[tuple[str, str, int, bytes] | None] = queue.SimpleQueue()
        self._error: Exception | None = None
        self._writer = threading.Thread(target=self._write, name="recorder", daemon=True)
        self._writer.start()
        for topic in self.received:
            self._subscribe(node, topic, Image, self._output_callback(topic))
        if bag is not None:
            self._subscribe(node, f"{target}/{CAMERA}", CameraInfo, self._keep(f"{target}/{CAMERA}", CAMERA_INFO))
            labels = f"{target}/{LABELS}"
            bag.add_topic(labels, STRING, latched=True)
            node.create_subscription(String, labels, self._keep(labels, STRING), LATCHED, raw=True)
        self._subscribe(node, DIAGNOSTICS, DiagnosticArray, self._on_diagnostics)

    def sent(self, stamp_ns: int) -> None:
        """An image with this stamp goes out now."""
        with self._lock:
            self._latest_stamp = stamp_ns
            self._sent[stamp_ns] = len(self._frames)
            self._frames.append((stamp_ns, time.monotonic_ns(), None))

    def unanswered(self) -> int:
        """Images sent whose timed output has not come."""
        with self._lock:
            return len(self._sent)

    def answers(self) -> list[Answer]:
        """What became of every image sent, in the order of sending."""
        with self._lock:
            frames = list(self._frames)
        start = frames[0][1] if frames else 0
        return [
            Answer(stamp, "dropped", (sent - start) / 1e9, None)
            if arrived is None
            else Answer(stamp, "answered", (sent - start) / 1e9, (arrived - start) / 1e9)
            for stamp, sent, arrived in frames
        ]

    def finish(self) -> None:
        """Write what is queued; the subscriptions must be silent by now. A full disk is a problem, no error.

        Raises:
            BagError: the recording could not be written, or not to its end.
        """
        self._queue.put(None)
        self._writer.join()
        if isinstance(self._error, DiskFullError):
            self.problems.append(str(self._error))
        elif self._error is not None:
            raise BagError(f"cannot write the recording: {self._error}") from self._error

    def _output_callback(self, topic: str) -> RawCallback:
        def receive(data: bytes) -> None:
            now = time.monotonic_ns()
            stamp = header_stamp_ns(data)
            self.received[topic] += 1
            if topic == self._timed:
                with self._lock:
                    index = self._sent.pop(stamp, None)
                    if index is None:
                        self.unmatched += 1
                    else:
                        sent = self._frames[index][1]
                        self._frames[index] = (stamp, sent, now)
                        self.latencies_ms.append((now - sent) / 1e6)
            self._enqueue(topic, IMAGE, stamp, data)

        return receive

    def _keep(self, topic: str, type_name: str) -> RawCallback:
        return lambda data: self._enqueue(topic, type_name, self._latest_stamp, data)

    def _on_diagnostics(self, data: bytes) -> None:
        for status in deserialize_message(data, DiagnosticArray).status:
            level = status.level[0] if isinstance(status.level, bytes) else int(status.level)
            self.diagnostics[status.name] = (level, status.message, {v.key: v.value for v in status.values})
        self.reports += 1
        self._enqueue(DIAGNOSTICS, _DIAGNOSTICS_TYPE, self._latest_stamp, data)

    def _enqueue(self, topic: str, type_name: str, log_time_ns: int, data: bytes) -> None:
        if self._bag is not None:
            self._queue.put((topic, type_name, log_time_ns, data))

    def _write(self) -> None:
        while (item := self._queue.get()) is not None:
            topic, type_name, log_time_ns, data = item
            if self._bag is None:
                continue
            try:
                self._bag.write(topic, type_name, log_time_ns, data)
            except Exception as error:  # a full disk; what still comes must not pile up
                self._error, self._bag = error, None

    def _subscribe(self, node: Node, topic: str, kind: type, callback: RawCallback) -> None:
        node.create_subscription(kind, topic, callback, offered_qos(node, topic), raw=True)


def offered_qos(node: Node, topic: str) -> QoSProfile:
    """A subscription that matches whatever the topic's publishers offer."""
    offers = [info.qos_profile for info in node.get_publishers_info_by_topic(topic)]
    reliable = bool(offers) and all(o.reliability == ReliabilityPolicy.RELIABLE for o in offers)
    return keep_last("reliable" if reliable else "best_effort", 10)
