"""`hybrid_seg_node`: the node as a process."""

import argparse
import os
import sys
import threading
from collections.abc import Sequence

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.signals import SignalHandlerOptions
from rclpy.utilities import remove_ros_args

from hybrid_seg_ros.frames.buffers import keep_buffers
from hybrid_seg_ros.ros.log_bridge import forward_logging
from hybrid_seg_ros.ros.node import HybridSegNode
from hybrid_seg_ros.ros.perception import JOIN_TIMEOUT_S
from hybrid_seg_ros.ros.stop_signals import StopSignals

TOO_MANY_FAILURES = 10


class Spinner:
    """Runs the executor in a thread of its own until told to stop; a crash of it is remembered and told."""

    def __init__(self, node: HybridSegNode, signals: StopSignals, autostart: bool) -> None:
        self._node = node
        self._signals = signals
        self._autostart = autostart
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(node)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hybrid_seg_spin")
        self._failed_in_a_row = 0
        self.error: BaseException | None = None

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread after the callback it runs; the executor is destroyed only then.

        Raises:
            RuntimeError: the callback takes too long, as loading a network may.
        """
        self._stop.set()
        self._executor.create_task(lambda: None)  # spin_once ends with work only; `wake` alone is none
        self._thread.join(JOIN_TIMEOUT_S)
        if self._thread.is_alive():
            raise RuntimeError("ending in the middle of a transition that takes long")
        self._executor.shutdown()

    def _run(self) -> None:
        try:
            if self._autostart and self._node.trigger_configure() == TransitionCallbackReturn.SUCCESS:
                self._node.trigger_activate()
            while not self._stop.is_set():
                self._spin_once()
        except BaseException as error:
            self.error = error
            self._signals.wake()

    def _spin_once(self) -> None:
        """One callback; its exception is told and survived, unless it is one of too many in a row."""
        try:
            self._executor.spin_once()
            self._failed_in_a_row = 0
        except Exception as error:
            self._failed_in_a_row += 1
            if self._failed_in_a_row >= TOO_MANY_FAILURES:
                raise
            self._node.get_logger().error(f"a callback failed: {type(error).__name__}: {error}")


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the node until SIGINT or SIGTERM.

    A signal ends the process cleanly also while the network runs: what it computes is discarded, threads are
    joined. A second signal, a second later, ends it at once.

    Returns:
        0 after a signal, 1 after an error of its own, 2 for wrong arguments.
    """
    keep_buffers()
    argv = list(sys.argv if arguments is None else ["hybrid_seg_node", *arguments])
    try:
        options = _parser().parse_args(remove_ros_args(argv)[1:])
        signals = StopSignals()
        rclpy.init(args=argv, signal_handler_options=SignalHandlerOptions.NO)
        node = HybridSegNode()
    except Exception as error:
        print(f"hybrid_seg_node: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    forward_logging(node.get_logger())
    spinner = Spinner(node, signals, options.autostart)
    spinner.start()
    signals.wait()
    signals.end_process_on_next()
    code = _shut_down(node, spinner)
    signals.ignore()
    return code


def _shut_down(node: HybridSegNode, spinner: Spinner) -> int:
    try:
        node.cancel()
        spinner.stop()
        node.release()
    except RuntimeError as error:
        node.get_logger().fatal(str(error))
        sys.stderr.flush()
        os._exit(1)  # a thread that hangs would hang the interpreter's exit, too
    if spinner.error is not None:
        node.get_logger().fatal(f"the node ends: {type(spinner.error).__name__}: {spinner.error}")
    node.destroy_node()
    rclpy.shutdown()
    return 0 if spinner.error is None else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hybrid_seg_node",
        description="Open-set road segmentation as a ROS 2 lifecycle node.",
        epilog="ROS arguments follow --ros-args: --ros-args --params-file detector.yaml -r image:=/camera/image_raw",
    )
    parser.add_argument(
        "--autostart", action="store_true", help="configure and activate at once, where nothing else does it"
    )
    return parser
