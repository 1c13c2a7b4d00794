"""From a labelled set to an operating point: the threshold that meets a target there, or keeps it elsewhere, too."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.assessment.known_scenes import KnownScenes
from hybrid_seg_ros.assessment.labelled_pass import labelled_pass
from hybrid_seg_ros.assessment.sources import ScoreSource
from hybrid_seg_ros.bundle import Guarantee, OperatingPoint
from hybrid_seg_ros.datasets.sample import Dataset
from hybrid_seg_ros.evaluation.conformal import ImageRisk, allowed_mean_loss
from hybrid_seg_ros.evaluation.pixel_counts import PixelCounts
from hybrid_seg_ros.evaluation.targets import Target, rates_above, threshold_for
from hybrid_seg_ros.report.document import Problem


@dataclass(frozen=True, slots=True)
class FoundThreshold:
    """An operating point, and what it was found on.

    Attributes:
        point: the threshold, its pooled rates on the set, and its guarantee, if one was asked for.
        target: what it is to do.
        images: how many images were counted.
        mean_risk: mean over images of the guaranteed risk at the threshold; None without a guarantee.
        problems: the images that were left out, and why.
    """

    point: OperatingPoint
    target: Target
    images: int
    mean_risk: float | None
    problems: Sequence[Problem]


def find_threshold(
    dataset: Dataset,
    scores: ScoreSource,
    target: Target,
    *,
    origin: str,
    guarantee: bool = False,
    confidence: float | None = None,
    scenes: KnownScenes | None = None,
    progress: bool = True,
) -> FoundThreshold:
    """One pass over a set, one image in memory.

    An image that cannot be read or scored is left out and named. A set without anomaly suffices for "fpr".

    Args:
        dataset: labelled images.
        scores: of which the first kind counts: the one that the bundle is read by.
        target: what the threshold is to do: without a guarantee on the pooled pixels of this set.
        origin: what the set is called in the operating point.
        guarantee: choose it by a finite-sample bound on the mean risk of further images instead.
        confidence: of that bound, between 0 and 1; None: on average over sets (conformal risk control).
        scenes: collects the known scenes of the same pass.
        progress: show a progress bar on stderr.

    Raises:
        ValueError: no image is labelled, no threshold meets the target, or the images are too few for the guarantee.
        BackendError: the network does not load.
    """
    if confidence is not None and not guarantee:
        raise ValueError(f"confidence {confidence:g} is that of a guarantee, which was not asked for: add --guarantee")
    if guarantee:  # what no image can mend is said before the run
        allowed_mean_loss(len(dataset.samples), target.risk, target.level, confidence)
    counts, risk = PixelCounts(), ImageRisk(target.risk)

    def take(score: npt.NDArray[np.float32], anomaly: npt.NDArray[np.uint8]) -> None:
        counts.add(score, anomaly)
        risk.add(score, anomaly)
        if scenes is not None:
            scenes.add(score, anomaly)

    passed = labelled_pass(dataset, scores, take, progress=progress)
    images, problems = passed.images, passed.problems
    source = f"{origin}, {images} images"
    if not guarantee:
        return FoundThreshold(_point(counts, threshold_for(counts, target), source), target, images, None, problems)
    bound = risk.threshold(target.level, confidence)
    point = _point(counts, bound.threshold, source).model_copy(
        update={
            "guarantee": Guarantee(
                risk=bound.risk,
                level=bound.level,
                confidence=bound.confidence,
                method=bound.method,
                images=bound.images,
                set=origin,
            )
        }
    )
    return FoundThreshold(point, target, images, bound.mean_loss, problems)


def _point(counts: PixelCounts, threshold: float, source: str) -> OperatingPoint:
    tpr, fpr = rates_above(counts, threshold)
    return OperatingPoint(threshold=threshold, source=source, tpr=tpr, fpr=fpr)
