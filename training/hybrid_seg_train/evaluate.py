"""What a network scores: closed-set mIoU, and anomaly metrics of every cue on benchmark sets (METHOD section 3)."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from hybrid_seg_ros.bundle import ScoreKind
from hybrid_seg_ros.evaluation import (
    PixelMetrics,
    confusion_matrix,
    iou_per_class,
    labelled_pixels,
    mean_iou,
    pixel_metrics,
)
from hybrid_seg_train.data.coarse import CoarseSets
from hybrid_seg_train.data.label_space import load_label_space
from hybrid_seg_train.data.labels import CAMVID11
from hybrid_seg_train.data.opening import open_source
from hybrid_seg_train.data.sources import ByteImage, DataError, Example, read_image, read_labels
from hybrid_seg_train.infer import Network, Predictor, input_size
from hybrid_seg_train.scores import anomaly_scores

ANOMALY_SETS = ("RoadAnomaly21", "fs_static", "FS_LostFound_30")
"""Folders below anomaly_val/; for measuring only, nothing is ever chosen on them."""

CLOSED_SET_INPUTS = ((480, 352), (480, 384))
"""Network inputs (width, height) at which CamVid's 480 x 360 test images are measured: the default input, which scales
them by 0.978, and the smallest that holds them unscaled."""

ANOMALY_MAX_WIDTH = 1280
"""Anomaly sets are run at their own width, or at this where they are wider, px."""


@dataclass(frozen=True, slots=True)
class ClosedSetResult:
    """Closed-set accuracy on one set.

    Attributes:
        miou: mean over the classes that occur.
        iou: class name -> IoU.
    """

    miou: float
    iou: dict[str, float]


def evaluate_closed_set(
    network: Network, examples: Iterable[Example], size: tuple[int, int], *, progress: bool = True
) -> ClosedSetResult:
    """Exact mIoU at the labels' own size, void removed.

    Args:
        network: see `infer.Predictor`.
        examples: images and labels (ids 0..K-1 and VOID).
        size: network input (width, height).
        progress: show a progress bar.
    """
    predict = Predictor(network, size)
    classes = len(CAMVID11)
    confusion = np.zeros((classes, classes), np.int64)
    for example in tqdm(examples, "closed set", disable=not progress):
        labels = predict(example.image).logits.argmax(dim=0).numpy()
        confusion += confusion_matrix(labels, example.labels, classes)
    iou = iou_per_class(confusion)
    return ClosedSetResult(mean_iou(confusion), {c.name: float(v) for c, v in zip(CAMVID11, iou, strict=True)})


def evaluate_anomaly(
    network: Network,
    images: Sequence[tuple[ByteImage, ByteImage]],
    choose_size: Callable[[tuple[int, int]], tuple[int, int]],
    *,
    progress: bool = True,
) -> dict[ScoreKind, PixelMetrics]:
    """Pixel metrics of every cue over the pooled pixels of a set.

    Args:
        network: see `infer.Predictor`.
        images: (uint8[H, W, 3] BGR, uint8[H, W] with 0 known, 1 anomaly, 255 void).
        choose_size: source (width, height) -> network input (width, height).
        progress: show a progress bar.
    """
    scores: dict[ScoreKind, list[np.ndarray]] = {}
    positives: list[np.ndarray] = []
    for image, anomaly in tqdm(images, "anomaly", disable=not progress):
        output = Predictor(network, choose_size((image.shape[1], image.shape[0])))(image)
        for kind, score in anomaly_scores(*output).items():
            kept, positive = labelled_pixels(score.numpy(), anomaly)
            scores.setdefault(kind, []).append(kept)
        positives.append(positive)
    positive = np.concatenate(positives)
    return {kind: pixel_metrics(np.concatenate(parts), positive) for kind, parts in scores.items()}


def read_anomaly_set(folder: Path) -> list[tuple[ByteImage, ByteImage]]:
    """All (image, anomaly labels) of a folder with images/ and labels_masks/ of equal stems, sorted by name.

    Raises:
        DataError: no images, no label of an image, or labels other than 0, 1 and 255.
    """
    images = sorted((folder / "images").glob("*.*"))
    if not images:
        raise DataError(f"{folder / 'images'}: no images found, expected a folder with images/ and labels_masks/")
    pairs = []
    for image in images:
        label_file = next(iter(sorted((folder / "labels_masks").glob(f"{image.stem}.*"))), None)
        if label_file is None:
            raise DataError(f"{folder / 'labels_masks'}: no labels for {image.name}")
        labels = read_labels(label_file)
        if not np.isin(labels, (0, 1, 255)).all():
            raise DataError(f"{label_file}: expected 0 known, 1 anomaly, 255 void, found {np.unique(labels).tolist()}")
        pairs.append((read_image(image), labels))
    return pairs


def evaluate(network: Network, data: Path, *, progress: bool = True) -> dict[str, dict[str, Any]]:
    """CamVid test and every anomaly set below `data`, as plain JSON-ready figures in 0..1.

    Raises:
        DataError: a set is missing or not as expected.
    """
    target = load_label_space("camvid11")
    test = open_source("camvid", data / "camvid", "test", target=target, coarse=CoarseSets(len(target)))
    closed = {
        f"camvid_test_{w}x{h}": asdict(evaluate_closed_set(network, test, (w, h), progress=progress))
        for w, h in CLOSED_SET_INPUTS
    }
    anomaly = {}
    for name in ANOMALY_SETS:
        images = read_anomaly_set(data / "anomaly_val" / name)
        metrics = evaluate_anomaly(network, images, lambda s: input_size(s, ANOMALY_MAX_WIDTH), progress=progress)
        anomaly[name] = {kind: asdict(values) for kind, values in metrics.items()}
    return {"closed_set": closed, "anomaly": anomaly}
