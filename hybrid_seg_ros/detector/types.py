"""What the detector returns."""

import enum
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


class Outputs(enum.Flag):
    """The outputs somebody wants of a frame; what nobody wants is not computed."""

    LABELS = enum.auto()
    SCORE = enum.auto()
    MASK = enum.auto()
    CONFIDENCE = enum.auto()
    ALL = LABELS | SCORE | MASK | CONFIDENCE


@dataclass(frozen=True, slots=True)
class Timings:
    """Wall-clock milliseconds of one frame's stages."""

    preprocess_ms: float
    network_ms: float
    postprocess_ms: float

    @property
    def total_ms(self) -> float:
        return self.preprocess_ms + self.network_ms + self.postprocess_ms


@dataclass(frozen=True, slots=True)
class Segmentation:
    """One frame's result; every array is H x W of `size`, C-contiguous, owned by the caller.

    Attributes:
        size: (width, height) of all arrays, px.
        labels: uint8[H, W] class ids, or None when not asked for.
        score: float32[H, W] anomaly score, higher = more anomalous, or None.
        mask: uint8[H, W], 255 where score > threshold (strict), else 0, or None.
        confidence: uint8[H, W], 255 * calibrated max-softmax, or None.
        threshold: the threshold that made `mask`.
        timings: stage times.
    """

    size: tuple[int, int]
    labels: npt.NDArray[np.uint8] | None
    score: npt.NDArray[np.float32] | None
    mask: npt.NDArray[np.uint8] | None
    confidence: npt.NDArray[np.uint8] | None
    threshold: float
    timings: Timings
