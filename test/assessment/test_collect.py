"""Counts as parts of the document."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score
from support.bundles import make_bundle

from hybrid_seg_ros.assessment.collect import (
    as_part,
    bundle_sha256,
    closed_set_part,
    components_part,
    machine_part,
    network_part,
    score_part,
)
from hybrid_seg_ros.backends import BackendInfo
from hybrid_seg_ros.evaluation import component_metrics
from hybrid_seg_ros.evaluation.pixel_counts import PixelCounts
from hybrid_seg_ros.report.document import Calibration, Evaluation, Network


def counted(score: npt.NDArray[np.float32], anomaly: npt.NDArray[np.uint8]) -> PixelCounts:
    counts = PixelCounts()
    counts.add(score, anomaly)
    return counts


def test_a_score_holds_what_scikit_learn_says_and_the_points_of_the_bundle() -> None:
    rng = np.random.default_rng(1)
    anomaly = rng.choice([0, 1, 255], p=[0.7, 0.2, 0.1], size=(60, 80)).astype(np.uint8)
    score = (rng.normal(size=anomaly.shape) + 2 * (anomaly == 1)).astype(np.float16).astype(np.float32)
    part = score_part(counted(score, anomaly), {"mine": 1.0})
    valid = anomaly <= 1
    assert part.ap == pytest.approx(average_precision_score(anomaly[valid], score[valid]))
    assert part.auroc == pytest.approx(roc_auc_score(anomaly[valid], score[valid]))
    assert part.ap_error == 0
    above = score > 1
    assert part.points["mine"].tpr == pytest.approx(above[anomaly == 1].mean())
    assert part.points["mine"].origin == "bundle"
    assert part.points["tpr95"].origin == "set"
    assert part.histogram is not None
    assert sum(part.histogram.anomaly) == (anomaly == 1).sum()
    assert part.curve is not None
    assert part.curve.tpr[-1] == 1


@pytest.mark.parametrize("label", [0, 1])
def test_what_is_not_defined_is_null_and_the_document_stays_json(label: int) -> None:
    part = score_part(counted(np.zeros((4, 4), np.float32), np.full((4, 4), label, np.uint8)), {"mine": 1.0})
    assert part.ap is part.auroc is part.fpr95 is part.best_f1 is None
    metrics = component_metrics([(np.zeros((4, 4), bool), np.full((4, 4), 255, np.uint8))])
    components = components_part(metrics, "anomaly", 0.0)
    assert components.mean_f1 is None
    assert components.f1_by_threshold == [None] * 11
    evaluation = Evaluation(
        kind="images", name="set", network=Network(name="n"), images=1, scores={"s": part, "t": part}
    )
    assert json.loads(evaluation.model_dump_json())["scores"]["s"]["ap"] is None


def test_a_class_neither_there_nor_predicted_has_no_iou() -> None:
    part = closed_set_part(np.array([[3, 1, 0], [0, 4, 0], [0, 0, 0]]), ["road", "car", "sky"])
    assert part.iou == {"road": 3 / 4, "car": 4 / 5, "sky": None}
    assert part.miou == pytest.approx((3 / 4 + 4 / 5) / 2)
    assert part.pixels == 8


def test_results_become_parts_field_by_field() -> None:
    @dataclass
    class Bin:
        low: float
        high: float
        confidence: float
        accuracy: float | None
        pixels: np.int64

    @dataclass
    class Result:
        ece: np.float64
        bins: tuple[Bin, ...]

    part = as_part(Calibration, Result(np.float64(0.5), (Bin(0, 1, float("nan"), None, np.int64(0)),)))
    assert part.ece == 0.5
    assert part.bins[0].confidence is None


def test_a_network_is_told_by_its_manifest_and_its_threshold_by_name(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "tiny")
    info = BackendInfo("onnxruntime", "cpu", "fp32")
    part = network_part(bundle, info, (128, 96))
    assert (part.operating_point, part.threshold) == ("tpr95", 0.0)
    assert network_part(bundle, info, None, "best_f1").threshold == 2.0
    other = network_part(bundle, info, None, 0.25)
    assert (other.operating_point, other.threshold) == ("", 0.25)
    assert part.sha256 == bundle_sha256(bundle) != bundle_sha256(make_bundle(tmp_path / "other", seed=1))


def test_the_machine_is_told_without_its_name() -> None:
    part = machine_part()
    assert part.cores > 0
    assert "numpy" in part.versions
