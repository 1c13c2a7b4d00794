import json
import sys
from pathlib import Path

import pytest
from support.fake_pycuda import FakeGpu
from support.fake_pycuda import install as install_gpu
from support.fake_tensorrt import Faults, install
from support.half_bundles import make_half_bundle
from support.host_kernels import needs_compiler

from hybrid_seg_ros.bundle import Bundle
from hybrid_seg_ros.cli.main import main


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return make_half_bundle(tmp_path / "tiny")


def test_says_what_was_built_and_that_it_is_found_again(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    faults = install(monkeypatch)
    assert main(["build-engine", str(bundle.path), "--build-only"]) == 0
    first = capsys.readouterr().out
    assert main(["build-engine", str(bundle.path), "--build-only"]) == 0
    second = capsys.readouterr().out
    assert faults.builds == 1
    assert f"engine   {bundle.path / 'fp16.128x96.engine'}" in first
    assert "yes: there is none yet" in first
    assert "no, the cached one fits" in second
    assert "input    image half[1, 3, 96, 128]" in first
    assert "GPU      Orin, compute capability 8.7, CUDA 12.6 540.4.0" in first


def test_the_options_reach_the_build_and_json_tells_all(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    install(monkeypatch)
    command = [
        "build-engine",
        str(bundle.path),
        "--build-only",
        "--json",
        "--layers",
        "--precision",
        "fp32",
        "--size",
        "96x64",
    ]
    command += ["--workspace-mb", "64", "--cache-dir", str(tmp_path / "cache")]
    assert main(command) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["engine"] == str(tmp_path / "cache" / "fp32.96x64.engine")
    assert told["bytes"] == Path(told["engine"]).stat().st_size
    wanted = {"precision": "fp32", "input_size": [96, 64], "workspace_mb": 64, "half_io": True}
    assert told["identity"]["options"] == wanted
    assert [row["kind"] for row in told["layers"]] == ["Conv", "Relu", "Conv", "Conv"]
    assert main([*command, "--force"]) == 0
    assert json.loads(capsys.readouterr().out)["built_because"] == ["asked for"]


def test_progress_goes_to_stderr_and_layers_to_stdout(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    install(monkeypatch, faults=Faults(slow_s=0.3))
    monkeypatch.setattr("hybrid_seg_ros.backends.tensorrt.progress.INTERVAL_S", 0.05)
    assert main(["build-engine", str(bundle.path), "--build-only", "--layers"]) == 0
    printed = capsys.readouterr()
    assert "hybrid-seg build-engine: Building engine > Timing graph nodes, step " in printed.err
    assert "sm80_Conv" in printed.out


def test_without_a_gpu_the_exact_reason_is_one_line(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reason = "no NVIDIA driver (libcuda.so.1: cannot open shared object file)"
    monkeypatch.setattr("hybrid_seg_ros.backends.tensorrt.api.cuda_devices", lambda: (0, reason))
    assert main(["build-engine", str(bundle.path)]) == 2
    error = capsys.readouterr().err
    assert error.startswith(
        f"hybrid-seg build-engine: tensorrt: expected an NVIDIA GPU, found none: {reason}. To fix: "
    )
    assert error.count("\n") == 1


@needs_compiler
def test_then_the_golden_test_runs_on_the_gpu(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gpu, faults = FakeGpu(), install(monkeypatch)
    install_gpu(monkeypatch, gpu)
    faults.schedule = lambda stream, work: gpu.streams[stream].add(work)
    assert main(["build-engine", str(bundle.path)]) == 0
    assert "golden labels equal" in capsys.readouterr().out
    assert (gpu.used, gpu.contexts) == (0, 0)
    assert main(["build-engine", str(bundle.path), "--json"]) == 0
    assert "golden score drift" in json.loads(capsys.readouterr().out)["golden"]


def test_without_pycuda_only_building_is_left(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    install(monkeypatch)
    monkeypatch.setattr("hybrid_seg_ros.cuda.driver.cuda_devices", lambda: (1, ""))
    monkeypatch.setitem(sys.modules, "pycuda.driver", None)
    assert main(["build-engine", str(bundle.path)]) == 2
    assert "no pycuda" in capsys.readouterr().err
