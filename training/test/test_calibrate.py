import numpy as np
import pytest
import torch

from hybrid_seg_train.calibrate import calibrate, expected_calibration_error, fit_temperature, with_unseen_objects
from hybrid_seg_train.data.labels import CAMVID11, OUTLIER, VOID
from hybrid_seg_train.data.sources import Example
from hybrid_seg_train.models import HybridOutput
from hybrid_seg_train.negatives.cutout import Cutout

K = len(CAMVID11)


@pytest.mark.parametrize("truth", [0.5, 1.0, 3.0])
def test_finds_the_temperature_that_made_the_labels(truth: float) -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(40_000, 5, generator=generator) * 4
    classes = torch.multinomial(torch.softmax(logits / truth, 1), 1, generator=generator)[:, 0]
    found = fit_temperature(logits, classes)
    assert found == pytest.approx(truth, rel=0.05)
    assert expected_calibration_error(logits / found, classes) < 0.02


def test_calibration_error_of_a_known_case() -> None:
    logits = torch.tensor([[0.0, 0.0]]).log_softmax(1).repeat(10, 1) + torch.tensor([[1.0, 0.0]])
    confidence = float(torch.softmax(logits, 1)[0, 0])
    classes = torch.tensor([0] * 4 + [1] * 6)
    assert expected_calibration_error(logits, classes) == pytest.approx(abs(0.4 - confidence), abs=1e-6)


def color_network(image: torch.Tensor) -> HybridOutput:
    """Knows class 0 for dark pixels; takes bright ones for outliers, the brighter the surer."""
    brightness = image[:, :1, 2::4, 2::4]
    logits = torch.zeros(1, K, *brightness.shape[2:])
    logits[:, 0] = 4.0
    return HybridOutput(logits, torch.cat([-brightness, brightness], 1))


def test_operating_points_separate_pasted_objects_of_a_network_that_sees_them() -> None:
    scenes = [Example(np.full((96, 128, 3), 40, np.uint8), np.full((96, 128), c, np.uint8)) for c in (0, 0, VOID)]
    bright = Cutout(np.full((30, 30, 3), 255, np.uint8), np.full((30, 30), 255, np.uint8), 39)
    pasted = with_unseen_objects(scenes, [bright], seed=1)
    assert all((example.labels == OUTLIER).any() for example in pasted)
    result = calibrate(color_network, pasted, (128, 96), progress=False)
    assert set(result.operating_points) == {"tpr95", "best_f1", "fpr_1", "fpr_5"}
    assert result.scores["hybrid"].average_precision > 0.8
    assert result.scores["msp"].auroc == pytest.approx(0.5)
    tpr95 = result.operating_points["tpr95"]
    assert tpr95.tpr is not None
    assert tpr95.tpr >= 0.95
