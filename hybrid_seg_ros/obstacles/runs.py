"""Connected components of a mask, by row runs: the mask is read once, eight pixels at a time where it is clear.

Two-row merging of runs with union-find (He, Chao, Suzuki: A Run-Based Two-Scan Labeling Algorithm, IEEE Transactions
on Image Processing 17(5), 2008). Pixels are neighbours along the eight directions. The cost follows the number of set
pixels and runs; a clear mask costs its reading.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.obstacles.compiled import compiled
from hybrid_seg_ros.obstacles.types import Ints

Mask = npt.NDArray[np.uint8]
# What the signatures beside each function say; Python's own types are others than numba's.
Array: TypeAlias = Any
Scalar: TypeAlias = Any

_WORD = 8


@compiled("int64(uint64[:, ::1], uint8[:, ::1], uint8[:, ::1], int32[::1], int32[::1], int32[::1], int64[::1])")
def _scan(words: Array, mask: Array, codes: Array, row: Array, start: Array, stop: Array, removed: Array) -> Scalar:
    """Runs of set pixels whose code is 0, in raster order; returns how many. Counts the others by code."""
    gated = codes.size > 0
    count = 0
    for y in range(words.shape[0]):
        begin = -1
        for k in range(words.shape[1]):
            word = words[y, k]
            x = k * _WORD
            if word == 0:
                if begin >= 0:
                    row[count], start[count], stop[count] = y, begin, x
                    count += 1
                    begin = -1
                continue
            if not gated and word == np.uint64(0xFFFFFFFFFFFFFFFF):
                if begin < 0:
                    begin = x
                continue
            for i in range(x, x + _WORD):
                here = mask[y, i] != 0
                if here and gated and codes[y, i] != 0:
                    removed[codes[y, i]] += 1
                    here = False
                if here and begin < 0:
                    begin = i
                elif not here and begin >= 0:
                    row[count], start[count], stop[count] = y, begin, i
                    count += 1
                    begin = -1
        if begin >= 0:
            row[count], start[count], stop[count] = y, begin, words.shape[1] * _WORD
            count += 1
    return count


@compiled("int32(int32[::1], int32)")
def _root(parent: Array, run: Scalar) -> Scalar:
    while parent[run] != run:
        parent[run] = parent[parent[run]]
        run = parent[run]
    return np.int32(run)


@compiled("int64(int32[::1], int32[::1], int32[::1], int32[::1])")
def _connect(row: Array, start: Array, stop: Array, component: Array) -> Scalar:
    """Number the runs by component, 0 the one with the first run; returns how many components there are.

    A root is the first of its runs, so that one pass in raster order numbers them all.
    """
    runs = row.shape[0]
    above = 0
    for run in range(runs):
        component[run] = run
        # A run of the row above touches also at a corner.
        while above < run and (row[above] < row[run] - 1 or (row[above] == row[run] - 1 and stop[above] < start[run])):
            above += 1
        other = above
        while other < run and row[other] == row[run] - 1 and start[other] <= stop[run]:
            a, b = _root(component, np.int32(other)), _root(component, np.int32(run))
            component[max(a, b)] = min(a, b)
            other += 1
    count = 0
    for run in range(runs):
        if component[run] == run:
            component[run] = count
            count += 1
        else:
            # The parent comes earlier in raster order and is numbered already.
            component[run] = component[component[run]]
    return count


@compiled(
    "void(int32[::1], int32[::1], int32[::1], int32[::1], int64[::1], int32[::1], int32[::1], int32[::1], int32[::1])"
)
def _measure(
    row: Array, start: Array, stop: Array, component: Array,
    pixels: Array, x0: Array, y0: Array, x1: Array, y1: Array,
) -> None:  # fmt: skip
    """Pixels and half-open bounds of each component; the outputs come as zeros."""
    for run in range(row.shape[0]):
        c = component[run]
        if pixels[c] == 0:
            x0[c], y0[c], x1[c] = start[run], row[run], stop[run]
        pixels[c] += stop[run] - start[run]
        x0[c] = min(x0[c], start[run])
        x1[c] = max(x1[c], stop[run])
        y1[c] = row[run] + 1


@compiled(
    "void(int32[::1], int32[::1], int32[::1], int32[::1], float32[:, ::1], int64[::1], int32[::1],"
    " int32[::1], float32[::1], float64[::1])"
)
def _profile(
    row: Array, start: Array, stop: Array, component: Array, score: Array, offset: Array, left: Array,
    bottom: Array, greatest: Array, score_sum: Array,
) -> None:  # fmt: skip
    """Lowest row and greatest score of each column of the components whose offset is not negative."""
    scored = score.size > 0
    for run in range(row.shape[0]):
        c = component[run]
        if offset[c] < 0:
            continue
        first = offset[c] - left[c] + start[run]
        size = stop[run] - start[run]
        lowest = bottom[first : first + size]
        lowest[:] = row[run]  # rows never decrease
        if scored:
            # Slices, because indices from 0 let the compiler make vectors of it.
            values = score[row[run], start[run] : stop[run]]
            top = greatest[first : first + size]
            total = 0.0
            for i in range(size):
                top[i] = values[i] if values[i] > top[i] else top[i]
            for i in range(size):
                total += values[i]
            score_sum[c] += total


@compiled("void(int32[::1], int32[::1], int32[::1], uint8[::1], uint8[:, ::1])")
def _fill(row: Array, start: Array, stop: Array, value: Array, image: Array) -> None:
    """Paint each run that has a value other than 0."""
    for run in range(row.shape[0]):
        if value[run] != 0:
            for x in range(start[run], stop[run]):
                image[row[run], x] = value[run]


@dataclass(frozen=True, slots=True)
class Components:
    """Connected components of a mask, numbered in the order of their topmost, then leftmost pixel.

    Attributes:
        row: int32[R], image row of each run; never decreases.
        start: int32[R], its first column.
        stop: int32[R], one past its last column.
        component: int32[R], which component it belongs to.
        pixels: int64[C], how many pixels a component has.
        x0: int32[C], half-open bounds, px; likewise y0, x1, y1.
        y0: int32[C].
        x1: int32[C].
        y1: int32[C].
        removed: int64[256], set pixels that a static gate took, by its code.
    """

    row: Ints
    start: Ints
    stop: Ints
    component: Ints
    pixels: npt.NDArray[np.int64]
    x0: Ints
    y0: Ints
    x1: Ints
    y1: Ints
    removed: npt.NDArray[np.int64]


def find_components(mask: Mask, codes: Mask | None = None) -> Components:
    """The components of a mask uint8[H, W], not 0 = set, joined along eight directions.

    Args:
        mask: the pixels.
        codes: uint8[H, W], 0 where pixels count; others are left out and counted by code.

    Raises:
        ValueError: an array of another shape or type.
    """
    if mask.ndim != 2 or mask.dtype != np.uint8:
        raise ValueError(f"the mask is {mask.dtype}{list(mask.shape)}, expected uint8[H, W]")
    if codes is not None and (codes.shape != mask.shape or codes.dtype != np.uint8):
        raise ValueError(f"the gate is {codes.dtype}{list(codes.shape)}, expected uint8{list(mask.shape)}")
    height, width = mask.shape
    if width % _WORD or not mask.flags.c_contiguous or mask.ctypes.data % _WORD:
        padded = np.zeros((height, -(-width // _WORD) * _WORD), np.uint8)
        padded[:, :width] = mask
        mask = padded
    if codes is None:
        codes = np.empty((0, 0), np.uint8)
    capacity = height * ((width + 1) // 2)  # memory that no run is written to is never touched
    row, start, stop = (np.empty(capacity, np.int32) for _ in range(3))
    removed = np.zeros(256, np.int64)
    runs = _scan(mask.view(np.uint64), mask, np.ascontiguousarray(codes), row, start, stop, removed)
    row, start, stop = row[:runs].copy(), start[:runs].copy(), stop[:runs].copy()
    component = np.empty(runs, np.int32)
    count = _connect(row, start, stop, component)
    pixels = np.zeros(count, np.int64)
    x0, y0, x1, y1 = (np.zeros(count, np.int32) for _ in range(4))
    _measure(row, start, stop, component, pixels, x0, y0, x1, y1)
    return Components(row, start, stop, component, pixels, x0, y0, x1, y1, removed)


def profile(
    components: Components, offset: npt.NDArray[np.int64], columns: int, score: npt.NDArray[np.float32] | None
) -> tuple[Ints, npt.NDArray[np.float32], npt.NDArray[np.float64]]:
    """Lowest row and greatest score of each column of components, and the sum of each one's scores.

    Args:
        components: of a mask.
        offset: int64[C], where a component's columns begin in the result; -1 leaves it out.
        columns: how many there are in all, M.
        score: float32[H, W]; None: scores are NaN.

    Returns:
        int32[M], float32[M], float64[C].
    """
    bottom = np.empty(columns, np.int32)
    greatest = np.full(columns, np.nan if score is None else -np.inf, np.float32)
    sums = np.full(offset.size, 0.0 if score is not None else np.nan)
    scores = np.empty((0, 0), np.float32) if score is None else np.ascontiguousarray(score, np.float32)
    _profile(
        components.row, components.start, components.stop, components.component, scores, offset, components.x0,
        bottom, greatest, sums,
    )  # fmt: skip
    return bottom, greatest, sums


def fill(row: Ints, start: Ints, stop: Ints, value: Mask, image: Mask) -> None:
    """Paint runs into uint8[H, W] in place, each with its value uint8[R]; 0 leaves the image as it is."""
    _fill(row, start, stop, value, image)
