"""What the monitors of one camera say together, and for how long."""

import time

import numpy as np
import pytest

pytest.importorskip("rclpy")

from hybrid_seg_ros.backends import BackendError
from hybrid_seg_ros.bundle import Bundle
from hybrid_seg_ros.detector import InvalidOutputError, Outputs, open_detector
from hybrid_seg_ros.frames import Frame
from hybrid_seg_ros.monitor.camera_health import CameraVerdict
from hybrid_seg_ros.monitor.input_state import InputMonitor
from hybrid_seg_ros.monitor.states import HealthState
from hybrid_seg_ros.ros.camera_monitors import CameraMonitors
from hybrid_seg_ros.ros.schema import Settings


def verdict(monitors: CameraMonitors) -> CameraVerdict:
    """Of a camera whose images come and are good."""
    now = time.monotonic()
    camera = InputMonitor(stale_after_s=1.0)
    camera.watch(now)
    camera.arrived(1, now)
    camera.used((64, 48))
    return monitors.verdict(camera.report(now), Settings(), now)


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (BackendError("no"), HealthState.NETWORK_FAILED),
        (InvalidOutputError("NaN"), HealthState.OUTPUT_NAN),
    ],
)
def test_one_failure_between_two_beats_is_in_the_second_one(
    tiny_bundle: Bundle, error: Exception, state: HealthState
) -> None:
    """The image after it is answered before anybody looks: that ends the state, but it must have been told."""
    monitors = CameraMonitors(Settings(), None)
    beat_s = time.monotonic()
    monitors.failed(error)
    assert verdict(monitors).states == {state}
    image = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    with open_detector(tiny_bundle, "fake") as detector:
        monitors.result(detector(Frame(image), Outputs.SCORE), ground_unknown=False, now_s=time.monotonic())
    now = verdict(monitors)
    assert now.states == set(), "results go on at once"
    told = monitors.since(now, beat_s)
    assert told.states == {state}
    assert told.headline.startswith(f"{state.value}: ")
    assert monitors.since(now, time.monotonic()) == now
    monitors.reset()
    assert monitors.since(now, beat_s) == now
