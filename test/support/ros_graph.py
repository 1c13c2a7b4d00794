"""The node as a process, and a peer that talks to it over DDS, on a ROS domain of their own."""

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.srv import SetParameters
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image

REPOSITORY = Path(__file__).resolve().parents[2]
TIMEOUT_S = 60.0
# DDS drops the answer to a first request without a word when the node has not matched the client's reader yet,
# which happens on a busy machine; after this time it counts as lost.
LOST_S = 10.0

RELIABLE = QoSProfile(depth=50, reliability=ReliabilityPolicy.RELIABLE)
LATCHED = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL)

TRANSITIONS = {
    "configure": Transition.TRANSITION_CONFIGURE,
    "activate": Transition.TRANSITION_ACTIVATE,
    "deactivate": Transition.TRANSITION_DEACTIVATE,
    "cleanup": Transition.TRANSITION_CLEANUP,
}
GOALS = {"configure": "inactive", "activate": "active", "deactivate": "inactive", "cleanup": "unconfigured"}


class LateError(AssertionError):
    """Something awaited did not happen."""


class NodeProcess:
    """`hybrid_seg_node` in a process of its own; everything it says is kept."""

    def __init__(self, domain: int, log_dir: Path, arguments: Sequence[str] = (), **environment: str) -> None:
        env = {
            **os.environ,
            "ROS_DOMAIN_ID": str(domain),
            "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
            "ROS_LOG_DIR": str(log_dir),
            "PYTHONPATH": str(REPOSITORY),
            "PYTHONUNBUFFERED": "1",
            **environment,
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "hybrid_seg_ros.ros.main", *arguments],
            env=env,
            cwd=log_dir,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.log: list[str] = []
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def text(self) -> str:
        """Everything said so far."""
        while True:
            try:
                line = self._lines.get_nowait()
            except queue.Empty:
                return "".join(self.log)
            if line is not None:
                self.log.append(line)

    def wait_for_log(self, part: str, timeout_s: float = TIMEOUT_S) -> str:
        """The first line, said already or still to come, that contains `part`."""
        deadline = time.monotonic() + timeout_s
        seen = 0
        while True:
            for line in self.log[seen:]:
                if part in line:
                    return line
            seen = len(self.log)
            try:
                line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                line = None
            if line is None:
                raise AssertionError(f"the node did not say {part!r}:\n{''.join(self.log)}")
            self.log.append(line)

    def end(self, number: int = signal.SIGINT, timeout_s: float = TIMEOUT_S) -> int:
        """Send the signal and give the exit code."""
        if self.alive:
            self.process.send_signal(number)
        try:
            code = self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError(f"the node did not end after signal {number}:\n{self.text()}") from None
        self._reader.join(5)
        return code

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put(None)


class Peer:
    """A node of the test's own; all waiting is spinning until something is true."""

    def __init__(self, domain: int | None, target: str = "/hybrid_seg") -> None:
        self.target = target
        self.context = Context()
        rclpy.init(context=self.context, domain_id=domain)
        self.node = rclpy.create_node("peer", context=self.context)
        self._executor = SingleThreadedExecutor(context=self.context)
        self._executor.add_node(self.node)
        self._clients: dict[str, Any] = {}
        self._collections: list[Collection] = []
        self.diagnostics: list[DiagnosticArray] = []
        self.node.create_subscription(DiagnosticArray, "/diagnostics", self.diagnostics.append, RELIABLE)

    def close(self) -> None:
        self._executor.shutdown()
        self.node.destroy_node()
        rclpy.shutdown(context=self.context)

    def wait(self, condition: Callable[[], Any], what: str, timeout_s: float = TIMEOUT_S) -> Any:
        """Spin until the condition gives something true, and return that."""
        deadline = time.monotonic() + timeout_s
        while not (found := condition()):
            if time.monotonic() > deadline:
                raise LateError(f"not within {timeout_s:.0f} s: {what}")
            self._executor.spin_once(timeout_sec=0.05)
        return found

    def spin_for(self, seconds: float) -> None:
        """Spin for a time, to see that something does not happen."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self._executor.spin_once(timeout_sec=0.02)

    def call(self, kind: Any, name: str, request: Any) -> Any:
        """The answer of a service of the target node; asked again when it is lost."""
        for _ in range(int(TIMEOUT_S / LOST_S)):
            try:
                return self.call_once(kind, name, request, LOST_S)
            except LateError as lost:
                late = lost
        raise late

    def call_once(self, kind: Any, name: str, request: Any, timeout_s: float) -> Any:
        """The answer to one request."""
        if name not in self._clients:
            self._clients[name] = self.node.create_client(kind, f"{self.target}/{name}")
            self.wait(self._clients[name].service_is_ready, f"service {name}")
        future = self._clients[name].call_async(request)
        self.wait(future.done, f"answer of {name}", timeout_s)
        return future.result()

    def change(self, transition: str) -> bool:
        """Request a lifecycle transition; whether it succeeded."""
        request = ChangeState.Request()
        request.transition.id = TRANSITIONS[transition]
        try:
            return bool(self.call_once(ChangeState, "change_state", request, 2 * LOST_S).success)
        except LateError:
            return self.state() == GOALS[transition]

    def state(self) -> str:
        return str(self.call(GetState, "get_state", GetState.Request()).current_state.label)

    def set_parameter(self, name: str, value: Any) -> Any:
        """The SetParametersResult."""
        request = SetParameters.Request(parameters=[Parameter(name, value=value).to_parameter_msg()])
        return self.call(SetParameters, "set_parameters", request).results[0]

    def collect(self, kind: Any, topic: str, qos: QoSProfile = RELIABLE) -> "Collection":
        """Subscribe, and keep what comes."""
        self._collections.append(Collection(self, kind, topic, qos))
        return self._collections[-1]

    def forget(self) -> None:
        """Unsubscribe from everything collected."""
        while self._collections:
            self._collections.pop().close()

    def publisher(self, kind: Any, topic: str, qos: QoSProfile = RELIABLE) -> Any:
        """A publisher; wait for its subscriber with `wait_for_subscriber`."""
        return self.node.create_publisher(kind, topic, qos)

    def wait_for_subscriber(self, publisher: Any) -> None:
        self.wait(lambda: publisher.get_subscription_count() > 0, f"a subscriber of {publisher.topic_name}")

    def wait_for_status(
        self, name: str, condition: Callable[[DiagnosticStatus, dict[str, str]], bool], what: str
    ) -> tuple[DiagnosticStatus, dict[str, str]]:
        """The first status from now on whose name ends with `name` and that meets the condition."""
        self.diagnostics.clear()
        last: DiagnosticStatus | None = None

        def found() -> Any:
            nonlocal last
            while self.diagnostics:
                for status in self.diagnostics.pop(0).status:
                    values = {pair.key: pair.value for pair in status.values}
                    if status.name.endswith(name):
                        last = status
                        if condition(status, values):
                            return status, values
            return None

        try:
            status, values = self.wait(found, f"status {name}: {what}")
        except LateError as error:
            raise LateError(f"{error}; the last one: {last}") from error
        return status, values


class Collection:
    """The messages of one topic."""

    def __init__(self, peer: Peer, kind: Any, topic: str, qos: QoSProfile) -> None:
        self.messages: list[Any] = []
        self._peer = peer
        self._topic = topic
        self._subscription = peer.node.create_subscription(kind, topic, self.messages.append, qos)

    def wait(self, count: int = 1) -> list[Any]:
        """At least `count` messages."""
        self._peer.wait(lambda: len(self.messages) >= count, f"{count} messages on {self._topic}")
        return self.messages

    def close(self) -> None:
        self._peer.node.destroy_subscription(self._subscription)


def image_message(
    image: np.ndarray[Any, Any], stamp_ns: int, frame_id: str = "camera", encoding: str = "bgr8"
) -> Image:
    """uint8[H, W, C] as a message."""
    message = Image(height=image.shape[0], width=image.shape[1], encoding=encoding, step=image.strides[0])
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp_ns, 1_000_000_000)
    message.header.frame_id = frame_id
    message.data.frombytes(image.tobytes())
    return message


def camera_info_message(width: int, height: int, stamp_ns: int = 0) -> CameraInfo:
    """A calibrated camera."""
    info = CameraInfo(width=width, height=height, distortion_model="plumb_bob", d=[0.1, 0.0, 0.0, 0.0, 0.0])
    info.header.stamp.sec, info.header.stamp.nanosec = divmod(stamp_ns, 1_000_000_000)
    info.k = [100.0, 0.0, width / 2, 0.0, 100.0, height / 2, 0.0, 0.0, 1.0]
    info.p = [100.0, 0.0, width / 2, 0.0, 0.0, 100.0, height / 2, 0.0, 0.0, 0.0, 1.0, 0.0]
    return info


@contextmanager
def running_node(
    domain: int, log_dir: Path, arguments: Sequence[str] = (), **environment: str
) -> Iterator[NodeProcess]:
    """A node process that is ended whatever happens."""
    process = NodeProcess(domain, log_dir, arguments, **environment)
    try:
        yield process
    finally:
        if process.alive:
            process.end()
