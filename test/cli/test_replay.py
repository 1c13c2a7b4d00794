import json
from pathlib import Path

import pytest
from support.recordings import record

from hybrid_seg_ros.bags import read_results
from hybrid_seg_ros.bundle import Bundle
from hybrid_seg_ros.cli.main import main


def test_offline_from_the_command_line(tmp_path: Path, tiny_bundle: Bundle, capsys: pytest.CaptureFixture[str]) -> None:
    bag = record(tmp_path / "bag", 3, compressed=True)
    out = tmp_path / "out"
    options = ["--bundle", str(tiny_bundle.path), "--threshold", "1.25", "--outputs", "obstacle_mask"]
    assert main(["replay", str(bag), "--out", str(out), *options, "--storage", "sqlite3"]) == 0
    printed = capsys.readouterr().out
    assert "3 from /camera/image_raw/compressed" in printed
    assert "100.0 %" in printed
    summary = json.loads((out / "summary.json").read_text())
    assert (summary["frames_in"], summary["frames_out"]) == (3, 3)
    results = list(read_results(out / "results"))
    assert len(results) == 3
    assert all(r.mask is not None and r.labels is None and r.threshold == 1.25 for r in results)
    assert main(["replay", str(bag), "--out", str(out), *options]) == 2


def test_results_go_beside_the_recordings_name_where_nothing_else_is_said(
    tmp_path: Path, tiny_bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    bag = record(tmp_path / "drive", 1)
    monkeypatch.chdir(tmp_path)
    assert main(["replay", str(next(bag.glob("*.mcap"))), "--bundle", str(tiny_bundle.path)]) == 0
    assert len(list(read_results(tmp_path / "drive_hybrid_seg" / "results"))) == 1


def test_a_recording_whose_images_are_all_broken_is_status_1(tmp_path: Path, tiny_bundle: Bundle) -> None:
    from support.recordings import picture

    from hybrid_seg_ros.bags import BagWriter
    from hybrid_seg_ros.bags.messages import image_message
    from hybrid_seg_ros.bags.topics import IMAGE

    with BagWriter(tmp_path / "bag") as bag:
        bag.write("/image", IMAGE, 1, image_message(picture(0), "unheard_of", stamp=1, frame_id="c"))
    assert main(["replay", str(tmp_path / "bag"), "--out", str(tmp_path / "o"), "--bundle", str(tiny_bundle.path)]) == 1
    assert "unheard_of" in json.loads((tmp_path / "o" / "summary.json").read_text())["first_rejection"]


def test_online_from_the_command_line(tmp_path: Path, tiny_bundle: Bundle, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("rclpy", reason="ROS is not installed")
    bag = record(tmp_path / "bag", 6, fps=6.0)
    out = tmp_path / "out"
    options = ["--bundle", str(tiny_bundle.path), "--threshold", "best_f1", "--outputs", "obstacle_mask", "confidence"]
    assert main(["replay", str(bag), "--out", str(out), "--online", *options]) == 0
    assert "answered" in capsys.readouterr().out
    results = list(read_results(out / "results"))
    assert len(results) == json.loads((out / "summary.json").read_text())["frames_out"] >= 5
    assert all(r.confidence is not None and r.score is None and r.threshold == 2.0 for r in results)
