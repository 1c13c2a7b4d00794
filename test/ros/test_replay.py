"""A recording through the real node: two processes, real DDS; results must equal the offline run's bit for bit."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from support.recordings import record, stamp

from hybrid_seg_ros.bags import BagError, BagReader, read_results, run_offline
from hybrid_seg_ros.bags.answers import read_answers
from hybrid_seg_ros.bags.domain import private_domain
from hybrid_seg_ros.bags.online import NODE_MODULE, OnlineRun, fastdds_profile, run_online
from hybrid_seg_ros.bags.processes import LoggedProcess, ProcessError, ros_environment
from hybrid_seg_ros.bundle import Bundle
from hybrid_seg_ros.detector import open_detector

pytest.importorskip("rclpy", reason="ROS is not installed")

FRAMES = 12


@pytest.mark.parametrize("compressed", [False, True])
def test_online_equals_offline(tmp_path: Path, tiny_bundle: Bundle, compressed: bool) -> None:
    bag = record(tmp_path / "bag", FRAMES, compressed=compressed)
    summary = run_online(
        OnlineRun(
            bag=bag,
            work_dir=tmp_path / "logs",
            target=tmp_path / "online",
            parameters={"bundle": str(tiny_bundle.path), "threshold": 1.5},
            outputs=["semantic", "anomaly_score", "obstacle_mask", "overlay"],
            answers=tmp_path / "answers.csv",
            rate=0.5,
            timeout_s=60,
            progress=False,
        )
    )
    assert (summary["frames_in"], summary["frames_out"], summary["dropped"]) == (FRAMES, FRAMES, 0)
    assert summary["extra"]["unmatched"] == 0
    assert summary["latency_ms"]["p50"] > 0
    assert summary["stages_ms"]["network"]["p50"] > 0
    assert 0 < summary["extra"]["node_usage"]["cpu_percent"] < 100 * (os.cpu_count() or 1) + 50
    assert summary["extra"]["node_usage"]["memory_mib"] > 10
    assert summary["extra"]["problems"] == []
    answers = read_answers(tmp_path / "answers.csv")
    assert [a.stamp_ns for a in answers] == [stamp(i) for i in range(FRAMES)]
    latencies = [a.latency_ms for a in answers if a.latency_ms is not None]
    assert max(latencies) == pytest.approx(summary["latency_ms"]["max"], abs=2e-3)
    assert answers[-1].sent_s == pytest.approx((FRAMES - 1) / 15 / 0.5, abs=0.3)
    with open_detector(tiny_bundle, threshold=1.5) as detector:
        run_offline(bag, tmp_path / "offline", detector, tiny_bundle.manifest, progress=False)
    for online, offline in zip(read_results(tmp_path / "online"), read_results(tmp_path / "offline"), strict=True):
        assert online.stamp_ns == offline.stamp_ns
        assert online.threshold == offline.threshold == 1.5
        for name in ("labels", "score", "mask"):
            np.testing.assert_array_equal(getattr(online, name), getattr(offline, name))
    with BagReader(tmp_path / "online") as reader, BagReader(tmp_path / "offline") as offline_reader:
        tables = [json.loads(text) for _, text in reader.texts("/hybrid_seg/label_info_json")]
        assert tables[-1:] == [json.loads(text) for _, text in offline_reader.texts("/hybrid_seg/label_info_json")]
        counts = {t.name: t.count for t in reader.topics}
    assert counts["/hybrid_seg/camera_info"] == FRAMES
    assert counts["/diagnostics"] > 0
    assert counts["/hybrid_seg/overlay"] == FRAMES


def test_a_running_node_is_used_as_it_is_and_loops_are_counted(
    tmp_path: Path, tiny_bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    bag = record(tmp_path / "bag", FRAMES, fps=8.0)  # longer than the second below which a restart needs proof
    with private_domain() as domain:
        environment = ros_environment(domain, log_dir=tmp_path / "ros", profile=fastdds_profile())
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        arguments = ["--autostart", "--ros-args", "-r", "__node:=eyes", "-r", "image:=/camera/image_raw"]
        arguments += ["-p", f'bundle:="{tiny_bundle.path}"', "-p", "use_sim_time:=true"]
        with LoggedProcess(NODE_MODULE, arguments, environment=environment, log=tmp_path / "node.log") as node:
            summary = run_online(
                OnlineRun(
                    bag=bag,
                    work_dir=tmp_path / "logs",
                    outputs=["obstacle_mask"],
                    loops=2,
                    running_node="/eyes",
                    timeout_s=60,
                    progress=False,
                )
            )
            assert node.returncode() is None
    assert summary["frames_in"] == 2 * FRAMES
    # A node answers the newest image only, so a busy machine may cost one; a loop that does not count costs half.
    assert 2 * FRAMES - 3 <= summary["frames_out"] <= 2 * FRAMES
    assert summary["extra"]["received"] == {"/eyes/obstacle_mask": summary["frames_out"]}


def test_a_node_that_cannot_start_shows_its_log(tmp_path: Path) -> None:
    bag = record(tmp_path / "bag", 2)
    run = OnlineRun(
        bag=bag, work_dir=tmp_path / "logs", parameters={"bundle": "/no/such/bundle"}, timeout_s=60, progress=False
    )
    with pytest.raises(ProcessError, match=r"(?s)the replay ended with status 2; the node's log:.*/no/such/bundle"):
        run_online(run)


def test_nobody_there(tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    bag = record(tmp_path / "bag", 2)
    with private_domain() as domain:
        for name, value in ros_environment(domain, log_dir=tmp_path / "ros").items():
            monkeypatch.setenv(name, value)
        run = OnlineRun(bag=bag, work_dir=tmp_path / "logs", running_node="/nobody", timeout_s=1, progress=False)
        with pytest.raises(ProcessError, match="status 2"):
            run_online(run)
    assert "no lifecycle node /nobody within 1 s; start it" in capfd.readouterr().err


def test_an_existing_result_is_not_overwritten(tmp_path: Path) -> None:
    bag = record(tmp_path / "bag", 1)
    with pytest.raises(BagError, match="exists already"):
        run_online(OnlineRun(bag=bag, work_dir=tmp_path / "logs", target=bag))
    assert any(bag.iterdir())
