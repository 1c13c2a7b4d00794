"""The node's health: every monitor's states together, what is done about them, and the heartbeat that tells."""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from rclpy.node import Node

from hybrid_seg_ros.backends.base import BackendInfo
from hybrid_seg_ros.monitor.camera_health import CameraVerdict
from hybrid_seg_ros.monitor.clock import SIMULATED_RATES, SYSTEM_RATES, ClockMonitor
from hybrid_seg_ros.monitor.parity import ParityMonitor
from hybrid_seg_ros.monitor.reaction import Decision, Reaction, Reactions, parse_reactions
from hybrid_seg_ros.monitor.states import HealthState, headline, names, worst_level
from hybrid_seg_ros.monitor.watchdog import BusyLimits, Watchdog
from hybrid_seg_ros.ros.camera import CameraChannel
from hybrid_seg_ros.ros.camera_monitors import INPUT_STATES, CameraMonitors
from hybrid_seg_ros.ros.liveliness import MISSED_BEATS, Heartbeat
from hybrid_seg_ros.ros.schema import Settings

PARITY_FAILURES = 2
_CLOCK_OFF = 1e9


@dataclass(frozen=True, slots=True)
class WatchedCamera:
    """What is asked about one camera."""

    channel: CameraChannel
    monitors: CameraMonitors


@dataclass(frozen=True, slots=True)
class HealthReport:
    """The node at one moment.

    Attributes:
        node: the node's own states.
        cameras: by camera; empty while the node is not active.
        decision: what is done about it.
    """

    node: frozenset[HealthState]
    cameras: Mapping[str, CameraVerdict] = field(default_factory=dict)
    decision: Decision = field(default_factory=lambda: Decision(Reaction.KEEP, {}, {}))

    @property
    def states(self) -> frozenset[HealthState]:
        """All of them."""
        return self.node.union(*(verdict.states for verdict in self.cameras.values()))


class NodeHealth:
    """Made by configure, listens between `open` and `close`; the heartbeat and the watchdog run all the time.

    Args:
        node: its clock, its log, its topics.
        settings: gives the settings of this moment.
        cameras: by name.
        busy_for: seconds that the worker's present image has taken.
        backend: tells what runs.
        beat: called in the watchdog's thread with each report, after the heartbeat.
    """

    def __init__(
        self,
        node: Node,
        settings: Callable[[], Settings],
        cameras: Mapping[str, WatchedCamera],
        busy_for: Callable[[], float],
        backend: Callable[[], BackendInfo],
        beat: Callable[[HealthReport], None],
    ) -> None:
        start = settings()
        self._node, self._settings, self._cameras, self._backend, self._then = node, settings, cameras, backend, beat
        self._policy = parse_reactions(start.reactions)
        self._reactions = Reactions(self._policy, start.deactivate_after_s)
        self.parity = ParityMonitor(start.parity_period_s, PARITY_FAILURES, time.monotonic())
        simulated = bool(node.get_parameter("use_sim_time").value)
        self._clock = ClockMonitor(start.clock_jump_s or _CLOCK_OFF, SIMULATED_RATES if simulated else SYSTEM_RATES)
        self._lock = threading.Lock()
        self._open = False
        self._heartbeat = Heartbeat(node, start.heartbeat_period_s)
        self._beats_s = deque([time.monotonic()], maxlen=MISSED_BEATS)  # what failed is in so many: one may be lost
        self._watchdog = Watchdog(
            busy_for, self._limits, self._changed, self._beat, self._failed,
            check_period_s=start.heartbeat_period_s, beat_period_s=start.heartbeat_period_s,
        )  # fmt: skip
        self._watchdog.start()

    def open(self) -> None:
        """The node is active from now on; what was known before is forgotten."""
        self._reactions.reset()
        for camera in self._cameras.values():
            camera.monitors.reset()
        self._open = True

    def close(self) -> None:
        """The node is not active any more."""
        self._open = False

    def release(self) -> None:
        """End the watchdog and its heartbeat."""
        self._watchdog.stop(2.0)
        self._heartbeat.close()

    def reaction(self, camera: str) -> Reaction:
        """What is to be done with a result of this camera that is ready now.

        The states of messages newer than the result's image are left out: they say nothing about it.
        """
        report = self.report()
        if report.decision.cameras.get(camera, Reaction.DEACTIVATE) is Reaction.DEACTIVATE:
            return Reaction.DEACTIVATE
        states = report.node | (report.cameras[camera].states - INPUT_STATES)
        return min(self._policy.strongest(states), Reaction.SILENT)

    def report(self) -> HealthReport:
        """The states now and what is done about them."""
        now, settings = time.monotonic(), self._settings()
        node = self._node_states(now)
        if not self._open:
            return HealthReport(node | {HealthState.NODE_INACTIVE})
        verdicts = {
            name: camera.monitors.verdict(camera.channel.report(), settings, now)
            for name, camera in self._cameras.items()
        }
        states = {name: verdict.states for name, verdict in verdicts.items()}
        return HealthReport(node, verdicts, self._reactions.decide(node, states, now))

    def told(self, since_s: float) -> HealthReport:
        """The report for who heard the last one at `since_s` (monotonic seconds): with all that failed since."""
        report = self.report()
        cameras = {name: self._cameras[name].monitors.since(own, since_s) for name, own in report.cameras.items()}
        return replace(report, cameras=cameras)

    def _node_states(self, now: float) -> frozenset[HealthState]:
        info = self._backend()
        with self._lock:
            clock = self._clock.state(now)
        found = {self._watchdog.state, self.parity.state, clock}
        if info.down:
            found.add(HealthState.GPU_LOST)
        elif info.degraded:
            found.add(HealthState.NETWORK_DEGRADED)
        return frozenset(found - {HealthState.OK})

    def _limits(self) -> BusyLimits:
        settings = self._settings()
        return BusyLimits(late_s=settings.network_late_s, hung_s=settings.network_hung_s)

    def _changed(self, state: HealthState, busy_s: float) -> None:
        log = self._node.get_logger()
        if state is HealthState.NETWORK_HUNG:
            log.error(f"{state.value}: the network has run for {busy_s:.1f} s on one image and does not return")
        elif state is HealthState.NETWORK_LATE and busy_s <= self._settings().network_late_s:
            log.warning(f"{state.value}: the network came back, and is late until it has been in time for a while")
        elif state is HealthState.NETWORK_LATE:
            log.warning(f"{state.value}: the network has taken {busy_s:.2f} s on one image")
        else:
            log.info("the network is in time again")

    def _beat(self) -> None:
        with self._lock:
            jump = self._clock.update(self._node.get_clock().now().nanoseconds, time.monotonic())
        if jump is not None:
            self._node.get_logger().warning(
                f"{HealthState.CLOCK_JUMP.value}: this node's clock jumped by {jump.seconds:+.3f} s"
            )
        since_s = self._beats_s[0]
        self._beats_s.append(time.monotonic())
        report = self.told(since_s)
        states = report.states
        values = {"node": names(report.node)}
        for name, verdict in report.cameras.items():
            values[f"camera {name or 'image'}"] = names(verdict.states)
            values[f"camera {name or 'image'} is"] = verdict.phase.value
            values[f"reaction {name or 'image'}"] = report.decision.cameras[name].word
        self._heartbeat.beat(bytes([worst_level(states)]), headline(states), values)
        self._then(report)

    def _failed(self, error: Exception) -> None:
        self._node.get_logger().error(f"the watchdog met {type(error).__name__}: {error}")
