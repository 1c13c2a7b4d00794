from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from hybrid_seg_ros.bundle import ScoreKind
from hybrid_seg_train.calibrate import Calibration, calibrate
from hybrid_seg_train.data.labels import OUTLIER, VOID
from hybrid_seg_train.data.sources import Example
from hybrid_seg_train.layout import CALIBRATION, RELIABILITY
from hybrid_seg_train.models import HybridOutput
from hybrid_seg_train.run import read_calibration, write_calibration

K = 5
DARK, LIGHT = 40, 90


def color_network(image: torch.Tensor) -> HybridOutput:
    """Knows class 0 for dark pixels, 1 for lighter ones; takes bright ones for outliers, the brighter the surer."""
    brightness = image[:, :1, 2::4, 2::4]
    logits = torch.zeros(1, K, *brightness.shape[2:])
    for known, middle in enumerate((DARK, LIGHT)):
        logits[:, known] = 6 - 20 * (brightness[:, 0] - (middle / 255 - 0.5) / 0.5).abs()
    return HybridOutput(logits, torch.cat([-2 * brightness, 2 * brightness], 1))


def scenes(count: int = 4) -> list[Example]:
    """Halves of class 0 and 1, a bright object, a corner of void and one of a coarse label; some of 1 is called 2."""
    return [scene(20 + 10 * i) for i in range(count)]


def scene(x: int) -> Example:
    image = np.full((96, 128, 3), DARK, np.uint8)
    image[:, 64:] = LIGHT
    labels = np.zeros((96, 128), np.uint8)
    labels[:, 64:], labels[:20, 64:], labels[:8, :8], labels[-8:, :8] = 1, 2, VOID, K + 3
    image[40:60, x : x + 30], labels[40:60, x : x + 30] = 255, OUTLIER
    return Example(image, labels)


@pytest.fixture(scope="module")
def calibration() -> Calibration:
    return calibrate(color_network, scenes(), (128, 96), source="generated", progress=False)


def test_operating_points_separate_pasted_objects_of_a_network_that_sees_them(calibration: Calibration) -> None:
    assert set(calibration.operating_points) == {"tpr95", "best_f1", "fpr_1", "fpr_5"}
    assert calibration.scores["hybrid"].average_precision > 0.8
    tpr95 = calibration.operating_points["tpr95"]
    assert tpr95.tpr is not None
    assert tpr95.tpr >= 0.95
    assert tpr95.source == "generated, network input 128x96"


@pytest.mark.parametrize(("kind", "known", "outlier"), [("posterior", -1.4, 0.0), ("energy", -6.0, -1.0)])
def test_operating_points_of_another_score(kind: ScoreKind, known: float, outlier: float) -> None:
    result = calibrate(color_network, scenes(), (128, 96), kind=kind, progress=False)
    assert result.kind == kind
    # Between what the network says of class 1 and of the brightest pixels.
    assert known < result.operating_points["best_f1"].threshold < outlier


def test_more_pixels_than_the_limit_give_nearly_the_same_and_say_so(calibration: Calibration) -> None:
    result = calibrate(color_network, scenes(), (128, 96), pixel_limit=15_000, progress=False)
    point = result.operating_points["best_f1"]
    assert point.source.endswith(", a random 1/4 of the pixels")
    assert result.scores["hybrid"].auroc == pytest.approx(calibration.scores["hybrid"].auroc, abs=0.02)
    assert result == calibrate(color_network, scenes(), (128, 96), pixel_limit=15_000, progress=False)


def test_the_confidence_is_judged_on_images_it_was_not_fitted_on(calibration: Calibration) -> None:
    assert set(calibration.reliability) == {"none", "temperature", "isotonic"}
    best = min(calibration.reliability, key=lambda method: calibration.reliability[method].ece)
    assert calibration.method == best
    assert calibration.ece_before == calibration.reliability["none"].ece
    assert calibration.ece_after == calibration.reliability[best].ece < 0.05
    assert (calibration.confidence_table is not None) == (best == "isotonic")
    # Every 4th pixel of both sides of the second half; void, coarse labels and objects do not count.
    labels = np.stack([example.labels[::4, ::4] for example in scenes()[2:]])
    assert calibration.reliability["none"].pixels == (labels < K).sum()
    # A second half that contradicts the first is seen: there, class 1 is always called 2.
    wrong = [Example(e.image, np.where(e.labels == 1, 2, e.labels).astype(np.uint8)) for e in scenes()[2:]]
    contradicted = calibrate(color_network, [*scenes()[:2], *wrong], (128, 96), progress=False)
    assert contradicted.ece_after > 0.3


def test_statistics_are_of_rightly_classified_pixels(calibration: Calibration) -> None:
    statistics = calibration.statistics
    assert statistics is not None
    assert len(statistics.pixels) == K
    assert statistics.pixels[0] > 0
    assert statistics.pixels[1] > 0
    assert statistics.pixels[3:] == (0, 0)
    assert statistics.means[0][0] > statistics.means[0][1]
    assert statistics.source.startswith("generated, network input 128x96")


def test_half_the_images_without_known_pixels_cannot_judge() -> None:
    known = scenes(1)
    void = replace(known[0], labels=np.full_like(known[0].labels, VOID))
    with pytest.raises(ValueError, match="half of the images hold no pixel of a known class"):
        calibrate(color_network, [*known, void], (128, 96), source="generated", progress=False)
    with pytest.raises(ValueError, match="generated: 1 images, expected at least 2"):
        calibrate(color_network, known, (128, 96), source="generated", progress=False)


def test_a_calibration_survives_its_run_folder(calibration: Calibration, tmp_path: Path) -> None:
    write_calibration(tmp_path, calibration)
    assert read_calibration(tmp_path) == calibration
    picture = cv2.imread(str(tmp_path / RELIABILITY))
    assert picture is not None
    assert picture.std() > 10


def test_a_calibration_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    figures = '{"average_precision": 0.5, "fpr95": 0.25, "auroc": 0.75}'
    (tmp_path / CALIBRATION).write_text(
        '{"operating_points": {"best_f1": {"threshold": -0.5, "source": "somewhere", "tpr": 0.5, "fpr": null}},'
        f' "temperature": 1.25, "ece_before": 0.02, "ece_after": 0.01, "scores": {{"hybrid": {figures}}}}}'
    )
    found = read_calibration(tmp_path)
    assert (found.temperature, found.kind, found.confidence_table, found.statistics) == (1.25, "hybrid", None, None)
    assert found.operating_points["best_f1"].threshold == -0.5
    assert write_calibration(tmp_path, found).is_file()
    assert not (tmp_path / RELIABILITY).exists()
    (tmp_path / CALIBRATION).write_text('{"temperature": 1}')
    with pytest.raises(ValueError, match=r"(?s)calibration\.json: no calibration: .*again with: hybrid-seg-train"):
        read_calibration(tmp_path)
