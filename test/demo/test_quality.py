"""Judged on answers whose quality is known beforehand; the metrics themselves against scikit-learn."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.metrics import average_precision_score

from hybrid_seg_ros.bags import BagWriter
from hybrid_seg_ros.bags.messages import image_message
from hybrid_seg_ros.bags.topics import IMAGE
from hybrid_seg_ros.bags.truth import Truth, TruthWriter
from hybrid_seg_ros.bundle import Bundle
from hybrid_seg_ros.demo.quality import judge, telling_stamps
from hybrid_seg_ros.report.document import read_evaluation

H, W, FRAMES = 40, 60, 6


def truth_of(index: int) -> Truth:
    """Two classes side by side, void below, and one obstacle that grows as it comes nearer."""
    labels = np.zeros((H, W), np.uint8)
    labels[:, W // 2 :] = 1
    side = 4 + 2 * index
    instances = np.zeros((H, W), np.uint16)
    instances[10 : 10 + side, 10 : 10 + side] = 3
    labels[instances == 3] = 11
    anomaly = (instances == 3).astype(np.uint8)
    anomaly[-4:] = 255
    labels[-4:] = 11
    obstacle = {"id": 3, "kind": "sofa", "distance": 30.0 - 4 * index}
    return Truth(1000 + index, labels, anomaly, instances, [obstacle])


def score_of(index: int) -> npt.NDArray[np.float32]:
    noise = np.random.default_rng(index).normal(size=(H, W)).astype(np.float32)
    return noise + np.float32(1.5) * (truth_of(index).anomaly == 1)


@pytest.fixture
def recordings(tmp_path: Path) -> tuple[Path, Path]:
    """Frame 4 has no answer; labels are wrong in one column of class 1; the obstacle is masked from frame 3 on."""
    with BagWriter(tmp_path / "truth") as truths, BagWriter(tmp_path / "results") as results:
        writer = TruthWriter(truths)
        for index in range(FRAMES):
            truth = truth_of(index)
            writer.write(truth)
            if index == 4:
                continue
            labels = np.where(truth.labels == 11, 0, truth.labels).astype(np.uint8)
            labels[:, -10:] = 0
            mask = np.where((truth.anomaly == 1) & (index >= 3), 255, 0).astype(np.uint8)
            arrays = {"semantic": (labels, "mono8"), "anomaly_score": (score_of(index), "32FC1")}
            for name, (array, encoding) in {**arrays, "obstacle_mask": (mask, "mono8")}.items():
                data = image_message(array, encoding, stamp=truth.stamp_ns, frame_id="c")
                results.write(f"/hybrid_seg/{name}", IMAGE, truth.stamp_ns, data)
    return tmp_path / "truth", tmp_path / "results"


def test_classes_anomalies_and_obstacles(recordings: tuple[Path, Path], tiny_bundle: Bundle, tmp_path: Path) -> None:
    with BagWriter(tmp_path / "drive") as drive:
        for index in range(FRAMES):
            image = image_message(np.zeros((H, W, 3), np.uint8), "bgr8", stamp=1000 + index, frame_id="c")
            drive.write("/camera/image_raw", IMAGE, 1000 + index, image)
    found = judge(tmp_path / "drive", *recordings, tiny_bundle.path, tmp_path / "evaluation", progress=False)
    assert found["classes_seen"] == 2
    assert found["iou"][2] is None
    assert found["iou"][1] == pytest.approx(20 / 30, abs=1e-3)
    assert found["miou"] == pytest.approx((found["iou"][0] + found["iou"][1]) / 2, abs=1e-3)
    answered = [0, 1, 2, 3, 5]
    scores = np.concatenate([score_of(i).ravel() for i in answered])
    truths = np.concatenate([truth_of(i).anomaly.ravel() for i in answered])
    valid = truths != 255
    assert found["ap"] == pytest.approx(average_precision_score(truths[valid] == 1, scores[valid]), abs=1e-3)
    assert found["anomalous_share"] == pytest.approx((truths[valid] == 1).mean(), abs=1e-6)
    (sofa,) = found["obstacles"]
    assert sofa == {
        "kind": "sofa",
        "first_in_view_m": 26.0,  # at 30 m it shows 16 pixels, too few to ask for
        "first_detected_m": 18.0,
        "frames_in_view": 5,
        "frames_detected": 2,
    }
    assert read_evaluation(tmp_path / "evaluation" / "evaluation.json").images == len(answered)


def test_telling_frames_show_the_obstacle_and_keep_their_distance(recordings: tuple[Path, Path]) -> None:
    assert telling_stamps(*recordings, count=2, gap=2) == (1002, 1005)  # frame 4 has no answer and does not count
    assert telling_stamps(*recordings, count=9, gap=1) == (1000, 1001, 1002, 1003, 1005)
