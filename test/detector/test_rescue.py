"""What happens when a GPU fails in the middle of a drive."""

from collections.abc import Callable

import numpy as np
import pytest
from support.device_network import open_backend
from support.fake_pycuda import FakeGpu, install
from support.host_kernels import needs_compiler

from hybrid_seg_ros.backends import Backend, BackendError, BackendOptions, on_cpu
from hybrid_seg_ros.bundle import Bundle
from hybrid_seg_ros.detector import Detector
from hybrid_seg_ros.detector.rescue import Rescue
from hybrid_seg_ros.detector.restarts import RestartPolicy, Restarts
from hybrid_seg_ros.frames import Frame

pytestmark = needs_compiler
FRAME = Frame(np.random.default_rng(0).integers(0, 256, (96, 128, 3), dtype=np.uint8))


class Drive:
    """A detector on the fake GPU, and a clock that stands still."""

    def __init__(self, gpu: FakeGpu, bundle: Bundle, *, attempts: int = 2, fall_back: bool = True) -> None:
        self.gpu, self.now, self.opened = gpu, 100.0, 0
        self.reopen: Callable[[], Backend] = lambda: open_backend(gpu, bundle)

        def reopen() -> Backend:
            self.opened += 1
            return self.reopen()

        rescue = Rescue(
            Restarts(RestartPolicy(attempts=attempts, first_wait_s=1.0), lambda: self.now),
            reopen,
            (lambda why: on_cpu(bundle, None, BackendOptions(), why)) if fall_back else None,
        )
        self.detector = Detector(bundle, open_backend(gpu, bundle), rescue=rescue)

    def fail(self) -> None:
        self.gpu.faults["launch"] = 1
        with pytest.raises(BackendError, match="LaunchError"):
            self.detector(FRAME)


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> FakeGpu:
    made = FakeGpu()
    install(monkeypatch, made)
    return made


def test_everything_is_released_and_started_again_when_due(gpu: FakeGpu, tiny_bundle: Bundle) -> None:
    drive = Drive(gpu, tiny_bundle)
    before = drive.detector(FRAME)
    drive.fail()
    assert (gpu.used, gpu.pinned, gpu.contexts) == (0, 0, 0)
    assert "LaunchError" in drive.detector.info.degraded
    with pytest.raises(BackendError, match=r"failed: .*it is started again in 1.0 s"):
        drive.detector(FRAME)
    assert drive.opened == 0
    drive.now += 1.0
    after = drive.detector(FRAME)
    assert drive.opened == 1
    assert drive.detector.info.degraded == ""
    np.testing.assert_array_equal(after.labels, before.labels)
    drive.detector.close()
    assert gpu.contexts == 0


def test_after_the_attempts_the_cpu_goes_on_and_says_so(gpu: FakeGpu, tiny_bundle: Bundle) -> None:
    drive = Drive(gpu, tiny_bundle, attempts=2)
    assert drive.detector.depth == 2
    before = drive.detector(FRAME)
    for _ in range(3):
        drive.fail()
        drive.now += 10.0
    after = drive.detector(FRAME)
    info = drive.detector.info
    assert (info.name, info.device) == ("onnxruntime", "cpu")
    assert "given up" in info.degraded
    assert "LaunchError" in info.degraded
    assert drive.detector.depth == 1
    np.testing.assert_array_equal(after.labels, before.labels)
    assert (gpu.used, gpu.contexts) == (0, 0)
    drive.detector.close()


def test_without_a_fallback_it_is_tried_for_ever(gpu: FakeGpu, tiny_bundle: Bundle) -> None:
    drive = Drive(gpu, tiny_bundle, attempts=1, fall_back=False)
    drive.fail()
    gpu.memory = 1000
    for _ in range(4):
        drive.now += 100.0
        with pytest.raises(BackendError, match="out of memory"):
            drive.detector(FRAME)
        assert "could not be started again" in drive.detector.info.degraded
    gpu.memory = 1 << 30
    drive.now += 100.0
    assert drive.detector(FRAME).labels is not None
    drive.detector.close()


def test_the_frame_under_way_beside_the_failed_one_fails_without_a_second_restart(
    gpu: FakeGpu, tiny_bundle: Bundle
) -> None:
    drive = Drive(gpu, tiny_bundle)
    waiting = drive.detector.begin(FRAME)
    drive.fail()
    with pytest.raises(BackendError):
        waiting.result()
    drive.now += 1.0
    assert drive.detector(FRAME).labels is not None
    assert drive.opened == 1
    drive.detector.close()


def test_a_network_that_returns_nan_is_not_restarted(gpu: FakeGpu, tiny_bundle: Bundle) -> None:
    backend = open_backend(gpu, tiny_bundle)
    opened = []
    rescue = Rescue(Restarts(RestartPolicy(), lambda: 0.0), lambda: opened.append(1))  # type: ignore[arg-type, func-returns-value]
    with Detector(tiny_bundle, backend, rescue=rescue) as detector:
        backend.network.poison = float("nan")  # type: ignore[attr-defined]
        for _ in range(3):
            with pytest.raises(BackendError, match="NaN"):
                detector(FRAME)
        backend.network.poison = 0.0  # type: ignore[attr-defined]
        assert detector(FRAME).labels is not None
    assert not opened
