"""Full-resolution maps of one frame, and who makes them."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.backends import NetworkOutput
from hybrid_seg_ros.bundle import Manifest, ScoreKind
from hybrid_seg_ros.detector.types import Outputs
from hybrid_seg_ros.frames.geometry import AxisTable


@dataclass(frozen=True, slots=True)
class Maps:
    """The arrays of a `Segmentation`, each H x W or None when not asked for."""

    labels: npt.NDArray[np.uint8] | None
    score: npt.NDArray[np.float32] | None
    mask: npt.NDArray[np.uint8] | None
    confidence: npt.NDArray[np.uint8] | None

    @classmethod
    def allocate(cls, outputs: Outputs, height: int, width: int) -> "Maps":
        """Uninitialised arrays for what is asked for."""
        shape = (height, width)
        return cls(
            labels=np.empty(shape, np.uint8) if Outputs.LABELS in outputs else None,
            score=np.empty(shape, np.float32) if Outputs.SCORE in outputs else None,
            mask=np.empty(shape, np.uint8) if Outputs.MASK in outputs else None,
            confidence=np.empty(shape, np.uint8) if Outputs.CONFIDENCE in outputs else None,
        )


@dataclass(frozen=True, slots=True)
class Formula:
    """What is computed of the logits (METHOD, section 1).

    Attributes:
        kind: the anomaly score.
        temperature: divides the logits for the confidence only.
        confidence_table: knots of a map that the 8 bit confidence goes through, see `confidence.lookup_table`; none
            where it is the softmax itself.
    """

    kind: ScoreKind = "hybrid"
    temperature: float = 1.0
    confidence_table: tuple[tuple[float, float], ...] | None = None

    @classmethod
    def of(cls, manifest: Manifest) -> "Formula":
        """The formula that a bundle was calibrated with."""
        score = manifest.score
        return cls(score.kind, score.temperature, score.confidence_table)


class PostProcessor(Protocol):
    """Raw network outputs to full-resolution maps, in the paper's order."""

    def __call__(
        self, output: NetworkOutput, rows: AxisTable, columns: AxisTable, outputs: Outputs, threshold: float
    ) -> Maps:
        """Upsample both logit maps by the tables, then take argmax, score, mask and confidence.

        Args:
            output: finite logits float32[K, h, w] and posterior float32[2, h, w].
            rows: sampling of the h rows, one entry per output row.
            columns: sampling of the w columns, one entry per output column.
            outputs: what to compute.
            threshold: mask = score > threshold.
        """
        ...
