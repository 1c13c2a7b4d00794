"""Counts of consecutive images, block by block, and the metrics of any weighting of the blocks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

Metric = Literal["ap", "auroc", "fpr95", "miou"]
ScoreMetric = Literal["ap", "auroc", "fpr95"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class BlockTable:
    """Pixels of each block with score >= threshold, as `report.document.Blocks`.

    Metrics are of the curve through these thresholds only; between two of them it is a step (AP), a straight line
    (AUROC) or the next lower threshold (FPR95). The differences of two runs hardly depend on that, the values do.

    Attributes:
        thresholds: T of them, descending, the last lower than every score.
        images: int[B], how many images each block holds.
        known: int[B, T].
        anomaly: int[B, T].
    """

    thresholds: Sequence[float]
    images: Sequence[int]
    known: Sequence[Sequence[int]]
    anomaly: Sequence[Sequence[int]]

    def __post_init__(self) -> None:
        expected = (len(self.images), len(self.thresholds))
        for name in ("known", "anomaly"):
            found = {len(row) for row in getattr(self, name)}
            if len(getattr(self, name)) != expected[0] or not found <= {expected[1]} or not all(expected):
                raise ValueError(f"blocks.{name}: expected {expected[0]} rows of {expected[1]}, found rows of {found}")

    def same_images(self, other: object) -> bool:
        """Whether the blocks of both hold as many images, known and anomalous pixels each: the same images."""
        return (
            isinstance(other, BlockTable)
            and list(self.images) == list(other.images)
            and all(
                mine[-1] == theirs[-1]
                for a, b in ((self.known, other.known), (self.anomaly, other.anomaly))
                for mine, theirs in zip(a, b, strict=True)
            )
        )

    def metric(self, name: Metric, weights: Floats) -> Floats:
        """The metric of every weighting of the blocks: float64[R, B] -> float64[R]; NaN where it is not defined.

        Raises:
            ValueError: not a metric of scores.
        """
        if name not in get_args(ScoreMetric):
            raise ValueError(f"metric is {name!r}, expected one of {', '.join(get_args(ScoreMetric))} of score blocks")
        above_known = weights @ np.asarray(self.known, np.float64)
        above_anomaly = weights @ np.asarray(self.anomaly, np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            tpr = above_anomaly / above_anomaly[:, -1:]
            fpr = above_known / above_known[:, -1:]
            precision = above_anomaly / (above_anomaly + above_known)
        if name == "ap":
            steps = np.diff(tpr, prepend=0.0, axis=1)
            # Nothing above the threshold: no step either.
            values = np.where(steps > 0, steps * precision, 0.0).sum(axis=1)
        elif name == "auroc":
            widths = np.diff(fpr, prepend=0.0, axis=1)
            values = (widths * (tpr + np.pad(tpr, ((0, 0), (1, 0)))[:, :-1]) / 2).sum(axis=1)
        else:
            values = np.take_along_axis(fpr, np.argmax(tpr >= 0.95, axis=1)[:, None], axis=1)[:, 0]
        defined = (above_anomaly[:, -1] > 0) & (above_known[:, -1] > 0)
        return np.where(defined, values, np.nan)


@dataclass(frozen=True, slots=True)
class ClassTable:
    """Pixels of each block and class, as `report.document.ClassBlocks`: what an mIoU is made of.

    Attributes:
        images: int[B], how many images each block holds.
        intersection: int[B, K], pixels of the class that are predicted as it.
        predicted: int[B, K], pixels predicted as the class.
        truth: int[B, K], pixels of the class.
    """

    images: Sequence[int]
    intersection: Sequence[Sequence[int]]
    predicted: Sequence[Sequence[int]]
    truth: Sequence[Sequence[int]]

    def same_images(self, other: object) -> bool:
        """Whether the blocks of both hold as many images and pixels of each class: the same images."""
        return (
            isinstance(other, ClassTable)
            and list(self.images) == list(other.images)
            and [list(row) for row in self.truth] == [list(row) for row in other.truth]
        )

    def metric(self, name: Metric, weights: Floats) -> Floats:
        """The mIoU of every weighting of the blocks: float64[R, B] -> float64[R]; NaN where no class is there.

        Raises:
            ValueError: another metric than "miou".
        """
        if name != "miou":
            raise ValueError(f"metric is {name!r}, expected 'miou' of class blocks")
        hits, predicted, truth = (
            weights @ np.asarray(rows, np.float64) for rows in (self.intersection, self.predicted, self.truth)
        )
        union = predicted + truth - hits
        there = union > 0
        iou = np.where(there, hits / np.where(there, union, 1), 0.0)
        count = there.sum(axis=1)
        return np.where(count > 0, iou.sum(axis=1) / np.maximum(count, 1), np.nan)
