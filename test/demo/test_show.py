"""The demo as a user runs it: the real node in its own process, real topics, a real (tiny) network."""

import json
from pathlib import Path

import av
import cv2
import pytest
from support.recordings import record

from hybrid_seg_ros.bags import read_results
from hybrid_seg_ros.bundle import Bundle
from hybrid_seg_ros.cli.main import main

pytest.importorskip("rclpy", reason="ROS is not installed")


def test_the_demo_from_the_command_line(
    tmp_path: Path, tiny_bundle: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "demo"
    drive = ["--seconds", "1", "--fps", "8", "--size", "192x108", "--seed", "3"]
    arguments = ["demo", "--bundle", str(tiny_bundle.path), "--out", str(out), *drive]
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    summary = json.loads((out / "summary.json").read_text())
    replay = summary["replay"]
    assert replay["frames_in"] == 8
    assert replay["frames_out"] == len(list(read_results(out / "results"))) >= 7
    assert f"{replay['frames_out']} ({100 * replay['answered']:.1f} %)" in printed
    assert {"miou", "ap", "fpr95", "obstacles"} <= summary["quality"].keys()
    assert summary["versions"]["hybrid_seg_ros"]
    with av.open(str(out / "demo.mp4")) as video:
        assert sum(1 for _ in video.decode(video=0)) == replay["frames_out"]
    assert cv2.imread(str(out / "contact_sheet.png")).shape[1] > 1000
    assert (out / "logs" / "node.log").read_text()


def test_the_demo_plays_a_recording_of_ones_own(tmp_path: Path, tiny_bundle: Bundle) -> None:
    bag = record(tmp_path / "bag", 8, compressed=True, fps=8.0)
    out = tmp_path / "demo"
    (out / "drive").mkdir(parents=True)  # an earlier demo's: replaced
    (out / ".hybrid_seg_demo").touch()
    assert main(["demo", "--bag", str(bag), "--bundle", str(tiny_bundle.path), "--out", str(out)]) == 0
    summary = json.loads((out / "summary.json").read_text())
    assert summary["replay"]["image_topic"] == "/camera/image_raw/compressed"
    assert "quality" not in summary
    assert not (out / "drive").exists()
    assert (out / "demo.mp4").stat().st_size > 0
    assert bag.is_dir()
