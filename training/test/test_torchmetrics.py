"""The deployed package's streaming metrics against torchmetrics, where both define the same thing."""

import numpy as np
import pytest
import torch

from hybrid_seg_ros.evaluation.calibration import CalibrationCounts
from hybrid_seg_ros.evaluation.confusion import confusion_matrix, iou_per_class, mean_iou
from hybrid_seg_ros.evaluation.pixel_counts import PixelCounts
from hybrid_seg_ros.evaluation.summary import figures, thin_curve
from hybrid_seg_train import _torchvision  # noqa: F401  (makes torchvision importable, which torchmetrics imports)

from torchmetrics.functional import classification as oracle  # isort: skip  (after torchvision can be imported)

CLASSES = 5


@pytest.mark.parametrize("seed", range(3))
def test_ranking_of_pixels(seed: int) -> None:
    rng = np.random.default_rng(seed)
    anomaly = rng.choice([0, 1, 255], (60, 80), p=[0.8, 0.1, 0.1]).astype(np.uint8)
    # Within 0..1, beyond which torchmetrics takes scores for logits; half precision, which is counted exactly.
    score = np.clip(rng.normal(0.3 + 0.2 * (anomaly == 1), 0.1), 0.0, 1.0).astype(np.float16)
    counts = PixelCounts()
    for row in range(0, 60, 20):
        counts.add(score[row : row + 20], anomaly[row : row + 20])
    labelled = anomaly <= 1
    between, truth = torch.from_numpy(score[labelled].astype(np.float32)), torch.from_numpy(anomaly[labelled]).long()
    found = figures(counts)
    assert found.ap == pytest.approx(float(oracle.binary_average_precision(between, truth)), abs=1e-5)
    assert found.auroc == pytest.approx(float(oracle.binary_auroc(between, truth)), abs=1e-5)
    fpr, tpr, _ = oracle.binary_roc(between, truth)
    assert found.fpr95 == pytest.approx(float(fpr[int((tpr >= 0.95).int().argmax())]), abs=1e-6)
    curve = thin_curve(counts, 100_000)
    assert curve is not None
    precision, recall, _ = oracle.binary_precision_recall_curve(between, truth)
    np.testing.assert_allclose(curve.precision, precision.flip(0)[1:], atol=1e-6)
    np.testing.assert_allclose(curve.tpr, recall.flip(0)[1:], atol=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_closed_set_iou(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.choice([0, 1, 2, 3, 4, 255], (60, 80)).astype(np.uint8)
    predicted = np.where(rng.random(labels.shape) < 0.6, labels % CLASSES, rng.integers(0, CLASSES, labels.shape))
    confusion = confusion_matrix(predicted, labels, CLASSES)
    pair = torch.from_numpy(predicted.astype(np.int64)), torch.from_numpy(labels).long()
    expected = oracle.multiclass_jaccard_index(*pair, CLASSES, average="none", ignore_index=255)
    np.testing.assert_allclose(iou_per_class(confusion), expected, rtol=1e-6)
    assert mean_iou(confusion) == pytest.approx(float(expected.mean()), rel=1e-6)


@pytest.mark.parametrize("bins", [10, 15])
def test_calibration_error(bins: int) -> None:
    rng = np.random.default_rng(bins)
    logits = torch.from_numpy(rng.normal(0, 2, (1, CLASSES, 50, 70)))
    softmax = logits.softmax(dim=1)
    labels = rng.choice([0, 1, 2, 3, 4, 255], (50, 70)).astype(np.uint8)
    confidence, predicted = softmax[0].max(dim=0)
    counts = CalibrationCounts(bins)
    counts.add(confidence.numpy(), predicted.numpy().astype(np.uint8), labels)
    expected = oracle.multiclass_calibration_error(
        softmax, torch.from_numpy(labels).long()[None], CLASSES, n_bins=bins, norm="l1", ignore_index=255
    )
    assert counts.result().ece == pytest.approx(float(expected), abs=1e-6)
