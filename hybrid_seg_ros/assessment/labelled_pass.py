"""One pass over a labelled set: every image's scores and labels, and the names of those that cannot be used."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from hybrid_seg_ros.assessment.sources import ScoreSource
from hybrid_seg_ros.datasets.sample import Dataset, Sample
from hybrid_seg_ros.detector import InvalidOutputError
from hybrid_seg_ros.report.document import Problem

Take = Callable[[npt.NDArray[np.float32], npt.NDArray[np.uint8]], None]
"""Takes score float32[H, W] and labels uint8[H, W] (0 known, 1 anomaly, 255 void); ValueError: it cannot."""


@dataclass(frozen=True, slots=True)
class Passed:
    """What a pass has seen.

    Attributes:
        images: how many images were taken, at least one.
        problems: the images that were left out, and why.
    """

    images: int
    problems: tuple[Problem, ...]


def labelled_pass(dataset: Dataset, scores: ScoreSource, take: Take, *, progress: bool = True) -> Passed:
    """Give every image to `take`, one in memory; one that cannot be read, scored or taken is left out and named.

    Args:
        dataset: labelled images.
        scores: of which the first kind counts: the one that the bundle is read by.
        take: called with each.
        progress: show a progress bar on stderr.

    Raises:
        ValueError: no image could be used.
        BackendError: the network does not load.
    """
    problems = [Problem(where=where, what=what) for where, what in dataset.problems]
    images = 0
    for sample in tqdm(dataset.samples, desc="calibrate", unit="image", disable=not progress):
        try:
            take(*_pixels(sample, scores))
        except (ValueError, OSError, InvalidOutputError) as error:
            problems.append(Problem(where=sample.name, what=str(error)))
            continue
        images += 1
    if not images:
        first = f"; the first: {problems[0].where}: {problems[0].what}" if problems else ""
        raise ValueError(f"{dataset.name}: none of its {len(dataset.samples)} images could be used{first}")
    return Passed(images, tuple(problems))


def _pixels(sample: Sample, scores: ScoreSource) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.uint8]]:
    anomaly = sample.anomaly()
    if anomaly is None:
        raise ValueError("it has no anomaly labels")
    kind = scores.kinds[0]
    score = scores.maps(sample, [kind]).scores[kind]
    if score.shape != anomaly.shape:
        raise ValueError(f"its score map is {score.shape}, its labels are {anomaly.shape}; expected equal shapes")
    return score, anomaly
