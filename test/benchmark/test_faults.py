"""Faults and the soak of cameras, run shortly; what they say of what they saw."""

from pathlib import Path
from typing import Any

import pytest

from hybrid_seg_ros.benchmark import fault_page, faults, soak_cameras
from hybrid_seg_ros.benchmark.scenario import Context
from hybrid_seg_ros.bundle import Bundle


def outcome(**values: Any) -> dict[str, Any]:
    return {
        "fault": "f",
        "measured_s": 0.1,
        "before": 1,
        "recovered_s": 0.2,
        "longest_beat_s": 0.1,
        "wrong": [],
    } | values


def test_of_several_rounds_the_worst_is_told() -> None:
    found = faults.worst([outcome(measured_s=0.3, wrong=["a"]), outcome(before=7), outcome(wrong=["b"])])
    assert (found["measured_s"], found["before"], found["recovered_s"], found["wrong"]) == (0.3, 7, 0.2, ["a", "b"])


def test_growth_is_told_from_the_warm_up_and_from_single_peaks() -> None:
    warming_up = [[float(s), 100.0 + 10 * s] for s in range(20)]
    steady = [[float(s), 300.0] for s in range(20, 101)]
    assert soak_cameras.growth(warming_up + steady)["growth_mib"] == 0.0
    steady[60][1] = 400.0
    assert soak_cameras.growth(warming_up + steady)["growth_mib"] == 0.0
    leaking = [[float(s), 300.0 + 0.1 * s] for s in range(101)]
    assert soak_cameras.growth(leaking)["growth_mib"] == pytest.approx(7.0, abs=0.1)


def test_the_page_of_faults_is_that_of_the_results() -> None:
    docs = Path(__file__).resolve().parents[2] / "docs"
    results = fault_page.read(docs / "benchmarks")
    assert set(results) == {"faults", "soak_cameras"}
    assert (docs / "faults.md").read_text(encoding="utf-8") == fault_page.page(results)


@pytest.mark.slow
def test_half_a_minute_of_four_cameras_with_random_faults(tmp_path: Path, tiny_bundle: Bundle) -> None:
    pytest.importorskip("rclpy")
    found = soak_cameras.measure(Context(tiny_bundle, tmp_path, effort=0.001, progress=False))
    values = found.values
    assert values["seconds"] == 30
    assert values["exit_status"] == 0
    assert sum(values["faults"].values()) >= 3
    assert set(values["frames"]) == {"front", "left", "right", "rear"}
    for frames in values["frames"].values():
        assert frames["missing"] == 0
        assert 0 < frames["frames out"] <= frames["frames in"] <= frames["sent"]
    assert values["results"] > 100
    assert values["wrong_first"] == []
    assert {"network.hung", "output.nan", "network.failed"} <= set(values["states"])
    assert values["memory"]["growth_mib"] < 20.0, "a short run has hardly warmed up"


@pytest.mark.slow
def test_one_round_of_faults(tmp_path: Path, tiny_bundle: Bundle) -> None:
    pytest.importorskip("rclpy")
    found = faults.measure(Context(tiny_bundle, tmp_path, effort=0.1, progress=False))
    assert found.values["rounds"] == 1
    assert [fault["wrong"] for fault in found.values["faults"]] == [[]] * 12
    assert "12 faults told in time" in found.headline
