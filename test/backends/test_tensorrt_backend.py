"""TensorRT from bundle to maps: the real steps over a TensorRT and a GPU of host memory."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from support import fake_pycuda, fake_tensorrt
from support.fake_pycuda import FakeGpu
from support.half_bundles import make_half_bundle
from support.host_kernels import needs_compiler

from hybrid_seg_ros.backends import BackendError, BackendOptions, create
from hybrid_seg_ros.backends.device import DeviceBackend
from hybrid_seg_ros.bundle import Bundle
from hybrid_seg_ros.detector import open_detector
from hybrid_seg_ros.detector.restarts import RestartPolicy
from hybrid_seg_ros.frames import Frame

pytestmark = needs_compiler
FRAME = Frame(np.kron(np.random.default_rng(1).integers(0, 256, (20, 25, 3)), np.ones((8, 8, 1))).astype(np.uint8))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return make_half_bundle(tmp_path_factory.mktemp("bundles") / "half")


class Machine:
    def __init__(self, monkeypatch: pytest.MonkeyPatch, version: str, cache: Path) -> None:
        self.gpu = FakeGpu()
        fake_pycuda.install(monkeypatch, self.gpu)
        self.faults = fake_tensorrt.install(monkeypatch, version)
        self.faults.schedule = lambda stream, work: self.gpu.streams[stream].add(work)
        self.said: list[str] = []
        self.options = BackendOptions(engine_cache=cache, on_progress=self.said.append)
        monkeypatch.setattr("hybrid_seg_ros.backends.select.cuda_devices", lambda: (1, ""))


@pytest.fixture(params=fake_tensorrt.VERSIONS)
def machine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Machine]:
    made = Machine(monkeypatch, request.param, tmp_path / "engines")
    yield made
    assert (made.gpu.used, made.gpu.pinned, made.gpu.contexts) == (0, 0, 0)


def test_auto_takes_it_and_gives_what_the_cpu_gives(machine: Machine, bundle: Bundle) -> None:
    with open_detector(bundle, "auto", options=machine.options) as detector:
        info = detector.info
        assert (info.name, info.precision, info.degraded) == ("tensorrt", "fp16", "")
        assert float(info.details["golden labels equal"].rstrip("%")) >= 99.5
        found = [detector(FRAME) for _ in range(3)][-1]
    with open_detector(bundle, "onnxruntime") as host:
        wanted = host(FRAME)
    assert wanted.score is not None
    assert found.score is not None
    assert np.mean(found.labels == wanted.labels) > 0.99
    assert np.abs(found.score - wanted.score).mean() < 0.05 * wanted.score.std()


def test_the_second_start_builds_nothing(machine: Machine, bundle: Bundle) -> None:
    for reason in ("there is none yet", "no, found in the cache"):
        backend = create("tensorrt", bundle, options=machine.options)
        assert reason in backend.describe().details["engine built"]
        backend.close()
    assert machine.faults.builds == 1


def test_another_size_is_compared_with_the_cpu(machine: Machine, bundle: Bundle) -> None:
    backend = create("tensorrt", bundle, (64, 64), machine.options)
    assert isinstance(backend, DeviceBackend)
    assert backend.input_size == (64, 64)
    assert "golden labels equal" in backend.describe().details
    backend.close()


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"no_plan": True}, "OutOfMemory"),
        ({"not_loadable": True}, "cannot"),
        ({"no_context": True}, "device memory"),
        ({"bad_address": True}, "device address"),
        ({"run_fails": True}, "the run failed"),
        ({"parser_errors": ("node 3: unsupported",)}, "node 3: unsupported"),
    ],
)
def test_what_goes_wrong_is_said_nothing_stays_and_auto_goes_on(
    machine: Machine, bundle: Bundle, fault: dict[str, object], message: str
) -> None:
    for name, value in fault.items():
        setattr(machine.faults, name, value)
    with pytest.raises(BackendError, match=message):
        create("tensorrt", bundle, options=machine.options)
    assert (machine.gpu.used, machine.gpu.contexts) == (0, 0)
    with open_detector(bundle, "auto", options=machine.options) as detector:
        assert detector.info.device == "cpu"
        assert message in detector.info.degraded
        assert detector(FRAME).labels is not None


def test_a_run_that_fails_later_is_survived(machine: Machine, bundle: Bundle) -> None:
    policy = RestartPolicy(attempts=1, first_wait_s=0.0)
    with open_detector(bundle, "tensorrt", options=machine.options, restart=policy) as detector:
        machine.faults.run_fails = True
        for _ in range(2):
            with pytest.raises(BackendError, match="the run failed"):
                detector(FRAME)
        assert detector(FRAME).labels is not None
        assert detector.info.device == "cpu"
        assert "given up" in detector.info.degraded
