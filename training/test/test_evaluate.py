from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from tiny import make_data, recipe

from hybrid_seg_ros.bundle import LogitStatistics
from hybrid_seg_ros.frames.geometry import own_input_size
from hybrid_seg_train.anomaly_sets import anomaly_sets, benchmark_folder
from hybrid_seg_train.data.labels import CAMVID11, OUTLIER, ROAD, VOID
from hybrid_seg_train.data.sources import DataError, Example
from hybrid_seg_train.evaluate import (
    ScoredImage,
    evaluate_anomaly,
    evaluate_closed_set,
    evaluate_components,
    keeping,
    scored,
)
from hybrid_seg_train.models import HybridOutput

NAMES = tuple(known.name for known in CAMVID11)


def network(image: torch.Tensor) -> HybridOutput:
    """Road where the picture is dark, Sky where it is bright, unsure and outlier where it is grey."""
    brightness = image[:, :1, 2::4, 2::4]
    logits = torch.zeros(1, len(CAMVID11), *brightness.shape[2:])
    logits[:, 0], logits[:, ROAD] = 6 * brightness[:, 0], -6 * brightness[:, 0]
    outlier = 2 - 6 * brightness.abs()
    return HybridOutput(logits, torch.cat([-outlier, outlier], 1))


def closed(image: torch.Tensor) -> torch.Tensor:
    return network(image).logits


@pytest.mark.parametrize("model", [network, closed])
def test_closed_set_counts_what_is_there(model: object) -> None:
    image = np.full((64, 96, 3), 250, np.uint8)
    image[32:] = 5
    labels = np.zeros((64, 96), np.uint8)
    labels[32:], labels[:, :8], labels[40:44, 20:30] = ROAD, VOID, OUTLIER
    labels[:16, 48:] = 1  # a quarter of the upper half is no sky
    result = evaluate_closed_set(model, [Example(image, labels)], NAMES, (96, 64), progress=False)  # type: ignore[arg-type]
    assert result.iou["Road"] == pytest.approx(1.0)
    sky = (32 * 88 - 16 * 48) / (32 * 88)
    assert result.iou["Sky"] == pytest.approx(sky)
    assert result.iou["Building"] == 0.0
    assert np.isnan(result.iou["Car"])
    assert result.miou == pytest.approx((1.0 + sky) / 3)


def grey_square() -> tuple[np.ndarray, np.ndarray]:
    image = np.full((64, 96, 3), 250, np.uint8)
    image[16:48, 32:64] = 127
    anomaly = np.zeros((64, 96), np.uint8)
    anomaly[16:48, 32:64] = 1
    anomaly[12:52, 28:68][anomaly[12:52, 28:68] == 0] = 255
    return image, anomaly


def test_anomaly_metrics_pool_every_image_and_drop_void() -> None:
    pairs = [grey_square()] * 2
    metrics = evaluate_anomaly(scored(network, pairs, lambda s: own_input_size(s, 1280)))
    assert metrics["hybrid"].average_precision == pytest.approx(1.0)
    assert metrics["hybrid"].fpr95 == 0.0
    assert set(metrics) == {"msp", "max_logit", "entropy", "energy", "posterior", "hybrid"}
    assert set(evaluate_anomaly(scored(closed, pairs, lambda s: s))) == {"msp", "max_logit", "entropy", "energy"}
    known = LogitStatistics(source="", pixels=(1,) * 11, means=((0.0,) * 11,) * 11, variances=((1.0,) * 11,) * 11)
    distances = evaluate_anomaly(scored(network, pairs, lambda s: s, statistics=known))["mahalanobis"]
    assert distances.auroc < 0.1  # the grey square's logits are nearest to zero
    assert "uno" in evaluate_anomaly(scored(network, pairs, lambda s: s, head="uno"))


def test_an_object_that_is_found_whole_has_full_component_metrics() -> None:
    kept: list[ScoredImage] = []
    metrics = evaluate_anomaly(keeping(scored(network, [grey_square()], lambda s: s), "hybrid", kept))
    assert metrics["hybrid"].average_precision == pytest.approx(1.0)
    found = evaluate_components(kept, "anomaly")
    assert found.ground_truth == 1
    assert found.mean_siou > 0.9
    assert found.mean_f1 == pytest.approx(1.0)


def test_reading_a_benchmark_folder_names_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected a folder with images/ and labels_masks/"):
        benchmark_folder("a", tmp_path, 1280)
    for folder in ("images", "labels_masks"):
        (tmp_path / folder).mkdir()
    cv2.imwrite(str(tmp_path / "images/a.jpg"), np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(DataError, match=r"no labels for a\.jpg"):
        benchmark_folder("a", tmp_path, 1280)
    cv2.imwrite(str(tmp_path / "labels_masks/a.png"), np.full((8, 8), 2, np.uint8))
    with pytest.raises(DataError, match="expected 0 known, 1 anomaly, 255 void"):
        next(benchmark_folder("a", tmp_path, 1280).images())
    cv2.imwrite(str(tmp_path / "labels_masks/a.png"), np.full((8, 8), 1, np.uint8))
    ((image, labels),) = benchmark_folder("a", tmp_path, 1280).images()
    assert image.shape == (8, 8, 3)
    assert labels.min() == 1


def test_a_held_out_class_is_the_anomaly_of_its_own_set(tmp_path: Path) -> None:
    data = make_data(tmp_path)
    plan = recipe(1).model_copy(update={"hold_out": ("Road",)})
    sets = {one.name: one for one in anomaly_sets(plan, data, progress=False)}
    assert set(sets) == {"set", "camvid_test_pasted", "camvid_test_road"}
    for image, anomaly in sets["camvid_test_road"].images():
        np.testing.assert_array_equal(anomaly == 1, image.mean(axis=2) < 140)
    assert all((anomaly == 1).any() for _, anomaly in sets["camvid_test_pasted"].images())
    assert sets["camvid_test_pasted"].choose_size((640, 480)) == (128, 96)
