"""Operating points, confidence and logit statistics, found on validation data with objects of unseen kinds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from hybrid_seg_ros.bundle import LogitStatistics, OperatingPoint, ScoreKind
from hybrid_seg_ros.evaluation import PixelMetrics, labelled_pixels, operating_points, pixel_metrics
from hybrid_seg_train.calibration.confidence import Method, Table, fit, judge
from hybrid_seg_train.calibration.pool import PixelPool
from hybrid_seg_train.calibration.reliability import Reliability
from hybrid_seg_train.calibration.statistics import logit_statistics
from hybrid_seg_train.data.sources import ByteImage, Example
from hybrid_seg_train.infer import OpenNetwork, Predictor
from hybrid_seg_train.scores import Cue, anomaly_scores
from hybrid_seg_train.unseen import anomaly_labels

CALIBRATION_SET = "the calibration set"

PIXEL_LIMIT = 20_000_000
"""So many pixels are ranked exactly (all of CamVid val); of a larger set, a uniform random part of this size."""

# Neighbouring pixels' classes say much the same: every 4th along both sides is plenty for confidence and statistics.
_SPARSE = 4
_LOGIT_LIMIT = 600_000


@dataclass(frozen=True, slots=True)
class Calibration:
    """What calibration found.

    Attributes:
        operating_points: name -> threshold on the score and its rates on the calibration set.
        temperature: divides the logits for the confidence.
        ece_before: expected calibration error of the max-softmax at temperature 1, in 0..1.
        ece_after: the same of the chosen method.
        scores: pixel metrics of every score on the calibration set.
        kind: the score that the operating points are of.
        source: the labelled set.
        method: how the confidence is made: the method with the smallest ECE on the held-out images.
        confidence_table: see `calibration.confidence.ConfidenceMap.table`.
        reliability: method -> how good it is on the held-out images, fitted on the others.
        statistics: logits of every class; None where there are no pixels of any.
    """

    operating_points: dict[str, OperatingPoint]
    temperature: float
    ece_before: float
    ece_after: float
    scores: dict[Cue, PixelMetrics]
    kind: ScoreKind = "hybrid"
    source: str = CALIBRATION_SET
    method: Method = "temperature"
    confidence_table: Table | None = None
    reliability: dict[Method, Reliability] = field(default_factory=dict)
    statistics: LogitStatistics | None = None


def calibrate(
    network: OpenNetwork,
    examples: Sequence[Example],
    size: tuple[int, int],
    *,
    source: str = CALIBRATION_SET,
    kind: ScoreKind = "hybrid",
    pixel_limit: int = PIXEL_LIMIT,
    progress: bool = True,
) -> Calibration:
    """Find operating points of a score, the confidence, and the logit statistics, in one pass over the images.

    The operating points are exact on the pixels that are pooled: all of the set up to `pixel_limit`, beyond that a
    uniform random part, which the points' `source` then states. The confidence's methods are fitted on the first half
    of the images and compared on the second half (a clip's neighbouring frames would leak through any finer split);
    the chosen one is then fitted on all of them, on every 4th pixel along both sides and on at most
    600,000 random ones of each half. Memory does not grow with the number of images.

    Args:
        network: see `infer.Predictor`; of any number of classes.
        examples: images whose OUTLIER pixels are the anomalies and whose class ids the known; coarse labels count as
            known for the score and not at all for the confidence. A sequence that reads its images on access is fine.
        size: network input (width, height), the one the bundle runs at by default.
        source: what the set is called in the manifest.
        kind: the score that gets the operating points.
        pixel_limit: how many pixels are pooled for the scores.
        progress: show a progress bar.

    Raises:
        ValueError: fewer than two images, no anomaly or no known pixel among them, or half of them without any pixel
            of a known class.
    """
    if len(examples) < 2:
        raise ValueError(
            f"{source}: {len(examples)} images, expected at least 2: one half judges the other's confidence"
        )
    predict = Predictor(network, size)
    ranked, halves = PixelPool(pixel_limit), (PixelPool(_LOGIT_LIMIT, 1), PixelPool(_LOGIT_LIMIT, 2))
    kinds: tuple[Cue, ...] = ()
    for index, example in enumerate(tqdm(examples, "calibrating", disable=not progress)):
        output = predict(example.image)
        scores = anomaly_scores(*output)
        kinds = tuple(scores)
        _add_scores(ranked, scores, example.labels)
        _add_logits(halves[2 * index >= len(examples)], output.logits, example.labels)
    positive = ranked.column("positive")
    where = f"{source}, network input {size[0]}x{size[1]}"
    part = "" if ranked.share == 1 else f", a random 1/{1 / ranked.share:.0f} of the pixels"
    fitting, held_out = (_known_pixels(half, source) for half in halves)
    reliability = {mapping.method: judge(mapping, *held_out) for mapping in fit(*fitting)}
    logits, classes = (torch.cat(parts) for parts in zip(fitting, held_out, strict=True))
    chosen = min(fit(logits, classes), key=lambda mapping: reliability[mapping.method].ece)
    return Calibration(
        operating_points={
            name: OperatingPoint(threshold=point.threshold, source=where + part, tpr=point.tpr, fpr=point.fpr)
            for name, point in operating_points(ranked.column(kind), positive).items()
        },
        temperature=chosen.temperature,
        ece_before=reliability["none"].ece,
        ece_after=reliability[chosen.method].ece,
        scores={name: pixel_metrics(ranked.column(name), positive) for name in kinds},
        kind=kind,
        source=source,
        method=chosen.method,
        confidence_table=chosen.table,
        reliability=reliability,
        statistics=logit_statistics(logits, classes, f"{where}, every {_SPARSE}th pixel along both sides"),
    )


def _add_scores(pool: PixelPool, scores: Mapping[Cue, Tensor], labels: ByteImage) -> None:
    """Every labelled pixel's scores, and whether it is an anomaly."""
    anomaly = anomaly_labels(labels)
    kept = {name: labelled_pixels(score.numpy(), anomaly) for name, score in scores.items()}
    positive = next(iter(kept.values()))[1]
    pool.add(**{name: values for name, (values, _) in kept.items()}, positive=positive)


def _add_logits(pool: PixelPool, logits: Tensor, labels: ByteImage) -> None:
    """Logits and class of the pixels of known classes, thinned."""
    classes = labels[::_SPARSE, ::_SPARSE]
    known = classes < len(logits)  # coarse labels, negatives and void come after the K classes
    sparse = logits[:, ::_SPARSE, ::_SPARSE].permute(1, 2, 0).numpy()
    pool.add(logits=sparse[known], classes=classes[known].astype(np.int64))


def _known_pixels(pool: PixelPool, source: str) -> tuple[Tensor, Tensor]:
    if not len(pool):
        raise ValueError(f"{source}: half of the images hold no pixel of a known class, expected some in each half")
    return torch.from_numpy(pool.column("logits")), torch.from_numpy(pool.column("classes"))
