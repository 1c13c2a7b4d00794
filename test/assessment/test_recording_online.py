"""A recording through the real node, judged; the figures of the frames it answered are the offline run's."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.recordings import record

from hybrid_seg_ros.assessment.recording import RecordingOptions, assess_recording
from hybrid_seg_ros.bundle import Bundle

pytest.importorskip("rclpy", reason="ROS is not installed")

FRAMES = 12


def test_online_is_judged_as_offline_and_tells_of_the_node(tmp_path: Path, tiny_bundle: Bundle) -> None:
    bag = record(tmp_path / "bag", FRAMES)
    labels = tmp_path / "labels"
    labels.mkdir()
    for index in range(FRAMES):
        ids = np.zeros((48, 64), np.uint8)
        ids[10:20, 10:30] = 99
        assert cv2.imwrite(str(labels / f"{index}.png"), ids)
    options = RecordingOptions(bundle=str(tiny_bundle.path), truth=labels, anomaly_ids=(99,), threshold=-1e3)
    offline = assess_recording(bag, options, out=tmp_path / "offline", progress=False)
    online = assess_recording(
        bag,
        replace(options, mode="online", speed=0.5, against=tmp_path / "offline/results", rates_hz=(10.0,)),
        out=tmp_path / "online",
        progress=False,
    )
    assert online.node is not None
    assert online.node.mode == "online"
    assert online.node.answered == FRAMES
    assert online.agreement is not None
    assert (online.agreement.labels, online.agreement.mask_iou) == (1.0, 1.0)
    assert online.scores == offline.scores
    assert online.closed_set == offline.closed_set
    assert online.network.threshold == offline.network.threshold
    recorded, fixed = online.node.rates
    assert recorded.kind == "recorded"
    assert recorded.frames_sent == FRAMES
    assert fixed.kind == "fixed"
    assert fixed.input_hz == pytest.approx(10.0, rel=0.2)
    assert fixed.frames_sent >= 60
    assert (recorded.cpu_percent or 0) > 0
    assert (recorded.memory_mib or 0) > 10
    assert online.video is not None
    assert online.video.mean_delay_s is not None
    # Played at half its speed, a delay is half as long on the recording's own clock.
    latency = online.node.latency_ms
    assert latency is not None
    assert online.video.mean_delay_s == pytest.approx(latency.mean / 1e3 / 2, rel=1e-3)
    assert online.video.delayed_miou is not None
    assert set(online.node.reported_ms) >= {"network", "preprocess", "postprocess"}
