"""What a network scores: closed-set mIoU, and anomaly metrics of every cue on several sets (METHOD section 3)."""

import datetime
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from hybrid_seg_ros.assessment.machine import machine
from hybrid_seg_ros.bundle import LogitStatistics
from hybrid_seg_ros.evaluation import (
    PixelMetrics,
    confusion_matrix,
    iou_per_class,
    labelled_pixels,
    mean_iou,
    pixel_metrics,
)
from hybrid_seg_ros.evaluation.components import ComponentMetrics, Track, best_f1_threshold, component_metrics
from hybrid_seg_train.anomaly_sets import AnomalySet, LabelledImage, anomaly_sets
from hybrid_seg_train.calibration.statistics import mahalanobis
from hybrid_seg_train.data.sources import Example
from hybrid_seg_train.infer import Network, Predictor
from hybrid_seg_train.models import ClosedSetNetwork, HeadKind, OpenSetNetwork
from hybrid_seg_train.networks import Trained
from hybrid_seg_train.recipe import Recipe
from hybrid_seg_train.samples.build import known_classes, read_source
from hybrid_seg_train.scores import Cue, anomaly_scores

ScoredImage = tuple[npt.NDArray[np.float32], npt.NDArray[np.uint8]]
"""One score float32[H, W] of an image, and its anomaly labels uint8[H, W]."""

Scored = Iterator[tuple[dict[Cue, npt.NDArray[np.float32]], npt.NDArray[np.uint8]]]


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
    network: Network, examples: Iterable[Example], names: Sequence[str], size: tuple[int, int], *, progress: bool = True
) -> ClosedSetResult:
    """Exact mIoU at the labels' own size, void removed.

    Args:
        network: see `infer.Predictor`.
        examples: images and labels; ids 0..K-1 count, all others are void.
        names: of the K classes.
        size: network input (width, height).
        progress: show a progress bar.
    """
    predict = Predictor(network, size)
    classes = len(names)
    confusion = np.zeros((classes, classes), np.int64)
    for example in tqdm(examples, "closed set", disable=not progress):
        labels = predict(example.image).logits.argmax(dim=0).numpy()
        truth = np.where(example.labels < classes, example.labels, 255).astype(np.uint8)
        confusion += confusion_matrix(labels, truth, classes)
    iou = iou_per_class(confusion)
    return ClosedSetResult(mean_iou(confusion), {n: float(v) for n, v in zip(names, iou, strict=True)})


def scored(
    network: Network,
    images: Iterable[LabelledImage],
    choose_size: Callable[[tuple[int, int]], tuple[int, int]],
    head: HeadKind = "hybrid",
    statistics: LogitStatistics | None = None,
) -> Scored:
    """Every cue's score float32[H, W] of each image, with its anomaly labels.

    Args:
        network: see `infer.Predictor`.
        images: (uint8[H, W, 3] BGR, uint8[H, W] with 0 known, 1 anomaly, 255 void).
        choose_size: source (width, height) -> network input (width, height).
        head: of an open-set network.
        statistics: of the logits, for the Mahalanobis distance; without, there is none.
    """
    for image, anomaly in images:
        output = Predictor(network, choose_size((image.shape[1], image.shape[0])))(image)
        scores = anomaly_scores(*output, head=head)
        if statistics is not None:
            scores["mahalanobis"] = mahalanobis(output.logits, statistics)
        yield {cue: score.numpy() for cue, score in scores.items()}, anomaly


def evaluate_anomaly(images: Scored) -> dict[Cue, PixelMetrics]:
    """Pixel metrics of every cue over the pooled pixels of a set."""
    scores: dict[Cue, list[npt.NDArray[np.floating]]] = {}
    positives: list[npt.NDArray[np.bool_]] = []
    for cues, anomaly in images:
        for cue, score in cues.items():
            kept, positive = labelled_pixels(score, anomaly)
            scores.setdefault(cue, []).append(kept)
        positives.append(positive)
    positive = np.concatenate(positives)
    return {cue: pixel_metrics(np.concatenate(parts), positive) for cue, parts in scores.items()}


def evaluate_components(images: Sequence[ScoredImage], track: Track) -> ComponentMetrics:
    """Component metrics of one score at its best pixel F1, as SegmentMeIfYouCan does it."""
    return component_metrics(images, best_f1_threshold(images), track)


def keeping(images: Scored, cue: Cue, kept: list[ScoredImage]) -> Scored:
    """The same images; one cue's scores stay in `kept`, for what needs them all at once."""
    for cues, anomaly in images:
        kept.append((cues[cue], anomaly))
        yield cues, anomaly


def evaluate(
    trained: Trained,
    recipe: Recipe,
    data: Path,
    statistics: LogitStatistics | None = None,
    *,
    progress: bool = True,
) -> dict[str, Any]:
    """Everything the recipe's `evaluation` names, as plain JSON-ready figures in 0..1.

    Args:
        trained: the checkpoint.
        recipe: what is measured.
        data: the data root.
        statistics: see `scored`.
        progress: show progress bars.

    Raises:
        DataError: a set is missing or not as expected.
    """
    start = time.monotonic()
    network, part = trained.network, recipe.evaluation
    cue = main_cue(trained)
    split = recipe.validation.model_copy(update={"split": part.closed_set})
    examples, names = read_source(split, recipe, data, progress=progress), known_classes(recipe).names
    closed = {
        f"{split.reader}_{split.split}_{w}x{h}": asdict(
            evaluate_closed_set(network, examples, names, (w, h), progress=progress)
        )
        for w, h in part.inputs
    }
    anomaly, components = {}, {}
    for one in anomaly_sets(recipe, data, progress=progress):
        images, kept = _scored(network, one, statistics, progress), list[ScoredImage]()
        track = part.components.get(one.name)
        anomaly[one.name] = _figures(evaluate_anomaly(images if track is None else keeping(images, cue, kept)))
        if track is not None:
            components[one.name] = {"cue": cue, "track": track, **asdict(evaluate_components(kept, track))}
    return {
        "recipe": trained.recipe.name,
        "mode": trained.mode,
        "seed": trained.recipe.seed,
        "iterations": trained.iterations,
        "closed_set": closed,
        "anomaly": anomaly,
        "components": components,
        "made": {
            "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
            "machine": "{cpu}, {cores} cores".format(**machine()),
            "seconds": round(time.monotonic() - start),
        },
    }


def main_cue(trained: Trained) -> Cue:
    """The score a network is meant to be read by: hybrid, UNO's, or the energy of a closed-set network."""
    if not isinstance(trained.network, OpenSetNetwork):
        return "energy"
    return "uno" if trained.network.head_kind == "uno" else "hybrid"


def _scored(
    network: ClosedSetNetwork | OpenSetNetwork, one: AnomalySet, statistics: LogitStatistics | None, progress: bool
) -> Scored:
    images = tqdm(one.images(), one.name, total=one.count, disable=not progress)
    head: HeadKind = network.head_kind if isinstance(network, OpenSetNetwork) else "hybrid"
    return scored(network, images, one.choose_size, head, statistics)


def _figures(metrics: Mapping[Cue, PixelMetrics]) -> dict[str, dict[str, float]]:
    return {cue: asdict(values) for cue, values in metrics.items()}
