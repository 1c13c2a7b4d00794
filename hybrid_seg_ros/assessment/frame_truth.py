"""What is really there in one frame, and what label ids mean."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.evaluation.confusion import VOID
from hybrid_seg_ros.evaluation.detection import Sighting

Labels = npt.NDArray[np.uint8]


class TruthError(ValueError):
    """The ground truth cannot be used as asked; the message says what was found and what was expected."""


@dataclass(frozen=True, slots=True)
class FrameTruth:
    """What is really there in one frame; None where the source does not say.

    Attributes:
        labels: uint8[H, W] ids of the network's classes, 255 void.
        anomaly: uint8[H, W], 0 known, 1 anomaly, 255 void.
        instances: uint16[H, W], 0 or the id of an obstacle.
        obstacles: those to watch; None: all instances.
    """

    labels: Labels | None = None
    anomaly: Labels | None = None
    instances: npt.NDArray[np.uint16] | None = None
    obstacles: tuple[Sighting, ...] | None = None


@dataclass(frozen=True, slots=True)
class LabelRule:
    """What label ids mean.

    Attributes:
        classes: ids 0..classes-1 are known classes.
        anomaly_ids: ids that are anomalies.
        void_ids: ids that do not count; so do all that are neither a class nor an anomaly.
    """

    classes: int
    anomaly_ids: tuple[int, ...] = ()
    void_ids: tuple[int, ...] = (VOID,)

    def split(self, ids: npt.NDArray[np.integer]) -> tuple[Labels, Labels]:
        """(labels, anomaly), uint8[H, W] each, of label ids."""
        anomalous = np.isin(ids, self.anomaly_ids)
        known = (ids < self.classes) & ~anomalous & ~np.isin(ids, self.void_ids)
        labels = np.where(known, ids, VOID).astype(np.uint8)
        anomaly = np.where(anomalous, 1, np.where(known, 0, VOID)).astype(np.uint8)
        return labels, anomaly
