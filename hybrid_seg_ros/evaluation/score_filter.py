"""Cheap filters of a score map: smoothing, averaging inside components, dropping small ones (METHOD section 4)."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.evaluation.components import label_components

Score = npt.NDArray[np.float32]

_KERNEL, _SIGMA = 7, 1.0


@dataclass(frozen=True, slots=True)
class ScoreFilter:
    """Which filters are applied, in this order.

    Attributes:
        smooth: 7 x 7 Gaussian with sigma 1 px on the score.
        average: every component above the threshold gets its mean score.
        min_pixels: components above the threshold with fewer pixels are lowered to it.
    """

    smooth: bool = False
    average: bool = False
    min_pixels: int = 0


def filter_score(score: Score, threshold: float, options: ScoreFilter) -> Score:
    """The filtered score: its mask is what is strictly above the same threshold, as without a filter.

    Args:
        score: float32[H, W], higher = more anomalous; unchanged.
        threshold: what makes components of the (smoothed) score.
        options: which filters.
    """
    result = smooth_score(score) if options.smooth else score
    if options.average:
        result = average_components(result, threshold)
    if options.min_pixels > 1:
        result = drop_small_components(result, threshold, options.min_pixels)
    return result


def smooth_score(score: Score) -> Score:
    """7 x 7 Gaussian, sigma 1 px, the border reflected: float32[H, W] -> float32[H, W]."""
    return np.asarray(
        cv2.GaussianBlur(score, (_KERNEL, _KERNEL), _SIGMA, borderType=cv2.BORDER_REFLECT_101), np.float32
    )


def average_components(score: Score, threshold: float) -> Score:
    """The score with every 8-connected component above `threshold` at its mean; float32[H, W].

    The mask at this threshold stays the same; what changes is the order of whole objects.
    """
    ids, pixels = label_components(score > np.float32(threshold))
    sums = np.bincount(ids.ravel(), weights=score.ravel(), minlength=pixels.size)
    means = (sums / np.maximum(pixels, 1)).astype(np.float32)
    return np.asarray(np.where(ids > 0, means[ids], score), np.float32)


def drop_small_components(score: Score, threshold: float, min_pixels: int) -> Score:
    """The score with every 8-connected component above `threshold` of fewer pixels lowered to it; float32[H, W]."""
    ids, pixels = label_components(score > np.float32(threshold))
    small = (pixels < min_pixels) & (np.arange(pixels.size) > 0)
    return np.asarray(np.where(small[ids], np.float32(threshold), score), np.float32)
