"""Everything around the node in a test of faults: simulated time, cameras, and a listener."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rosgraph_msgs.msg import Clock

from hybrid_seg_ros.ros.trials.fault_camera import FaultCamera
from hybrid_seg_ros.ros.trials.fault_watch import OBSTACLES, Beat, Result, Watch

_START_NS = 1_700_000_000_000_000_000
_CLOCK_PERIOD_S = 0.02
_KNOWN_S = 0.5


class Rig:
    """A node of its own beside the node under test; made, `start`ed, `close`d.

    All waiting is spinning: `wait` runs the callbacks of the listener.

    Args:
        target: full name of the node under test.
        cameras: their names, ("",) for the only one.
        rate_hz: of each.
        seed: of pictures and noise.
        compressed: JPEG instead of raw images.
        on_result: called with every result.
        on_beat: called with every beat.
        domain: ROS domain; None is that of the environment.
    """

    def __init__(
        self,
        target: str,
        cameras: tuple[str, ...],
        rate_hz: float,
        on_result: Callable[[Result], None],
        on_beat: Callable[[Beat], None],
        *,
        seed: int = 1,
        compressed: bool = False,
        domain: int | None = None,
    ) -> None:
        self._domain = domain
        self._context = Context()
        rclpy.init(context=self._context, domain_id=domain)
        self.node = rclpy.create_node("fault_rig", context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self._ahead_ns = _START_NS - time.monotonic_ns()
        self._clock = self.node.create_publisher(Clock, "/clock", 10)
        self._stopping = threading.Event()
        self._ticker = threading.Thread(target=self._tick, name="fault_clock", daemon=True)
        self.cameras = {
            name: FaultCamera(self.node, name, self.now_ns, rate_hz, seed=seed + index, compressed=compressed)
            for index, name in enumerate(cameras)
        }
        self.watch = Watch(self.node, target, cameras, on_result, on_beat)

    def now_ns(self) -> int:
        """Simulated time."""
        return time.monotonic_ns() + self._ahead_ns

    def set_clock(self, seconds: float) -> None:
        """Set simulated time ahead, or back where negative."""
        self._ahead_ns += round(seconds * 1e9)

    def start(self, timeout_s: float) -> None:
        """Send once the node listens.

        Raises:
            TimeoutError: it does not.
        """
        self._ticker.start()
        cameras = self.cameras.values()
        self.wait(lambda: all(camera.connected for camera in cameras), timeout_s, "the node listens to every camera")
        for camera in cameras:
            camera.start()

    def wait(self, condition: Callable[[], bool], timeout_s: float, what: str) -> None:
        """Spin until it is so.

        Raises:
            TimeoutError: it never was.
        """
        deadline = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError(f"not within {timeout_s:.1f} s: {what}")
            self._executor.spin_once(timeout_sec=0.02)

    def spin(self, seconds: float) -> None:
        """Spin for a time."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0.0:
            self._executor.spin_once(timeout_sec=min(left, 0.02))

    @contextmanager
    def listener(self, prefix: str, patience_s: float = 20.0) -> Iterator[subprocess.Popen[bytes]]:
        """Somebody else who listens to the results under a prefix, from when he is known until he is killed.

        Raises:
            TimeoutError: he did not come up.
        """
        topic = f"{prefix}/{OBSTACLES}"
        already = self.node.count_subscribers(topic)
        environment = dict(os.environ)
        if self._domain is not None:
            environment["ROS_DOMAIN_ID"] = str(self._domain)
        process = subprocess.Popen(
            [sys.executable, "-m", "hybrid_seg_ros.ros.trials.fault_listener", prefix], env=environment
        )
        try:
            self.wait(lambda: self.node.count_subscribers(topic) > already, patience_s, "another listener is there")
            self.spin(_KNOWN_S)
            yield process
        finally:
            process.kill()
            process.wait()

    def close(self) -> None:
        """End everything."""
        self._stopping.set()
        for camera in self.cameras.values():
            camera.stop()
        if self._ticker.ident is not None:
            self._ticker.join()
        self._executor.shutdown()
        self.node.destroy_node()
        rclpy.shutdown(context=self._context)

    def _tick(self) -> None:
        while not self._stopping.wait(_CLOCK_PERIOD_S):
            message = Clock()
            message.clock.sec, message.clock.nanosec = divmod(self.now_ns(), 1_000_000_000)
            self._clock.publish(message)
