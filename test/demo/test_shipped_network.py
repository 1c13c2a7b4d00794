"""The demo's default, whole: the shipped network on a generated drive that its training has not seen."""

import dataclasses
from pathlib import Path

import pytest

from hybrid_seg_ros.demo.show import DEFAULT_DRIVE, DemoPlan, run_demo

pytest.importorskip("rclpy", reason="ROS is not installed")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_knows_the_street_and_sees_what_does_not_belong_there(tmp_path: Path) -> None:
    drive = dataclasses.replace(DEFAULT_DRIVE, n_frames=60)
    # Half speed: a busy machine drops fewer frames, and what is judged is the network.
    summary = run_demo(DemoPlan(tmp_path / "demo", drive=drive, rate=0.5, progress=False))
    assert summary["replay"]["frames_out"] > 20
    quality = summary["quality"]
    assert quality["miou"] > 0.5
    assert quality["auroc"] > 0.9
    assert quality["ap"] > 20 * quality["anomalous_share"]
