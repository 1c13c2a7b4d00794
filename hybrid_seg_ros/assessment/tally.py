"""What is counted of a set while its maps are seen for the first time; memory does not grow with its pixels."""

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.assessment.scores import ScoreMaps
from hybrid_seg_ros.evaluation.blocks import MAX_BLOCKS, BlockCounts
from hybrid_seg_ros.evaluation.calibration import CalibrationCounts
from hybrid_seg_ros.evaluation.confusion import VOID, confusion_matrix
from hybrid_seg_ros.evaluation.distance import DistanceCounts
from hybrid_seg_ros.evaluation.open_set import OpenSetCounts
from hybrid_seg_ros.evaluation.pixel import PixelMetrics, pixel_metrics
from hybrid_seg_ros.evaluation.pixel_counts import PixelCounts
from hybrid_seg_ros.evaluation.ranking import labelled_pixels
from hybrid_seg_ros.report.document import ClassBlocks

Labels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Truth:
    """What is true of one image; uint8[H, W] unless said otherwise, None where it is not known.

    Attributes:
        anomaly: 0 known, 1 anomaly, else void.
        labels: ids of the network's classes, 255 void.
        distance_m: float32[H, W], m, NaN where unknown; None: the set has no stereo.
        fold: of the open-set evaluation; None: the set has no folds.
    """

    anomaly: Labels | None
    labels: Labels | None
    distance_m: npt.NDArray[np.float32] | None = None
    fold: int | None = None


class Tally:
    """Counts of all images so far.

    Args:
        kinds: the scores that are counted.
        classes: how many classes the labels have; 0: none are counted.
        per_image: rank the pixels of each image, too.

    Attributes:
        counts: kind -> pixels by score, of all images.
        blocks: kind -> the same by blocks of images, for resampling.
        open_set: of the first kind; None until an image of a fold with labels of both sorts was counted.
        distance: kind -> the same by distance; empty until an image with distances was counted.
        confusion: int64[K, K] of all images, row = truth.
        reliability: of the confidence, where there are class labels.
        images: how many were counted.
        without_anomaly: how many of those with anomaly labels have no anomaly.
        ranked: kind -> the metrics of each image that has known and anomaly pixels.
    """

    def __init__(self, kinds: Sequence[str], classes: int, *, per_image: bool) -> None:
        self.counts = {kind: PixelCounts() for kind in kinds}
        self.blocks = {kind: BlockCounts() for kind in kinds}
        self.open_set: OpenSetCounts | None = None
        self.distance: dict[str, DistanceCounts] = {}
        self.confusion = np.zeros((classes, classes), np.int64)
        self.reliability = CalibrationCounts()
        self.images = 0
        self.without_anomaly = 0
        self.ranked: dict[str, list[PixelMetrics]] = {kind: [] for kind in kinds}
        self._per_image = per_image
        self._class_rows: list[npt.NDArray[np.int64]] = []

    def add(self, maps: ScoreMaps, truth: Truth, workers: Executor) -> None:
        """Count one image; nothing of it is counted where it raises.

        Raises:
            ValueError: maps and truth are not of one size, a score is NaN, or labels have ids that are no classes.
        """
        check(maps, truth)
        confusion = self._confusion(maps, truth)
        if truth.anomaly is not None:
            anomaly = truth.anomaly
            if truth.distance_m is not None and not self.distance:
                self.distance = {kind: DistanceCounts() for kind in self.counts}
            list(workers.map(lambda kind: self._count(kind, maps, truth, anomaly), self.counts))
            self._reject(maps, truth)
            present = bool((anomaly == 1).any())
            self.without_anomaly += not present
            if self._per_image and present and bool((anomaly == 0).any()):
                for kind, metrics in workers.map(lambda kind: (kind, _ranked(maps, kind, anomaly)), self.counts):
                    self.ranked[kind].append(metrics)
        if confusion is not None and maps.labels is not None and truth.labels is not None:
            if maps.confidence is not None:
                self.reliability.add(maps.confidence / np.float32(255), maps.labels, truth.labels)
            self.confusion += confusion
            self._class_rows.append(np.stack([np.diag(confusion), confusion.sum(axis=0), confusion.sum(axis=1)]))
        self.images += 1

    def class_blocks(self) -> ClassBlocks | None:
        """Counts of consecutive images for resampling the mIoU; None where no image has class labels."""
        if not self._class_rows:
            return None
        rows, size = np.stack(self._class_rows), 1
        while len(rows) > MAX_BLOCKS * size:  # as BlockCounts joins its blocks
            size *= 2
        starts = np.arange(0, len(rows), size)
        hits, predicted, truth = np.add.reduceat(rows, starts).swapaxes(0, 1).tolist()
        images = np.diff(starts, append=len(rows)).tolist()
        return ClassBlocks(images=images, intersection=hits, predicted=predicted, truth=truth)

    def _count(self, kind: str, maps: ScoreMaps, truth: Truth, anomaly: Labels) -> None:
        self.counts[kind].add(maps.scores[kind], anomaly)
        self.blocks[kind].add(maps.scores[kind], anomaly)
        if truth.distance_m is not None:
            self.distance[kind].add(maps.scores[kind], anomaly, truth.distance_m)

    def _reject(self, maps: ScoreMaps, truth: Truth) -> None:
        if truth.fold is None or truth.anomaly is None or truth.labels is None or maps.labels is None:
            return
        if self.open_set is None:
            self.open_set = OpenSetCounts(len(self.confusion))
        score = maps.scores[next(iter(self.counts))]
        self.open_set.add(score, maps.labels, truth.labels, truth.anomaly, truth.fold)

    def _confusion(self, maps: ScoreMaps, truth: Truth) -> npt.NDArray[np.int64] | None:
        classes = len(self.confusion)
        if not classes or maps.labels is None or truth.labels is None:
            return None
        return confusion_matrix(maps.labels, truth.labels, classes, void=VOID)


def check(maps: ScoreMaps, truth: Truth) -> None:
    """Raise ValueError where an image's maps do not fit its truth, or a labelled pixel has no score."""
    if truth.anomaly is None:
        return
    for kind, score in maps.scores.items():
        if score.shape != truth.anomaly.shape:
            found, expected = ("x".join(str(side) for side in array.shape[::-1]) for array in (score, truth.anomaly))
            raise ValueError(f"score {kind!r} is of {found} px, expected {expected} px as the truth")
        missing = np.isnan(score)
        if missing.any() and (count := int((missing & (truth.anomaly <= 1)).sum())):
            raise ValueError(f"score {kind!r} holds {count} NaN on labelled pixels; the image is left out")


def _ranked(maps: ScoreMaps, kind: str, anomaly: Labels) -> PixelMetrics:
    return pixel_metrics(*labelled_pixels(maps.scores[kind], anomaly))
