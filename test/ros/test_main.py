"""The spinning thread survives a callback that fails, and gives up on one that always does."""

import threading
from collections.abc import Callable, Iterator
from typing import cast

import pytest

pytest.importorskip("rclpy")

import rclpy
from support.ros_graph import TIMEOUT_S

from hybrid_seg_ros.ros.node import HybridSegNode
from hybrid_seg_ros.ros.process import Spinner
from hybrid_seg_ros.ros.stop_signals import StopSignals


class Wake:
    """In place of StopSignals, which would take over the signals of the test run."""

    def __init__(self) -> None:
        self.woken = threading.Event()

    def wake(self) -> None:
        self.woken.set()


@pytest.fixture
def node(domain: int) -> Iterator[HybridSegNode]:
    rclpy.init(domain_id=domain, signal_handler_options=rclpy.signals.SignalHandlerOptions.NO)
    made = HybridSegNode()
    yield made
    made.destroy_node()
    rclpy.shutdown()


def spinning(node: HybridSegNode, wake: Wake, callback: Callable[[], None]) -> Spinner:
    spinner = Spinner(node, cast(StopSignals, wake), autostart=False)
    node.create_timer(0.0001, callback)
    spinner.start()
    return spinner


def test_a_callback_that_fails_is_told_and_survived(node: HybridSegNode, capfd: pytest.CaptureFixture[str]) -> None:
    calls: list[int] = []
    enough = threading.Event()

    def sometimes() -> None:
        calls.append(1)
        if len(calls) > 50:
            enough.set()
        if len(calls) % 5:
            raise ValueError("a timer's own trouble")

    wake = Wake()
    spinner = spinning(node, wake, sometimes)
    assert enough.wait(TIMEOUT_S)
    spinner.stop()
    assert spinner.error is None
    assert not wake.woken.is_set()
    assert "a callback failed: ValueError: a timer's own trouble" in capfd.readouterr().err


def test_ends_at_once_when_nothing_happens(node: HybridSegNode) -> None:
    node.destroy_timer(node._timer)  # the diagnostics come once a minute where a user wants it so
    spinner = Spinner(node, cast(StopSignals, Wake()), autostart=False)
    idle = threading.Event()
    node.executor.create_task(idle.set)
    spinner.start()
    assert idle.wait(TIMEOUT_S)
    spinner.stop()


def test_a_callback_that_always_fails_ends_the_node(node: HybridSegNode) -> None:
    def never() -> None:
        raise ValueError("always")

    wake = Wake()
    spinner = spinning(node, wake, never)
    assert wake.woken.wait(TIMEOUT_S)
    spinner.stop()
    assert isinstance(spinner.error, ValueError)
