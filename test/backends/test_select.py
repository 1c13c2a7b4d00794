import logging
import os
from pathlib import Path

import pytest

from hybrid_seg_ros.backends import BackendError, BackendOptions, cores, create, select, usable_cores
from hybrid_seg_ros.bundle import Bundle
from hybrid_seg_ros.cuda.probe import cuda_devices


def test_auto_says_what_it_took_and_why(tiny_bundle: Bundle, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "hybrid_seg_ros")
    info = create("auto", tiny_bundle).describe()
    assert info.name == "onnxruntime"
    if cuda_devices()[0] == 0:
        assert info.degraded.startswith("no GPU: ")
    assert info.degraded in caplog.text


def test_auto_keeps_to_a_provider_that_was_named(tiny_bundle: Bundle) -> None:
    info = create("auto", tiny_bundle, options=BackendOptions(provider="cpu")).describe()
    assert info.device == "cpu"


def test_tensorrt_is_refused_with_the_reason(tiny_bundle: Bundle) -> None:
    if cuda_devices()[0]:
        pytest.skip("there is a GPU")
    with pytest.raises(BackendError, match=r"tensorrt: no NVIDIA driver.+ To fix: .*choose backend onnxruntime"):
        create("tensorrt", tiny_bundle)


def test_auto_survives_a_gpu_whose_runtime_does_not_work(tiny_bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this ONNX Runtime has CUDA")
    monkeypatch.setattr(select, "cuda_devices", lambda: (1, ""))
    info = create("auto", tiny_bundle).describe()
    assert info.device == "cpu"
    assert "no TensorRT: " in info.degraded
    assert "no CUDA: onnxruntime backend: expected CUDAExecutionProvider" in info.degraded


def test_what_was_asked_for_is_not_degraded(tiny_bundle: Bundle) -> None:
    assert create("onnxruntime", tiny_bundle).describe().degraded == ""
    assert create("auto", tiny_bundle, options=BackendOptions(provider="cpu")).describe().degraded == ""


def test_unknown_backend(tiny_bundle: Bundle) -> None:
    with pytest.raises(BackendError, match="'openvino': expected one of auto, onnxruntime, tensorrt, fake"):
        create("openvino", tiny_bundle)


def test_the_probe_agrees_with_the_device_files() -> None:
    count, problem = cuda_devices()
    assert (count == 0) == bool(problem)
    if not Path("/dev/nvidiactl").exists():
        assert count == 0


def test_usable_cores(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert 1 <= usable_cores() <= (os.cpu_count() or 1)
    monkeypatch.setattr(cores, "_affinity", lambda: {0, 1, 2, 3})
    monkeypatch.setattr(cores, "_siblings", lambda cpu: f"{cpu % 2},{cpu % 2 + 2}")
    monkeypatch.setattr(cores, "_CGROUP_QUOTA", tmp_path / "none")
    assert usable_cores() == 2
    (tmp_path / "cpu.max").write_text("150000 100000\n")
    monkeypatch.setattr(cores, "_CGROUP_QUOTA", tmp_path / "cpu.max")
    assert usable_cores() == 1
    (tmp_path / "cpu.max").write_text("max 100000\n")
    assert usable_cores() == 2


@pytest.mark.parametrize("threads", [0, -1])
def test_no_threads(threads: int) -> None:
    with pytest.raises(ValueError, match=f"threads is {threads}, expected at least 1"):
        BackendOptions(threads=threads)
