"""The tables of the device kernels: the resize rule as weights per axis, and the runs of an upsampling."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.frames.geometry import AxisTable

RUN = 4
"""Longest run in pixels: RUN of kernels/postprocess.h."""


STAGE_ERROR = 1.25
"""Grey levels by which one 8 bit bilinear resize of OpenCV stays off the exact one; 1.04 was the most ever seen."""


@dataclass(frozen=True, slots=True)
class Taps:
    """One axis of a resize: output[i] = sum_t weights[i, t] * source[first[i] + t].

    Attributes:
        first: int32[n]; first + T never exceeds the source's length.
        weights: float32[n, T]; every row sums to 1.
    """

    first: npt.NDArray[np.int32]
    weights: npt.NDArray[np.float32]


def stages(source: int, size: int) -> list[int]:
    """Lengths an axis passes through in `frames.resize.resize_image`, the source's own first, `size` last."""
    lengths = [source]
    while lengths[-1] >= 2 * size:
        lengths.append((lengths[-1] + 1) // 2)
    return lengths if lengths[-1] == size else [*lengths, size]


def resize_taps(source: int, size: int) -> Taps:
    """The rule of `frames.resize.resize_image` along one axis, all its stages in one.

    Every stage is linear and separable, so their composition is. What differs is OpenCV's rounding after every stage,
    to 8 bit and of its weights to 11, which the composition does without: less than `STAGE_ERROR` a stage.

    Args:
        source: length of the source, px.
        size: length wanted, px.
    """
    if min(source, size) < 1:
        raise ValueError(f"an axis needs at least one pixel, found {source} -> {size}")
    lengths = stages(source, size)
    first, weights = np.arange(source), np.ones((source, 1))
    for before, after in pairwise(lengths):
        first, weights = _after_bilinear(first, weights, before, after)
    return _trimmed(first, weights, source)


def _after_bilinear(
    first: npt.NDArray[np.int64], weights: npt.NDArray[np.float64], before: int, after: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Taps followed by one bilinear stage with half-pixel centres and clamped edges."""
    position = np.clip((np.arange(after) + 0.5) * (before / after) - 0.5, 0, before - 1)
    low = np.floor(position).astype(np.int64)
    high = np.minimum(low + 1, before - 1)
    share = position - low
    shift = first[high] - first[low]
    combined = np.zeros((after, weights.shape[1] + int(shift.max())))
    row, tap = np.arange(after)[:, None], np.arange(weights.shape[1])
    combined[row, tap] = (1 - share)[:, None] * weights[low]
    combined[row, tap + shift[:, None]] += share[:, None] * weights[high]
    return first[low], combined


def _trimmed(first: npt.NDArray[np.int64], weights: npt.NDArray[np.float64], source: int) -> Taps:
    """As few taps as the widest pixel needs, none of them beyond the source."""
    used = weights > 0
    start = used.argmax(axis=1)
    taps = int((used.shape[1] - used[:, ::-1].argmax(axis=1) - start).max())
    start += np.minimum(source - taps - (first + start), 0)  # move back what would reach over the end
    place = start[:, None] + np.arange(taps)
    inside = (place >= 0) & (place < weights.shape[1])
    picked = np.take_along_axis(weights, np.clip(place, 0, weights.shape[1] - 1), axis=1)
    return Taps((first + start).astype(np.int32), np.where(inside, picked, 0).astype(np.float32))


def column_runs(columns: AxisTable) -> npt.NDArray[np.int32]:
    """Where the runs of output pixels begin: neighbours between the same two cells, `RUN` at most.

    Returns:
        int32[runs + 1], ascending; the last entry is the number of output pixels.
    """
    pixels = np.arange(columns.low.size)
    new = np.ones(pixels.size, bool)
    new[1:] = (np.diff(columns.low) != 0) | (np.diff(columns.high) != 0)
    begin = np.maximum.accumulate(np.where(new, pixels, 0))
    starts = np.flatnonzero((pixels - begin) % RUN == 0)
    return np.append(starts, pixels.size).astype(np.int32)
