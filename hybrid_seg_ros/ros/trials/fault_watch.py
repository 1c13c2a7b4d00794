"""What a listener sees of the node: its heartbeat, and every result that planners would act on."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from nav_msgs.msg import OccupancyGrid
from rclpy.node import Node
from sensor_msgs.msg import Image, LaserScan, PointCloud2

from hybrid_seg_ros.ros.bridge import stamp_to_ns
from hybrid_seg_ros.ros.qos import keep_last

OBSTACLES, MASK, GRID = "obstacles", "obstacle_mask", "occupancy"
IMAGES = frozenset({MASK})
"""Topics that go on where results are marked unknown: they are for people."""
_UNKNOWN = b"\xff"  # -1 as int8
_KINDS: dict[str, Any] = {OBSTACLES: PointCloud2, "obstacle_scan": LaserScan, GRID: OccupancyGrid, MASK: Image}
TOPICS = frozenset(_KINDS)


@dataclass(frozen=True, slots=True)
class Beat:
    """One message of the heartbeat.

    Attributes:
        at_s: when it came, monotonic seconds.
        values: its values by key.
    """

    at_s: float
    values: dict[str, str]

    def states(self, owner: str) -> frozenset[str]:
        """The names under "node", "camera front" ...; empty where it says nothing of that."""
        return frozenset(self.values.get(owner, "").split(", ")) - {"", "ok"}


@dataclass(frozen=True, slots=True)
class Result:
    """One message of the results.

    Attributes:
        topic: on which, without the node's name.
        camera: whose.
        stamp_ns: of the image.
        at_s: when it came, monotonic seconds.
        tells: whether it says anything; a grid of which nothing is known does not.
    """

    topic: str
    camera: str
    stamp_ns: int
    at_s: float
    tells: bool


class Watch:
    """Listens to one node.

    Args:
        node: subscribes.
        target: full name of the node that is watched.
        cameras: their names, "" for the only one.
        on_result: called with every result.
        on_beat: called with every beat.
    """

    def __init__(
        self,
        node: Node,
        target: str,
        cameras: tuple[str, ...],
        on_result: Callable[[Result], None],
        on_beat: Callable[[Beat], None],
    ) -> None:
        self._on_result, self._on_beat = on_result, on_beat
        self.diagnostics: dict[str, tuple[float, dict[str, str]]] = {}
        """The last status by its name's end ("node", "camera front"): when it came, and its values."""
        qos = keep_last("reliable", 100)
        for name in cameras:
            prefix = f"{target}/{name}/" if name else f"{target}/"
            for topic, kind in _KINDS.items():
                node.create_subscription(kind, prefix + topic, self._listener(topic, name), qos)
        node.create_subscription(DiagnosticStatus, f"{target}/heartbeat", self._beat, qos)
        node.create_subscription(DiagnosticArray, "/diagnostics", self._diagnosed, qos)

    def _listener(self, topic: str, camera: str) -> Callable[[Any], None]:
        def heard(message: Any) -> None:  # noqa: ANN401  # any message with a header
            tells = topic != GRID or bool(message.data.tobytes().strip(_UNKNOWN))
            self._on_result(Result(topic, camera, stamp_to_ns(message.header), time.monotonic(), tells))

        return heard

    def _beat(self, message: DiagnosticStatus) -> None:
        self._on_beat(Beat(time.monotonic(), {pair.key: pair.value for pair in message.values}))

    def _diagnosed(self, message: DiagnosticArray) -> None:
        for status in message.status:
            values = {pair.key: pair.value for pair in status.values}
            self.diagnostics[status.name.rpartition(": ")[2]] = time.monotonic(), values
