import json
from pathlib import Path

import pytest

from hybrid_seg_ros.benchmark import hybrid_cost, soak_detector
from hybrid_seg_ros.benchmark.catalog import SCENARIOS
from hybrid_seg_ros.benchmark.run import run_scenarios, without_paths
from hybrid_seg_ros.benchmark.scenario import Context, Measured, NotMeasuredError, Scenario
from hybrid_seg_ros.bundle import Bundle


def scenario(name: str, passed: bool) -> Scenario:
    return Scenario(
        name, f"title of {name}", "< 1 ms", lambda c: Measured("0.5 ms", passed, {"at": str(c.work_dir / "drive")})
    )


def test_every_promise_has_a_scenario_of_its_own() -> None:
    assert [s.name for s in SCENARIOS] == [
        "camera_rate",
        "full_size",
        "full_size_int8",
        "ros_overhead",
        "eager",
        "hybrid_cost",
        "soak",
        "metrics",
        "planner_outputs",
        "obstacle_positions",
        "obstacle_detection",
        "obstacle_alarms",
        "faults",
        "soak_cameras",
        "gpu_kernels",
        "gpu_frame",
        "gpu_eager",
        "gpu_soak",
    ]


def test_results_name_the_machine_but_not_its_folders(tmp_path: Path, tiny_bundle: Bundle) -> None:
    said: list[str] = []
    made = [scenario("camera_rate", True), scenario("soak", False)]
    out = tmp_path / "benchmarks"
    results = run_scenarios(made, tiny_bundle, out, say=said.append)
    assert [r["passed"] for r in results] == [True, False]
    assert any("TARGET MISSED: < 1 ms" in line for line in said)
    read = json.loads((out / "camera_rate.json").read_text())
    assert read["values"]["at"] == "drive"
    assert read["machine"]["cores"] >= 1
    assert str(tmp_path) not in (out / "camera_rate.json").read_text()
    table = (tmp_path / "benchmarks.md").read_text()
    assert "| title of camera_rate | < 1 ms | 0.5 ms | yes |" in table
    assert "| title of soak | < 1 ms | 0.5 ms | **no** |" in table
    assert table.count("Measured on") == 1


def test_what_cannot_be_measured_leaves_the_old_result(tmp_path: Path, tiny_bundle: Bundle) -> None:
    def fail(_: Context) -> Measured:
        raise NotMeasuredError("a GPU is missing")

    run_scenarios([scenario("soak", True)], tiny_bundle, tmp_path / "out", say=lambda _: None)
    before = (tmp_path / "out" / "soak.json").read_text()
    said: list[str] = []
    assert run_scenarios([Scenario("soak", "t", "x", fail)], tiny_bundle, tmp_path / "out", say=said.append) == []
    assert "not measured: a GPU is missing" in said[-1]
    assert (tmp_path / "out" / "soak.json").read_text() == before


def test_only_this_machines_paths_are_cut(tmp_path: Path) -> None:
    found = without_paths(
        {"bag": str(tmp_path / "x"), "topic": "/camera/image_raw", "n": [1, str(tmp_path)]}, [tmp_path]
    )
    assert found == {"bag": "x", "topic": "/camera/image_raw", "n": [1, tmp_path.name]}


def test_the_network_without_its_head_gives_the_same_logits(tmp_path: Path, tiny_bundle: Bundle) -> None:
    import numpy as np
    import onnxruntime

    cut = tmp_path / "closed.onnx"
    hybrid_cost.closed_set_model(tiny_bundle, cut)
    image = np.random.default_rng(0).normal(size=(1, 3, 96, 128)).astype(np.float32)
    closed = onnxruntime.InferenceSession(str(cut), providers=["CPUExecutionProvider"])
    full = onnxruntime.InferenceSession(str(tiny_bundle.file("model.onnx")), providers=["CPUExecutionProvider"])
    assert [o.name for o in closed.get_outputs()] == ["logits"]
    np.testing.assert_array_equal(closed.run(None, {"image": image})[0], full.run(["logits"], {"image": image})[0])


def test_hybrid_cost_measures_both_sides(tmp_path: Path, tiny_bundle: Bundle) -> None:
    found = hybrid_cost.measure(Context(tiny_bundle, tmp_path, effort=0.01, progress=False)).values
    assert found["rounds"] == 10
    assert found["closed"]["total_ms"] > 0
    total = found["hybrid"]["total_ms"] / found["closed"]["total_ms"] - 1
    assert found["cost"] == pytest.approx(total, abs=1e-3)


def test_the_soak_of_the_detector_prints_its_memory(tiny_bundle: Bundle, capsys: pytest.CaptureFixture[str]) -> None:
    soak_detector.main(str(tiny_bundle.path), 30, 10, (64, 48), (64, 64))
    found = json.loads(capsys.readouterr().out)
    assert found["growth_mib"] == pytest.approx(found["end_mib"] - found["at_mib"], abs=0.02)
