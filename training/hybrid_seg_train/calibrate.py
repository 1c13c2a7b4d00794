"""Operating points and the confidence's temperature, found on validation data with objects of unseen kinds."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional
from tqdm import tqdm

from hybrid_seg_ros.bundle import OperatingPoint, ScoreKind
from hybrid_seg_ros.evaluation import PixelMetrics, labelled_pixels, operating_points, pixel_metrics
from hybrid_seg_train.data.labels import OUTLIER, PAVEMENT, ROAD, VOID
from hybrid_seg_train.data.sources import ByteImage, Example
from hybrid_seg_train.infer import Network, Predictor
from hybrid_seg_train.negatives.classes import COCO_HELD_OUT_KINDS, ClassFilter
from hybrid_seg_train.negatives.cutout import Cutout
from hybrid_seg_train.negatives.paste import PasteRecipe, paste_negatives
from hybrid_seg_train.negatives.read import read_negatives
from hybrid_seg_train.scores import anomaly_scores

CALIBRATION_SET = "CamVid val, objects of held-out COCO128 kinds pasted"

# Smaller objects than 16 px can hardly be told at 480 x 360; larger ones than 160 px stand in front of a bumper.
PASTE = PasteRecipe(count=(1, 3), sides=(16.0, 160.0), ground_share=0.8, blend_share=0.8, ground=(ROAD, PAVEMENT))


@dataclass(frozen=True, slots=True)
class Calibration:
    """What calibration found.

    Attributes:
        operating_points: name -> threshold on the hybrid score and its rates on the calibration set.
        temperature: divides the logits for the confidence.
        ece_before: expected calibration error of the max-softmax at temperature 1, in 0..1.
        ece_after: the same at `temperature`.
        scores: pixel metrics of every score on the calibration set.
    """

    operating_points: dict[str, OperatingPoint]
    temperature: float
    ece_before: float
    ece_after: float
    scores: dict[ScoreKind, PixelMetrics]


def held_out_objects(root: Path) -> Sequence[Cutout]:
    """The objects of COCO_HELD_OUT_KINDS in a folder of YOLO polygons: never seen as negatives in training."""
    return read_negatives("yolo", root, classes=ClassFilter(only=COCO_HELD_OUT_KINDS))


def with_unseen_objects(examples: Sequence[Example], objects: Sequence[Cutout], seed: int) -> list[Example]:
    """Every example with 1 to 3 of the objects pasted; the same seed pastes the same."""
    return [
        paste_negatives(example, objects, PASTE, np.random.default_rng((seed, index)))
        for index, example in enumerate(examples)
    ]


def anomaly_labels(labels: ByteImage) -> ByteImage:
    """Training labels -> 0 known, 1 anomaly, 255 void."""
    return np.where(labels == OUTLIER, 1, np.where(labels == VOID, 255, 0)).astype(np.uint8)


def calibrate(
    network: Network, examples: Sequence[Example], size: tuple[int, int], *, progress: bool = True
) -> Calibration:
    """Find operating points of the hybrid score and the temperature.

    Args:
        network: see `infer.Predictor`.
        examples: images whose OUTLIER pixels are the anomalies and whose class ids the known.
        size: network input (width, height), the one the bundle runs at by default.
        progress: show a progress bar.
    """
    predict = Predictor(network, size)
    scores: dict[ScoreKind, list[npt.NDArray[np.floating]]] = {}
    positives: list[npt.NDArray[np.bool_]] = []
    logits, classes = [], []
    for example in tqdm(examples, "calibrating", disable=not progress):
        output = predict(example.image)
        anomaly = anomaly_labels(example.labels)
        for kind, score in anomaly_scores(*output).items():
            kept, positive = labelled_pixels(score.numpy(), anomaly)
            scores.setdefault(kind, []).append(kept)
        positives.append(positive)
        # Neighbouring pixels say much the same: every 4th along both sides is plenty for one number.
        sparse = torch.from_numpy(example.labels[::4, ::4].astype(np.int64))
        known = sparse < OUTLIER
        logits.append(output.logits[:, ::4, ::4][:, known].T)
        classes.append(sparse[known])
    positive = np.concatenate(positives)
    pooled = {kind: np.concatenate(parts) for kind, parts in scores.items()}
    source = f"{CALIBRATION_SET}, network input {size[0]}x{size[1]}"
    points = {
        name: OperatingPoint(threshold=point.threshold, source=source, tpr=point.tpr, fpr=point.fpr)
        for name, point in operating_points(pooled["hybrid"], positive).items()
    }
    all_logits, all_classes = torch.cat(logits), torch.cat(classes)
    temperature = fit_temperature(all_logits, all_classes)
    return Calibration(
        points,
        temperature,
        expected_calibration_error(all_logits, all_classes),
        expected_calibration_error(all_logits / temperature, all_classes),
        {kind: pixel_metrics(score, positive) for kind, score in pooled.items()},
    )


def fit_temperature(logits: torch.Tensor, classes: torch.Tensor) -> float:
    """The T that minimises the negative log-likelihood of softmax(logits / T), by golden-section search of ln T.

    Args:
        logits: float32[N, K].
        classes: int64[N], the true classes.
    """

    def loss(log_temperature: float) -> float:
        return float(functional.cross_entropy(logits / math.exp(log_temperature), classes))

    ratio = (math.sqrt(5) - 1) / 2
    low, high = math.log(0.2), math.log(8.0)
    left, right = high - ratio * (high - low), low + ratio * (high - low)
    loss_left, loss_right = loss(left), loss(right)
    while high - low > 1e-3:
        if loss_left < loss_right:
            high, right, loss_right = right, left, loss_left
            left = high - ratio * (high - low)
            loss_left = loss(left)
        else:
            low, left, loss_left = left, right, loss_right
            right = low + ratio * (high - low)
            loss_right = loss(right)
    return math.exp((low + high) / 2)


def expected_calibration_error(logits: torch.Tensor, classes: torch.Tensor, bins: int = 15) -> float:
    """ECE of the max-softmax: mean over pixels of |accuracy - confidence| of equally wide confidence bins."""
    confidence, predicted = torch.softmax(logits, dim=1).max(dim=1)
    correct = (predicted == classes).double()
    index = (confidence * bins).long().clamp(max=bins - 1)
    gap = torch.zeros(bins, dtype=torch.float64).index_add_(0, index, correct - confidence.double())
    return float(gap.abs().sum() / len(classes))
