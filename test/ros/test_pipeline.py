"""The golden image between two frames on a device, and what is compared when another backend took over."""

import time
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy")

from sensor_msgs.msg import Image
from support.ros_graph import image_message

from hybrid_seg_ros.backends.base import BackendError, BackendInfo
from hybrid_seg_ros.backends.fake import FakeBackend
from hybrid_seg_ros.bundle import Bundle
from hybrid_seg_ros.detector import Detector, Outputs
from hybrid_seg_ros.frames import Frame
from hybrid_seg_ros.monitor.parity import ParityMonitor
from hybrid_seg_ros.monitor.states import HealthState
from hybrid_seg_ros.ros.camera import Arrival
from hybrid_seg_ros.ros.camera_monitors import CameraMonitors
from hybrid_seg_ros.ros.parity_check import ParityCheck
from hybrid_seg_ros.ros.pipeline import CameraStatistics, Pipeline
from hybrid_seg_ros.ros.schema import Settings


class Changing(FakeBackend):
    """A network whose results move away, under a name that may change."""

    name, offset = "one", 0.0

    def infer(self, image: Any) -> Any:
        found = super().infer(image)
        return replace(found, posterior=found.posterior * np.float32(1.0 + self.offset))

    def describe(self) -> BackendInfo:
        return BackendInfo(self.name, "none", "fp32")


def test_a_backend_is_compared_with_its_own_first_answer(tiny_bundle: Bundle) -> None:
    backend = Changing(tiny_bundle.manifest)
    with Detector(tiny_bundle, backend) as detector:
        check = ParityCheck(detector)
        assert check() == ""
        assert check() == ""
        backend.offset = 1.0
        assert "drifted" in check()
        backend.name = "another"
        assert check() == "", "the first answer of the backend that took over"
        assert check() == ""
        backend.offset = 0.0
        assert "drifted" in check()


class TwoAtATime:
    """A detector on a device: the first frame fails when it is asked for, the golden image is fine."""

    depth, raw_encodings = 2, ()

    def __init__(self, bundle: Bundle) -> None:
        self._real = Detector(bundle, FakeBackend(bundle.manifest))
        self.bundle, self.info, self.begun = bundle, BackendInfo("device", "none", "fp32"), 0

    def __call__(self, frame: Frame, outputs: Outputs) -> Any:
        return self._real(frame, outputs)

    def begin(self, frame: Frame, outputs: Outputs) -> Any:
        self.begun += 1
        if self.begun > 1:
            return self._real.begin(frame, outputs)

        def fail() -> None:
            raise BackendError("told to fail")

        return SimpleNamespace(result=fail)


def test_a_frame_that_fails_before_the_golden_image_is_of_its_own_camera(tiny_bundle: Bundle) -> None:
    quiet = SimpleNamespace(error=lambda text: None, warning=lambda text: None)
    clock = SimpleNamespace(now=lambda: SimpleNamespace(nanoseconds=time.time_ns()))
    node: Any = SimpleNamespace(get_logger=lambda: quiet, get_clock=lambda: clock)
    settings = Settings(cameras=("front", "left"))
    failed: dict[str, list[str]] = {"front": [], "left": []}

    def camera(name: str) -> Any:
        frame = Frame(np.zeros((96, 128, 3), np.uint8), 1, name)
        monitors = CameraMonitors(settings, None)
        return SimpleNamespace(
            channel=SimpleNamespace(topic=name, frame=lambda message, raw: (frame, None)),
            outputs=SimpleNamespace(wanted=lambda: Outputs.MASK, shows_obstacles=lambda: False),
            obstacles=SimpleNamespace(wanted=lambda mask, merged: Outputs(0)),
            monitors=SimpleNamespace(
                image=lambda *given: None,
                wanted=lambda now_s: Outputs(0),
                failed=lambda error: (failed[name].append(str(error)), monitors.failed(error)),
            ),
            statistics=CameraStatistics(),
        )

    @contextmanager
    def committing(epoch: int) -> Any:
        yield True

    health: Any = SimpleNamespace(parity=ParityMonitor(1e-9, 2, time.monotonic()))
    merged: Any = SimpleNamespace(heard=lambda: False)
    cameras = {name: camera(name) for name in failed}
    detector: Any = TwoAtATime(tiny_bundle)
    pipeline = Pipeline(node, detector, cameras, lambda: settings, committing, health, merged)
    message: Image = image_message(np.zeros((96, 128, 3), np.uint8), time.time_ns())

    assert pipeline.process("front", Arrival(message, time.monotonic()), 0) is not None
    assert pipeline.process("left", Arrival(message, time.monotonic()), 0) is not None, "its turn is not lost"
    assert failed == {"front": ["told to fail"], "left": []}
    assert (cameras["front"].statistics.failed, cameras["left"].statistics.failed) == (1, 0)
    assert health.parity.state is HealthState.OK
    assert detector.begun == 2
