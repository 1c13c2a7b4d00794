"""Signs of life: QoS by which a subscriber learns that results stopped, and a heartbeat that tells how the node is."""

import threading
from collections.abc import Mapping

from diagnostic_msgs.msg import DiagnosticStatus, KeyValue
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import LivelinessPolicy, QoSProfile

from hybrid_seg_ros.ros.qos import keep_last

MISSED_BEATS = 3
"""Periods without a beat after which a subscriber is told: one beat may be lost and one be late."""


def watched(qos: QoSProfile, deadline_s: float = 0.0, lease_s: float = 0.0) -> QoSProfile:
    """The profile, with promises that middleware watches for those who ask for them; nobody else is refused.

    Args:
        qos: changed and returned.
        deadline_s: a message at least this often while somebody listens; 0 promises nothing.
        lease_s: the publisher is asserted (by a message or `assert_liveliness`) at least this often, topic by topic:
            a process that lives but hangs is not alive. 0 leaves it to the process, as is usual.

    Raises:
        ValueError: a negative time.
    """
    if min(deadline_s, lease_s) < 0.0:
        raise ValueError(f"deadline is {deadline_s:g} s and lease {lease_s:g} s, expected 0 or more")
    if deadline_s:
        qos.deadline = Duration(seconds=deadline_s)
    if lease_s:
        qos.liveliness = LivelinessPolicy.MANUAL_BY_TOPIC
        qos.liveliness_lease_duration = Duration(seconds=lease_s)
    return qos


class Heartbeat:
    """Publishes `~/heartbeat`: a DiagnosticStatus in a steady rhythm, whatever the other threads do.

    `beat` is called by the watchdog's thread. It offers a deadline and a manual lease of `MISSED_BEATS` periods: who
    requests them is told that long after the last beat, be the process gone or its watchdog hanging.

    Args:
        node: publishes.
        period_s: between two beats, s.
    """

    def __init__(self, node: Node, period_s: float) -> None:
        if period_s <= 0.0:
            raise ValueError(f"heartbeat period is {period_s:g} s, expected > 0")
        self.period_s = period_s
        self._node = node
        self._beats = 0
        self._lock = threading.Lock()
        self._name = f"{node.get_fully_qualified_name().lstrip('/')}: heartbeat"
        promise_s = MISSED_BEATS * period_s
        qos = watched(keep_last("reliable", 1), deadline_s=promise_s, lease_s=promise_s)
        self._publisher: Publisher | None = node.create_publisher(DiagnosticStatus, "~/heartbeat", qos)

    def beat(self, level: bytes, message: str, values: Mapping[str, str]) -> None:
        """One beat; nothing after `close`.

        Args:
            level: the worst state's, `DiagnosticStatus.OK`, WARN or ERROR.
            message: headline for people.
            values: the states, by camera; "beat" counts the beats, so that a repeated message is seen to be one.
        """
        with self._lock:
            if self._publisher is None:
                return
            self._beats += 1
            pairs = [KeyValue(key=key, value=value) for key, value in {"beat": str(self._beats), **values}.items()]
            self._publisher.publish(DiagnosticStatus(name=self._name, level=level, message=message, values=pairs))

    def close(self) -> None:
        """Destroy the publisher; a beat under way ends first."""
        with self._lock:
            publisher, self._publisher = self._publisher, None
        if publisher is not None:
            self._node.destroy_publisher(publisher)
