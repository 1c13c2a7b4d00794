"""Bins of float32 scores: its sign, exponent and leading mantissa bits, in the order of the numbers themselves.

A score's key is 2^31 + m for positive and 2^31 - m for negative scores, m being the bits of its magnitude: keys are
ordered as scores are, and -0 and +0 are one. A bin holds the keys that share all but their last bits, so its width is
relative to the score, at most 2^-mantissa_bits. A score of no more mantissa bits than the bin keeps (float16 has 10)
is the lowest of its bin and alone in it: then the bins lose nothing.
"""

import contextlib
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from numba import njit

Bins = npt.NDArray[np.int64]
# numba's own types, which Python's are not.
Array: TypeAlias = Any
Scalar: TypeAlias = Any

MANTISSA_BITS = 23
"""Of a float32."""
CHUNK_BITS = 12
"""Bins per chunk, as a power of two: what is untouched of an array of bins is known by chunk."""

_ZERO, _INFINITY = 0x80000000, 0x7F800000


def bins_of(mantissa_bits: int) -> int:
    """How many bins there are: one sign, eight exponent and some mantissa bits.

    Raises:
        ValueError: not within 4..20 bits.
    """
    if not 4 <= mantissa_bits <= 20:
        raise ValueError(f"mantissa_bits is {mantissa_bits}, expected 4..20")
    return 1 << (9 + mantissa_bits)


def key_of(score: float) -> int:
    """The key of one score, 0..2^32 - 1, rounded to float32 before."""
    bits = int(np.float32(score).view(np.uint32))
    magnitude = bits & 0x7FFFFFFF
    return _ZERO - magnitude if bits >> 31 else _ZERO + magnitude


def bin_of(score: float, mantissa_bits: int) -> int:
    """The number of the bin that a score lies in."""
    return key_of(score) >> (MANTISSA_BITS - mantissa_bits)


def lowest_score(bins: Bins, mantissa_bits: int) -> npt.NDArray[np.float32]:
    """The lowest score that lies in each of the bins: int64[N] -> float32[N]."""
    keys = np.asarray(bins, np.int64) << (MANTISSA_BITS - mantissa_bits)
    bits = np.where(keys >= _ZERO, keys - _ZERO, _ZERO | (_ZERO - keys))
    return np.asarray(bits.astype(np.uint32).view(np.float32))


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile at the first call, without the GIL; keep the machine code on disk where a directory can be written."""
    with contextlib.suppress(RuntimeError):  # "cannot cache function": a read-only install
        return njit(nogil=True, cache=True)(function)
    return njit(nogil=True)(function)


@_compiled
def labelled_nan(score: Array, anomaly: Array) -> Scalar:
    """How many of the labelled pixels (anomaly 0 or 1) are NaN: float32[N], uint8[N] -> int."""
    found = 0
    for i in range(score.size):
        if anomaly[i] <= 1 and score[i] != score[i]:
            found += 1
    return found


@_compiled
def count_bins(bits: Array, anomaly: Array, shift: Scalar, counts: Array, touched: Array) -> Scalar:
    """Count the labelled pixels; returns the lowest bits of all of them, 0 where the bins lost nothing.

    Args:
        bits: uint32[N], the bits of float32 scores without NaN.
        anomaly: uint8[N], 0 known, 1 anomaly, else void.
        shift: how many bits of the key a bin leaves out.
        counts: int64[bins, 2], added to: known and anomaly pixels.
        touched: bool[chunks], set for the chunks of 2^CHUNK_BITS bins that were added to.
    """
    lost = np.uint32(0)
    for i in range(bits.size):
        label = anomaly[i]
        if label <= 1:
            magnitude = np.int64(bits[i] & np.uint32(0x7FFFFFFF))
            key = np.int64(_ZERO) - magnitude if bits[i] >> np.uint32(31) else np.int64(_ZERO) + magnitude
            index = key >> shift
            counts[index, label] += 1
            touched[index >> CHUNK_BITS] = True
            lost |= bits[i]
    return np.int64(lost) & ((np.int64(1) << shift) - 1)


@_compiled
def count_class_bins(bits: Array, truth: Array, guess: Array, shift: Scalar, counts: Array, touched: Array) -> None:
    """Count predictions and hits of every class.

    Args:
        bits: uint32[N], the bits of float32 scores without NaN.
        truth: uint8[N], ids; those beyond the known ones are never hit.
        guess: uint8[N], ids of known classes.
        shift: how many bits of the key a bin leaves out.
        counts: int64[bins, K, 2], added to: predictions and hits.
        touched: bool[chunks], as of `count_bins`.
    """
    for i in range(bits.size):
        magnitude = np.int64(bits[i] & np.uint32(0x7FFFFFFF))
        key = np.int64(_ZERO) - magnitude if bits[i] >> np.uint32(31) else np.int64(_ZERO) + magnitude
        index = key >> shift
        counts[index, guess[i], 0] += 1
        touched[index >> CHUNK_BITS] = True
        if guess[i] == truth[i]:
            counts[index, guess[i], 1] += 1
