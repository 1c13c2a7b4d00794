from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.metrics import average_precision_score, confusion_matrix, jaccard_score

from hybrid_seg_ros.assessment.collect import as_part, closed_set_part, score_part
from hybrid_seg_ros.assessment.combine import combine
from hybrid_seg_ros.assessment.many import Outcome
from hybrid_seg_ros.assessment.pooling import pooled_blocks
from hybrid_seg_ros.assessment.recording import CONFUSION, COUNTS
from hybrid_seg_ros.evaluation.calibration import CalibrationCounts
from hybrid_seg_ros.evaluation.pixel_counts import PixelCounts
from hybrid_seg_ros.report.document import (
    Calibration,
    DocumentError,
    Evaluation,
    FrameRow,
    Machine,
    Network,
    Node,
    Obstacle,
    Picture,
    Problem,
    Video,
    write_evaluation,
)

CLASSES = ("Road", "Car", "Sky")
Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Drive = tuple[Floats, Bytes, Bytes, Bytes, Floats]


def drive(seed: int) -> Drive:
    """(score, anomaly, labels, predicted, confidence) of a drive whose scores have a level of their own."""
    rng = np.random.default_rng(seed)
    shape = (40, 50)
    anomaly = rng.choice(np.array([0, 1, 255], np.uint8), shape, p=[0.8, 0.15, 0.05])
    score = (rng.normal(seed, 1, shape) + 1.5 * (anomaly == 1)).astype(np.float16).astype(np.float32)
    labels = rng.integers(0, 3, shape, np.uint8)
    predicted = np.where(rng.random(shape) < 0.7, labels, rng.integers(0, 3, shape)).astype(np.uint8)
    return score, anomaly, labels, predicted, rng.random(shape, np.float32)


def calibration_of(*drives: Drive) -> Calibration:
    counts = CalibrationCounts()
    for _, _, labels, predicted, confidence in drives:
        counts.add(confidence, predicted, labels)
    return as_part(Calibration, counts.result())


def evaluated(out: Path, seed: int, *, cpu: str = "a processor") -> Outcome:
    """What the evaluation of one drive leaves behind."""
    found = drive(seed)
    score, anomaly, labels, predicted, _ = found
    folder = out / "recordings" / f"drive{seed}"
    counts = PixelCounts()
    counts.add(score, anomaly)
    counts.save(folder / COUNTS)
    matrix = confusion_matrix(labels.ravel(), predicted.ravel())
    np.save(folder / CONFUSION, matrix)
    latencies = [10.0 * seed, 10.0 * seed + 5]
    document = Evaluation(
        kind="recording",
        name=f"drive{seed}",
        network=Network(name="tiny", score="hybrid"),
        machine=Machine(cpu=cpu),
        images=1,
        seconds=2.0,
        known_pixels=counts.known,
        anomaly_pixels=counts.anomaly,
        truth="topics",
        problems=[Problem(where="frame 3", what="broken")],
        scores={"hybrid": score_part(counts, {"tpr95": 1.25, "mine": 2.5})},
        closed_set=closed_set_part(matrix, CLASSES),
        calibration=calibration_of(found),
        video=Video(
            obstacles=[
                Obstacle(
                    id=7, frames_in_view=2, frames_detected=0, first_in_view_s=0.5, first_detected_s=None,
                    time_to_detection_s=None,
                )
            ]
        ),
        node=Node(mode="offline", frames_in=4, answered=2, dropped=1, rejected=1),
        frames=[FrameRow(index=i, stamp_s=i, state="answered", latency_ms=ms) for i, ms in enumerate(latencies)],
        pictures=[Picture(kind="miss", frame=str(i), file=f"pictures/{i}.jpg", pixels=seed + 10 * i) for i in range(2)],
    )  # fmt: skip
    write_evaluation(folder / "evaluation.json", document)
    return Outcome(f"drive{seed}", Path(f"{seed}.mcap"), folder, "done")


def test_pooled_figures_are_those_of_one_long_recording(tmp_path: Path) -> None:
    drives = [drive(seed) for seed in (1, 2, 3)]
    outcomes = [evaluated(tmp_path, seed) for seed in (1, 2, 3)]
    whole = combine("drives", outcomes, out=tmp_path, classes=CLASSES, pictures=3)
    score, anomaly, labels, predicted, _ = (np.concatenate([d[i].ravel() for d in drives]) for i in range(5))
    valid = anomaly <= 1
    assert whole.scores["hybrid"].ap == pytest.approx(average_precision_score(anomaly[valid], score[valid]), abs=1e-12)
    assert whole.scores["hybrid"].ap_error == 0.0
    single = max(outcome.evaluation().scores["hybrid"].ap or 0 for outcome in outcomes)
    assert whole.scores["hybrid"].ap < single, "a threshold for all drives is worse than one for each"
    shipped = {name: p.threshold for name, p in whole.scores["hybrid"].points.items() if p.origin == "bundle"}
    assert shipped == {"bundle_tpr95": 1.25, "mine": 2.5}
    assert whole.closed_set is not None
    assert whole.closed_set.miou == pytest.approx(jaccard_score(labels, predicted, average="macro"))
    assert list(whole.closed_set.iou) == list(CLASSES)
    expected = calibration_of(*drives)
    assert whole.calibration is not None
    assert whole.calibration.ece == pytest.approx(expected.ece)
    assert [b.pixels for b in whole.calibration.bins] == [b.pixels for b in expected.bins]
    assert (whole.images, whole.known_pixels, whole.seconds) == (3, int((anomaly == 0).sum()), 6.0)
    assert whole.node is not None
    assert (whole.node.frames_in, whole.node.dropped, whole.node.rejected) == (12, 3, 3)
    assert whole.node.latency_ms is not None
    assert whole.node.latency_ms.p90 == pytest.approx(np.percentile([10, 15, 20, 25, 30, 35], 90))


def test_what_names_a_recording_stays_apart(tmp_path: Path) -> None:
    broken = Outcome("cut", Path("cut.mcap"), tmp_path / "recordings" / "cut", "failed", "no image topic")
    outcomes = [evaluated(tmp_path, 1), broken, evaluated(tmp_path, 2)]
    whole = combine("drives", outcomes, out=tmp_path, classes=CLASSES, pictures=2)
    assert [p.where for p in whole.problems] == ["cut", "drive1: frame 3", "drive2: frame 3"]
    assert [(r.name, r.images, r.error) for r in whole.recordings] == [
        ("drive1", 1, ""),
        ("cut", 0, "no image topic"),
        ("drive2", 1, ""),
    ]
    assert whole.recordings[2].folder == "recordings/drive2"
    assert whole.recordings[2].ap == outcomes[2].evaluation().scores["hybrid"].ap
    assert [(p.frame, p.file) for p in whole.pictures] == [
        ("drive2: 1", "recordings/drive2/pictures/1.jpg"),
        ("drive1: 1", "recordings/drive1/pictures/1.jpg"),
    ]
    assert whole.video is not None
    assert [o.id for o in whole.video.obstacles] == [1, 2]


def test_machines_that_differ_are_told(tmp_path: Path) -> None:
    same = combine("d", [evaluated(tmp_path, s) for s in (1, 2)], out=tmp_path, classes=CLASSES, pictures=0)
    assert same.machine.cpu == "a processor"
    other = [evaluated(tmp_path, 1), evaluated(tmp_path, 2, cpu="another")]
    whole = combine("d", other, out=tmp_path, classes=CLASSES, pictures=0)
    assert any("2 different machines: a processor, another" in problem.what for problem in whole.problems)


def test_recordings_without_truth_have_no_figures(tmp_path: Path) -> None:
    folder = tmp_path / "recordings" / "bare"
    bare = Evaluation(kind="recording", name="bare", network=Network(name="tiny", score="hybrid"), images=5)
    write_evaluation(folder / "evaluation.json", bare)
    whole = combine("d", [Outcome("bare", Path("bare"), folder, "kept")], out=tmp_path, classes=CLASSES, pictures=8)
    assert (whole.scores, whole.closed_set, whole.calibration, whole.node, whole.truth) == ({}, None, None, None, "")
    assert whole.recordings[0].ap is None
    both = combine(
        "d",
        [Outcome("bare", Path("bare"), folder, "kept"), evaluated(tmp_path, 1)],
        out=tmp_path,
        classes=CLASSES,
        pictures=8,
    )
    assert both.scores["hybrid"].ap == evaluated(tmp_path, 1).evaluation().scores["hybrid"].ap


def test_nothing_to_combine(tmp_path: Path) -> None:
    failed = Outcome("cut", Path("cut.mcap"), tmp_path, "failed", "broken")
    with pytest.raises(ValueError, match="none of the recordings"):
        combine("d", [failed], out=tmp_path, classes=CLASSES, pictures=0)
    with pytest.raises(DocumentError):
        failed.evaluation()


def test_each_recording_is_a_block(tmp_path: Path) -> None:
    drives = [drive(seed) for seed in range(10)]
    total, parts = PixelCounts(), []
    for score, anomaly, *_ in drives:
        counts = PixelCounts()
        counts.add(score, anomaly)
        parts.append((3, counts))
        total.merge(counts)
    blocks = pooled_blocks(parts, total)
    assert blocks is not None
    assert blocks.images == [3] * 10
    for number, (score, anomaly, *_) in enumerate(drives):
        for column, threshold in enumerate(blocks.thresholds):
            above = score >= threshold
            assert blocks.known[number][column] == int((above & (anomaly == 0)).sum())
            assert blocks.anomaly[number][column] == int((above & (anomaly == 1)).sum())
    assert blocks.thresholds == sorted(blocks.thresholds, reverse=True)
    assert pooled_blocks(parts[:9], total) is None
