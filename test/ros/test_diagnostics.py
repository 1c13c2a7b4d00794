"""Level and message of an input in each of its states."""

import time

import numpy as np
import pytest

pytest.importorskip("rclpy")

import rclpy
from diagnostic_msgs.msg import DiagnosticStatus
from sensor_msgs.msg import Image
from support.ros_graph import TIMEOUT_S, image_message

from hybrid_seg_ros.monitor.input_state import InputReport, InputState
from hybrid_seg_ros.monitor.reaction import Reaction
from hybrid_seg_ros.ros.camera import CameraChannel
from hybrid_seg_ros.ros.camera_monitors import CameraMonitors
from hybrid_seg_ros.ros.camera_obstacles import CameraObstacles
from hybrid_seg_ros.ros.diagnostics import camera_status, judge_input
from hybrid_seg_ros.ros.outputs import CameraOutputs
from hybrid_seg_ros.ros.pipeline import Camera, CameraStatistics
from hybrid_seg_ros.ros.schema import Settings

OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR


def report(state: InputState, silent_s: float = 0.1, problem: str = "", problem_age_s: float = 1e9) -> InputReport:
    return InputReport(
        state=state,
        silent_s=silent_s,
        received=1,
        good=1,
        rejected={},
        problem=problem,
        problem_age_s=problem_age_s,
        size=(64, 48),
        size_changes=0,
        restarts=0,
        rate_hz=10.0,
    )


@pytest.mark.parametrize(
    ("found", "age_s", "level", "part"),
    [
        (report(InputState.OK), 0.05, OK, ""),
        (report(InputState.OK, problem="truncated", problem_age_s=2.0), 0.05, WARN, "truncated"),
        (report(InputState.OK, problem="truncated", problem_age_s=100.0), 0.05, OK, ""),
        (report(InputState.OK), 1e9, WARN, "use_sim_time"),
        (report(InputState.OK), -1e9, WARN, "/clock"),
        (report(InputState.OK), float("nan"), OK, ""),
        (report(InputState.BAD, problem="truncated", problem_age_s=0.0), 0.05, ERROR, "bad input: truncated"),
        (report(InputState.STALE, silent_s=3.0), 0.05, ERROR, "no image on /image for 3.0 s"),
        (report(InputState.WAITING, silent_s=3.0), 0.0, WARN, "waiting for the first image on /image"),
        (report(InputState.WAITING, silent_s=6.0), 0.0, ERROR, "for 6.0 s"),
    ],
)
def test_level_and_message(found: InputReport, age_s: float, level: bytes, part: str) -> None:
    given_level, message = judge_input(found, "/image", Settings(), age_s)
    assert given_level == level
    assert part in message
    assert bool(message) == (level != OK)


def test_nobody_listens_is_what_the_graph_says(domain: int) -> None:
    """Not what became of earlier images: a network that fails on all of them has listeners."""
    rclpy.init(domain_id=domain)
    node = rclpy.create_node("camera")
    settings = Settings(stale_after_s=TIMEOUT_S)
    channel = CameraChannel(node, "", lambda: settings, lambda name, arrival: None)
    monitors = CameraMonitors(settings, None)
    camera = Camera(
        channel,
        CameraOutputs(node, "", settings, []),
        CameraObstacles(node, "", settings, [], None),
        monitors,
        CameraStatistics(idle=3),
    )
    channel.open()
    images = node.create_publisher(Image, "image", 1)
    deadline = time.monotonic() + TIMEOUT_S
    while not channel.report().received and time.monotonic() < deadline:
        images.publish(image_message(np.zeros((4, 4, 3), np.uint8), time.time_ns()))
        rclpy.spin_once(node, timeout_sec=0.05)

    def message() -> str:
        verdict = monitors.verdict(channel.report(), settings, time.monotonic())
        return str(camera_status("image", camera, 0, settings, 0.0, verdict, Reaction.KEEP).message)

    assert message().endswith("Hz in, nobody listens")
    node.create_subscription(Image, "~/semantic", lambda _: None, 1)
    while not camera.heard and time.monotonic() < deadline:
        time.sleep(0.01)
    assert message().endswith("Hz in, 0.0 Hz out")
    node.destroy_node()
    rclpy.shutdown()
