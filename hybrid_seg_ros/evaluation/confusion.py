"""Closed-set metrics from an exact confusion matrix."""

import numpy as np
import numpy.typing as npt

VOID = 255
"""Ground-truth label of pixels that do not count."""


def confusion_matrix(
    predicted: npt.NDArray[np.integer], labels: npt.NDArray[np.integer], classes: int, *, void: int = VOID
) -> npt.NDArray[np.int64]:
    """Pixel counts int64[classes, classes]: row = ground truth, column = prediction; void pixels removed.

    Matrices of several images add up.

    Args:
        predicted: int[H, W] class ids 0..classes-1.
        labels: int[H, W] class ids 0..classes-1, or `void`.
        classes: number of known classes K.
        void: label that does not count.

    Raises:
        ValueError: shapes differ, or an id outside 0..classes-1.
    """
    if predicted.shape != labels.shape:
        raise ValueError(f"prediction is {predicted.shape}, labels are {labels.shape}; expected equal shapes")
    valid = labels != void
    truth, guess = labels[valid].astype(np.int64), predicted[valid].astype(np.int64)
    for name, ids in (("labels", truth), ("prediction", guess)):
        if ids.size and not (ids.min() >= 0 and ids.max() < classes):
            raise ValueError(f"{name} holds ids {ids.min()}..{ids.max()}, expected 0..{classes - 1}")
    return np.bincount(truth * classes + guess, minlength=classes**2).reshape(classes, classes)


def iou_per_class(confusion: npt.NDArray[np.integer]) -> npt.NDArray[np.float64]:
    """Intersection over union float64[K] of each class; NaN for a class neither present nor predicted."""
    matrix = confusion.astype(np.float64)
    hits = np.diag(matrix)
    union = matrix.sum(axis=0) + matrix.sum(axis=1) - hits
    iou = np.full(len(hits), np.nan)
    np.divide(hits, union, out=iou, where=union > 0)
    return iou


def mean_iou(confusion: npt.NDArray[np.integer]) -> float:
    """Mean of the IoU of the classes that are present or predicted; NaN where none is."""
    iou = iou_per_class(confusion)
    return float(iou[~np.isnan(iou)].mean()) if not np.isnan(iou).all() else float("nan")
