"""How steady labels and mask are from frame to frame: what flickers cannot be planned with."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.evaluation.confusion import confusion_matrix, mean_iou

Labels = npt.NDArray[np.uint8]

_NO_VOID = -1  # an id that no label has: every pixel counts


@dataclass(frozen=True, slots=True)
class TemporalFigures:
    """Over all pairs of neighbouring frames, in 0..1; None where there is no pair to take a mean of.

    Attributes:
        label_consistency: mean mIoU of the labels of neighbours; 1 = nothing changes.
        label_pairs: how many pairs that is the mean of.
        mask_flicker: mean share of the union of two neighbouring masks that is in one of them only; 0 = steady.
        mask_pairs: how many pairs that is the mean of; pairs of two empty masks have no union and do not count.
    """

    label_consistency: float | None
    label_pairs: int
    mask_flicker: float | None
    mask_pairs: int


class TemporalConsistency:
    """Streaming: two frames in memory.

    The motion of the camera is part of both figures. They compare runs over the same drive; they do not compare
    drives.
    """

    def __init__(self, classes: int) -> None:
        """Take labels 0..classes-1."""
        self._classes = classes
        self._labels: Labels | None = None
        self._mask: npt.NDArray[np.bool_] | None = None
        self._consistency: list[float] = []
        self._flicker: list[float] = []

    def add(self, labels: Labels | None, mask: Labels | None) -> None:
        """The next frame in stamp order; one that was not answered has None, and its neighbours are no neighbours.

        Args:
            labels: uint8[H, W] class ids.
            mask: uint8[H, W], not 0 = obstacle.

        Raises:
            ValueError: another size than the frame before, or an id beyond the classes.
        """
        now = None if mask is None else mask > 0
        before, mask_before = self._labels, self._mask
        # Kept first: where this frame cannot be compared with the one before, the next one is compared with this one.
        self._labels = None if labels is None else labels.copy()  # readers may give views of buffers they reuse
        self._mask = now
        if labels is not None and before is not None:
            self._consistency.append(mean_iou(confusion_matrix(labels, before, self._classes, void=_NO_VOID)))
        if now is not None and mask_before is not None:
            if now.shape != mask_before.shape:
                raise ValueError(f"mask is {now.shape}, the one before {mask_before.shape}; expected equal shapes")
            union = int(np.count_nonzero(now | mask_before))
            if union:
                self._flicker.append(int(np.count_nonzero(now ^ mask_before)) / union)

    def figures(self) -> TemporalFigures:
        """Of all frames so far."""
        return TemporalFigures(
            _mean(self._consistency), len(self._consistency), _mean(self._flicker), len(self._flicker)
        )


def _mean(values: list[float]) -> float | None:
    return float(np.mean(values)) if values else None
