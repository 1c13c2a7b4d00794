from pathlib import Path

import numpy as np
import pytest

from hybrid_seg_ros.benchmark import metrics
from hybrid_seg_ros.benchmark.metrics_set import evaluate_set, write_set
from hybrid_seg_ros.benchmark.scenario import Context
from hybrid_seg_ros.bundle import Bundle
from hybrid_seg_ros.evaluation import best_f1_threshold, component_metrics, pixel_metrics


def test_two_threads_give_the_figures_of_the_whole_set(tmp_path: Path) -> None:
    write_set(tmp_path / "maps", 5, (512, 256), progress=False)
    found = evaluate_set(tmp_path / "maps", progress=False)
    images = [
        (np.load(path), np.load(path.with_name(path.name.replace("score", "anomaly"))))
        for path in sorted((tmp_path / "maps").glob("*.score.npy"))
    ]
    score = np.concatenate([score.ravel() for score, _ in images])
    anomaly = np.concatenate([anomaly.ravel() for _, anomaly in images])
    exact = pixel_metrics(score[anomaly <= 1], anomaly[anomaly <= 1] == 1)
    assert found["ap"] == pytest.approx(exact.average_precision, abs=found["ap_error"] + 1e-12)
    assert found["fpr95"] == pytest.approx(exact.fpr95, abs=found["fpr95_error"] + 1e-12)
    objects = component_metrics(images, best_f1_threshold(images), "obstacle")
    assert found["components"]["obstacle"]["ground_truth"] == objects.ground_truth
    assert found["components"]["obstacle"]["mean_f1"] == pytest.approx(objects.mean_f1, abs=0.02)
    assert (found["images"], found["told"]["blocks"]) == (5, 5)


def test_the_scenario_measures_at_full_size(tmp_path: Path, tiny_bundle: Bundle) -> None:
    measured = metrics.measure(Context(tiny_bundle, tmp_path, effort=0.01, progress=False))
    assert measured.values["pixels"] == 4 * 2048 * 1024
    assert measured.values["peak_mib"] > 50
    assert measured.headline.startswith("4 images in ")
