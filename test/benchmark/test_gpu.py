"""GPU scenarios: their refusals, and all their code over a GPU of host memory, whose times mean nothing."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from support.bench_gpu import BenchGpu, install
from support.bundles import make_bundle
from support.half_bundles import make_half_bundle
from support.host_kernels import needs_compiler

from hybrid_seg_ros.backends import BackendError, NetworkOutput
from hybrid_seg_ros.backends.golden import ALLOWED, compare_reduced
from hybrid_seg_ros.benchmark import gpu_eager, gpu_frame, gpu_kernels, gpu_library, gpu_soak
from hybrid_seg_ros.benchmark.catalog import SCENARIOS
from hybrid_seg_ros.benchmark.city_bundle import city_bundle
from hybrid_seg_ros.benchmark.gpu_floors import Work
from hybrid_seg_ros.benchmark.performance import page
from hybrid_seg_ros.benchmark.run import run_scenarios
from hybrid_seg_ros.benchmark.scenario import Context, Measured, NotMeasuredError, Scenario
from hybrid_seg_ros.bundle import Bundle, image_to_tensor

GPU_SCENARIOS = [scenario for scenario in SCENARIOS if scenario.name.startswith("gpu_")]
SMALL = (128, 96)


@pytest.fixture(scope="session")
def half_bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return make_half_bundle(tmp_path_factory.mktemp("bundles") / "half")


@pytest.fixture(params=[False, True], ids=["kernel by kernel", "graphs"])
def gpu(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> BenchGpu:
    made = BenchGpu(memory=1 << 28)
    install(monkeypatch, made, graphs=request.param)
    monkeypatch.setattr("hybrid_seg_ros.benchmark.gpu_timing._PLUG_BYTES", 4096)
    monkeypatch.setattr("hybrid_seg_ros.benchmark.gpu_timing._PLUG_S", 1e-6)
    monkeypatch.setattr("hybrid_seg_ros.benchmark.gpu_device._LARGEST_COPY", 4096)
    monkeypatch.setattr(gpu_kernels, "WORK", Work(SMALL, SMALL))
    monkeypatch.setattr(gpu_frame, "SIZE", SMALL)
    monkeypatch.setattr(gpu_eager, "SIZE", SMALL)
    return made


def context(bundle: Bundle, folder: Path) -> Context:
    return Context(bundle, folder, effort=0.01, progress=False)


def rendered(scenario: Scenario, measured: Measured) -> str:
    """What docs/performance.md says of a result, after a way through JSON."""
    result = {
        "scenario": scenario.name, "title": scenario.title, "target": scenario.target, "passed": measured.passed,
        "measured": measured.headline, "values": measured.values, "date": "2026-01-02", "effort": 0.01,
    }  # fmt: skip
    text = page({scenario.name: json.loads(json.dumps(result))})
    assert "No GPU has run" not in text
    assert f"### {scenario.name}: {scenario.title}" in text
    assert f"Measured: {measured.headline}. Met: {'yes' if measured.passed else '**no**'}." in text
    assert "2026-01-02" in text
    assert "at 0.01 of the full effort: for trying out only" in text
    return text


def test_without_a_gpu_every_scenario_says_so_and_the_run_goes_on(
    tmp_path: Path, tiny_bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hybrid_seg_ros.cuda.driver.cuda_devices", lambda: (0, "the driver sees no GPU"))
    said: list[str] = []
    assert len(GPU_SCENARIOS) == 4
    assert run_scenarios(GPU_SCENARIOS, tiny_bundle, tmp_path / "out", say=said.append) == []
    refusals = [line for line in said if "not measured" in line]
    assert len(refusals) == 4
    assert all("needs an NVIDIA GPU and pycuda: the driver sees no GPU. To fix:" in line for line in refusals)


def test_a_gpu_without_pycuda_is_told_from_no_gpu(
    tmp_path: Path, tiny_bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hybrid_seg_ros.cuda.driver.cuda_devices", lambda: (1, ""))
    monkeypatch.setitem(__import__("sys").modules, "pycuda.driver", None)
    with pytest.raises(NotMeasuredError, match=r"1 CUDA device\(s\), but no pycuda .*pip install pycuda"):
        gpu_kernels.measure(context(tiny_bundle, tmp_path))


@needs_compiler
def test_kernels(tmp_path: Path, half_bundle: Bundle, gpu: BenchGpu) -> None:
    found = gpu_kernels.measure(context(half_bundle, tmp_path))
    json.dumps(found.values)
    assert found.values["gpu"]["sms"] == 16
    assert found.values["pre"]["bytes"] == 128 * 96 * 9
    assert set(found.values["post"]) == set(gpu_kernels.OUTPUTS)
    assert found.values["pre"]["us"]["runs"] == 20
    assert found.values["without_network"]["classes"] == 19
    assert found.values["without_network"]["bytes"] == {"in": 128 * 96 * 3, "out": 128 * 96 * 2}
    assert "pre 250.0 + post 250.0 = 500.0 us" in found.headline  # what the fake's events say
    text = rendered(gpu_kernels.SCENARIO, found)
    assert "| pre-kernel | 250.0 | 250.0 | 12.5 | 0.1 |" in text
    assert "| page-locked | " in text
    assert not found.passed
    assert (gpu.used, gpu.pinned, gpu.contexts) == (0, 0, 0)


@needs_compiler
def test_frames(tmp_path: Path, half_bundle: Bundle, gpu: BenchGpu, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu_frame, "_CAMERAS", {"front": SMALL, "left": (160, 96)})
    monkeypatch.setattr(gpu_library, "CANDIDATES", {"none": _refuse, "host": gpu.open})
    found = gpu_frame.measure(context(half_bundle, tmp_path))
    values = json.loads(json.dumps(found.values))
    assert values["network_library"] == "host"
    assert values["not_taken"] == ["none: no such library"]
    assert values["classes"] == 19
    assert "network by host" in found.headline
    text = rendered(gpu_frame.SCENARIO, found)
    assert "On Orin (a fake one) (compute capability 8.7, 16 SMs), 2026-01-02, network by **host**" in text
    assert f"| kernel by kernel | {values['kernel_by_kernel']['latency_ms']['p50']} | " in text
    assert min(values["cameras"]["frames"].values()) > 0
    assert ("latency_ms" in values["graph"]) == (gpu.graph_launches > 0)
    assert values["hybrid_over_closed"]["device_cost"] == 0  # by the fake's clock
    assert (gpu.used, gpu.pinned, gpu.contexts) == (0, 0, 0)


@needs_compiler
def test_the_soak_sees_memory_that_stays(
    tmp_path: Path, half_bundle: Bundle, gpu: BenchGpu, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpu_soak, "_FRAMES", 6000)
    monkeypatch.setattr(gpu_soak, "_SETTLED", 24)
    monkeypatch.setattr(gpu_soak, "_EVERY", 12)
    monkeypatch.setattr(gpu_soak, "_SIZES", (SMALL, (64, 48), (160, 96)))
    monkeypatch.setattr(gpu_library, "CANDIDATES", {"host": gpu.open})
    found = gpu_soak.measure(context(half_bundle, tmp_path))
    assert found.passed
    assert found.values["frames"]["own_bytes"]["device"] > 0
    assert "| frames | 60 | 24 | +0 |" in rendered(gpu_soak.SCENARIO, found)

    def leaking(bundle: Bundle, size: Any) -> Any:
        gpu.blocks[len(gpu.blocks) + 1] = np.empty(100, np.uint8)
        return gpu.open(bundle, size)

    monkeypatch.setattr(gpu_library, "CANDIDATES", {"host": leaking})
    leaky = gpu_soak.measure(context(half_bundle, tmp_path))
    assert not leaky.passed
    assert leaky.values["cycles"]["growth_bytes"] == 300  # of the three cycles after the first five


def test_the_side_of_pytorch_that_cannot_start_is_said(tmp_path: Path, half_bundle: Bundle) -> None:
    with pytest.raises(NotMeasuredError, match=r"none: no such library; torch fp16: .*"):
        gpu_library.with_network("gpu_frame", lambda *_: {}, context(half_bundle, tmp_path))


@pytest.fixture(autouse=True)
def _nothing_but_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu_library, "CANDIDATES", {"none": _refuse})
    monkeypatch.setattr(gpu_library, "TORCH_MODULE", "hybrid_seg_train_is_not_here")


_STAND_IN = """
import json, sys, time
import numpy as np
mode = sys.argv[sys.argv.index("--mode") + 1]
print(json.dumps({"torch": "none"}), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    sys.stderr.write("compiling " * 20000)
    if mode == "compile max-autotune":
        time.sleep(60)
    if mode == "compile":
        sys.exit("no compiler")
    if request["save"]:
        np.save(request["save"], np.full(np.load(request["image"]).shape[:2], 255))
    print(json.dumps({"total_ms": 9e9}), flush=True)
"""


@needs_compiler
def test_against_pytorch(tmp_path: Path, half_bundle: Bundle, gpu: BenchGpu, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "stand_in.py").write_text(_STAND_IN)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(gpu_eager, "MODULE", "stand_in")
    monkeypatch.setattr(gpu_eager, "_MODES", {"eager": 60.0, "compile": 60.0, "compile max-autotune": 0.5})
    monkeypatch.setattr(gpu_library, "CANDIDATES", {"host": gpu.open})
    found = gpu_eager.measure(context(half_bundle, tmp_path))
    values = json.loads(json.dumps(found.values))
    assert values["torch"]["eager"]["ratio"] > 1000
    assert values["labels_agree"] == 0
    assert values["torch"]["compile"]["not measured"].startswith("stand_in ended: ")
    assert "no compiler" in values["torch"]["compile"]["not measured"]
    assert values["torch"]["compile max-autotune"]["not measured"] == "stand_in: no answer within 0.5 s"
    assert "against torch.compile not measured; network by host" in found.headline
    assert "| compile max-autotune | stand_in: no answer within 0.5 s |" in rendered(gpu_eager.SCENARIO, found)
    assert not found.passed
    assert (gpu.used, gpu.pinned, gpu.contexts) == (0, 0, 0)


def _refuse(bundle: Bundle, size: Any) -> Any:
    raise BackendError("no such library\nand more")


@pytest.mark.parametrize("closed", [False, True])
def test_added_classes_change_nothing_of_the_others(tmp_path: Path, half_bundle: Bundle, closed: bool) -> None:
    city = city_bundle(half_bundle, tmp_path, closed=closed)
    assert len(city.manifest.classes) == 19
    assert city.manifest.score.kind == ("energy" if closed else "hybrid")
    before, after = half_bundle.golden(), city.golden()
    np.testing.assert_allclose(after.logits[:11], before.logits, atol=1e-4)
    # A mixture of logits never exceeds the largest of them: labels stay what they were.
    np.testing.assert_array_equal(after.logits.argmax(axis=0), before.logits.argmax(axis=0))
    np.testing.assert_allclose(after.posterior, after.logits[:2] if closed else before.posterior, atol=1e-4)
    session = onnxruntime.InferenceSession(str(city.file("model.fp16.onnx")))
    logits, posterior = session.run(None, {"image": image_to_tensor(after.image, city.manifest.input)})
    compare_reduced(
        NetworkOutput(logits[0], posterior[0]), NetworkOutput(after.logits, after.posterior), "", ALLOWED["fp16"]
    )


def test_a_network_with_enough_classes_keeps_them(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "many", classes=23)
    city = city_bundle(bundle, tmp_path)
    np.testing.assert_allclose(city.golden().logits, bundle.golden().logits, atol=1e-4)
