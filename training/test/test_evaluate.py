from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from hybrid_seg_train.data.labels import CAMVID11, ROAD, VOID
from hybrid_seg_train.data.sources import DataError, Example
from hybrid_seg_train.evaluate import evaluate_anomaly, evaluate_closed_set, read_anomaly_set
from hybrid_seg_train.infer import input_size
from hybrid_seg_train.models import HybridOutput


def network(image: torch.Tensor) -> HybridOutput:
    """Road where the picture is dark, Sky where it is bright, unsure and outlier where it is grey."""
    brightness = image[:, :1, 2::4, 2::4]
    logits = torch.zeros(1, len(CAMVID11), *brightness.shape[2:])
    logits[:, 0], logits[:, ROAD] = 6 * brightness[:, 0], -6 * brightness[:, 0]
    outlier = 2 - 6 * brightness.abs()
    return HybridOutput(logits, torch.cat([-outlier, outlier], 1))


def test_closed_set_counts_what_is_there() -> None:
    image = np.full((64, 96, 3), 250, np.uint8)
    image[32:] = 5
    labels = np.zeros((64, 96), np.uint8)
    labels[32:], labels[:, :8] = ROAD, VOID
    labels[:16, 48:] = 1  # a quarter of the upper half is no sky
    result = evaluate_closed_set(network, [Example(image, labels)], (96, 64), progress=False)
    assert result.iou["Road"] == pytest.approx(1.0)
    sky = (32 * 88 - 16 * 48) / (32 * 88)
    assert result.iou["Sky"] == pytest.approx(sky)
    assert result.iou["Building"] == 0.0
    assert np.isnan(result.iou["Car"])
    assert result.miou == pytest.approx((1.0 + sky) / 3)


def test_anomaly_metrics_pool_every_image_and_drop_void() -> None:
    image = np.full((64, 96, 3), 250, np.uint8)
    image[16:48, 32:64] = 127
    anomaly = np.zeros((64, 96), np.uint8)
    anomaly[16:48, 32:64] = 1
    anomaly[12:52, 28:68][anomaly[12:52, 28:68] == 0] = 255
    metrics = evaluate_anomaly(network, [(image, anomaly)] * 2, lambda s: input_size(s, 1280), progress=False)
    assert metrics["hybrid"].average_precision == pytest.approx(1.0)
    assert metrics["hybrid"].fpr95 == 0.0
    assert set(metrics) == {"msp", "max_logit", "entropy", "energy", "posterior", "hybrid"}


def test_reading_an_anomaly_set_names_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected a folder with images/ and labels_masks/"):
        read_anomaly_set(tmp_path)
    for folder in ("images", "labels_masks"):
        (tmp_path / folder).mkdir()
    cv2.imwrite(str(tmp_path / "images/a.jpg"), np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(DataError, match=r"no labels for a\.jpg"):
        read_anomaly_set(tmp_path)
    cv2.imwrite(str(tmp_path / "labels_masks/a.png"), np.full((8, 8), 2, np.uint8))
    with pytest.raises(DataError, match="expected 0 known, 1 anomaly, 255 void"):
        read_anomaly_set(tmp_path)
    cv2.imwrite(str(tmp_path / "labels_masks/a.png"), np.full((8, 8), 1, np.uint8))
    ((image, labels),) = read_anomaly_set(tmp_path)
    assert image.shape == (8, 8, 3)
    assert labels.min() == 1
