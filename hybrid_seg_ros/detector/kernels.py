"""Compiled loops of the fast path: upsample, argmax, log-sum-exp and score without a full-size K-channel tensor.

Shape of the work, for one band of output rows and one tile of TILE output columns at a time:

1. The two low-resolution rows around the output row are interpolated along x, once for all output rows between
   them: A (the upper one) and D (lower minus upper), one row of TILE values per class.
2. Each output row is A + weight * D, class by class in registers: maximum, argmax and sum of exponentials in one
   pass, contiguous, free of gathers, so that LLVM makes full vectors of it.
3. An epilogue over the tile turns the sums into score, mask and confidence.

Logits are kept in base 2, (s - shift) * log2(e), so that exp is 2^t. Where max - min of all logits is small enough
(NARROW_RANGE) no exponential can leave float32's range, and no maximum is subtracted: one pass suffices. Wider
logits take two passes, the second one relative to the pixel's maximum.

One file on purpose: numba's disk cache of a function notices changes of its own file only.

Everything lives in one flat scratch array with unsigned constant row offsets: that is what lets LLVM prove that
the loops may be vectorised (separate arrays need more overlap checks than it is willing to make, signed indices
wrap around). Sources: METHOD, section 1; polynomials are minimax fits (Lawson).
"""

import contextlib
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped, unused-ignore]
from numba import njit, types
from numba.extending import intrinsic

# What the signatures beside each function say; Python's own types are others than numba's.
Array: TypeAlias = Any
Scalar: TypeAlias = Any
Index: TypeAlias = Any
Function: TypeAlias = Callable[..., Any]

TILE = 256
GROUP = 4
NARROW_RANGE = 160.0

KIND_HYBRID, KIND_ENERGY, KIND_POSTERIOR, KIND_MSP, KIND_MAX_LOGIT, KIND_ENTROPY = range(6)

_U = np.uint64
_F = np.float32
_T = _U(TILE)
# Rows of the scratch array before the blocks of logits.
_BEST, _INDEX, _SUM, _WARM, _SCORE = _U(0), _U(1) * _T, _U(2) * _T, _U(3) * _T, _U(4) * _T
_HEAD_ROWS = 5

_ZERO, _ONE, _TWO, _THREE = _F(0), _F(1), _F(2), _F(3)
_LOG2E, _LN2 = _F(1.4426950408889634), _F(0.6931471805599453)
_ROUND = _F(12582912.0)  # 1.5 * 2^23: adding it rounds to an integer in the low bits
_FLOOR = _F(-126.0)  # 2^-126 is the smallest normal float32
_LOWEST = _F(-3.0e38)
# 2^f on [-1/2, 1/2], relative error 2.6e-6
_E0, _E1, _E2, _E3, _E4 = _F(0.99999928), _F(0.69312179), _F(0.24024744), _F(0.05591786), _F(0.0095701022)
# log2(1 + f) / f on [-1/3, 1/3], error of log2 3.2e-7
_L0, _L1, _L2, _L3 = _F(1.4426936), _F(-0.7214027), _F(0.4810668), _F(-0.3577289)
_L4, _L5, _L6 = _F(0.28365287), _F(-0.2842508), _F(0.25709113)


def _compiled(signature: str) -> Callable[[Function], Function]:
    """Compile now, without the GIL; keep the machine code on disk where a directory can be written."""
    options: Any = {"nogil": True, "fastmath": {"contract", "nsz"}, "error_model": "numpy"}

    def compile_now(function: Function) -> Function:
        with contextlib.suppress(RuntimeError):  # "cannot cache function": a read-only install
            return njit(signature, cache=True, **options)(function)
        return njit(signature, **options)(function)

    return compile_now


def _bitcast(source: Any, target: Any, llvm: Any) -> Any:  # noqa: ANN401
    """An intrinsic that reads the bits of one type as another."""

    def typing(typing_context: Any, value: Any) -> Any:  # noqa: ANN401
        return target(source), lambda context, builder, signature, args: builder.bitcast(args[0], llvm)

    return intrinsic(typing)


_inline: Callable[[Function], Function] = njit(inline="always")
_bits = _bitcast(types.float32, types.int32, ir.IntType(32))
_float = _bitcast(types.int32, types.float32, ir.FloatType())


@_inline
def _exp2(t: Scalar) -> Scalar:
    """2^t for -126 <= t < 127."""
    rounded = t + _ROUND
    f = t - (rounded - _ROUND)
    p = (((_E4 * f + _E3) * f + _E2) * f + _E1) * f + _E0
    return _float(_bits(p) + np.int32(_bits(rounded) << np.int32(23)))


@_inline
def _log2(x: Scalar) -> Scalar:
    """log2 of a positive normal float32."""
    exponent = np.int32(_bits(x) - np.int32(0x3F2AAAAB)) & np.int32(-0x800000)
    f = _float(np.int32(_bits(x) - exponent)) - _ONE
    p = (((((_L6 * f + _L5) * f + _L4) * f + _L3) * f + _L2) * f + _L1) * f + _L0
    return p * f + _F(exponent >> np.int32(23))


@_compiled(
    "void(float32[:,:,::1], uint64, float32[::1], uint64, int32[::1], int32[::1], float32[::1], uint64, uint64,"
    " float32, float32)"
)
def _expand(
    source: Array,
    y: Index,
    scratch: Array,
    to: Index,
    low: Array,
    high: Array,
    weight: Array,
    x0: Index,
    n: Index,
    shift: Scalar,
    scale: Scalar,
) -> None:
    """Interpolate row y of every channel along x and bring it to base 2: (value - shift) * scale."""
    for c in range(_U(source.shape[0])):
        row = to + c * _T
        for x in range(n):
            a = source[c, y, _U(low[x0 + x])]
            b = source[c, y, _U(high[x0 + x])]
            scratch[row + x] = (a + weight[x0 + x] * (b - a) - shift) * scale


@_compiled("void(float32[:,:,::1], uint64, float32[::1], uint64, int32[::1], int32[::1], float32[::1], uint64, uint64)")
def _expand_posterior(
    source: Array, y: Index, scratch: Array, to: Index, low: Array, high: Array, weight: Array, x0: Index, n: Index
) -> None:
    """Interpolate row y of g_0 - g_1 along x, in base 2: the posterior needs nothing else of g."""
    for x in range(n):
        a = source[_U(0), y, _U(low[x0 + x])] - source[_U(1), y, _U(low[x0 + x])]
        b = source[_U(0), y, _U(high[x0 + x])] - source[_U(1), y, _U(high[x0 + x])]
        scratch[to + x] = (a + weight[x0 + x] * (b - a)) * _LOG2E


@_compiled("void(float32[::1], uint64, uint64, uint64, uint64)")
def _subtract(scratch: Array, upper: Index, lower: Index, to: Index, size: Index) -> None:
    for x in range(size):
        scratch[to + x] = scratch[lower + x] - scratch[upper + x]


@_compiled("void(float32[::1], uint64, uint64, float32)")
def _fill(scratch: Array, to: Index, size: Index, value: Scalar) -> None:
    for x in range(size):
        scratch[to + x] = value


@_compiled("void(float32[::1], uint64, uint64, float32, uint64, float32)")
def _max_group(s: Array, a: Index, d: Index, w: Scalar, n: Index, k: Scalar) -> None:
    """Maximum and argmax over the classes k .. k + 3."""
    for x in range(n):
        v0 = s[a + x] + w * s[d + x]
        v1 = s[a + x + _T] + w * s[d + x + _T]
        v2 = s[a + x + _T * _U(2)] + w * s[d + x + _T * _U(2)]
        v3 = s[a + x + _T * _U(3)] + w * s[d + x + _T * _U(3)]
        best, index = s[_BEST + x], s[_INDEX + x]
        if v0 > best:
            best = v0
            index = k
        if v1 > best:
            best = v1
            index = k + _ONE
        if v2 > best:
            best = v2
            index = k + _TWO
        if v3 > best:
            best = v3
            index = k + _THREE
        s[_BEST + x] = best
        s[_INDEX + x] = index


@_compiled("void(float32[::1], uint64, uint64, float32, uint64, float32)")
def _max_sum_group(s: Array, a: Index, d: Index, w: Scalar, n: Index, k: Scalar) -> None:
    """`_max_group`, and the sum of exponentials in the same pass; for narrow logits."""
    for x in range(n):
        v0 = s[a + x] + w * s[d + x]
        v1 = s[a + x + _T] + w * s[d + x + _T]
        v2 = s[a + x + _T * _U(2)] + w * s[d + x + _T * _U(2)]
        v3 = s[a + x + _T * _U(3)] + w * s[d + x + _T * _U(3)]
        best, index = s[_BEST + x], s[_INDEX + x]
        if v0 > best:
            best = v0
            index = k
        if v1 > best:
            best = v1
            index = k + _ONE
        if v2 > best:
            best = v2
            index = k + _TWO
        if v3 > best:
            best = v3
            index = k + _THREE
        s[_BEST + x] = best
        s[_INDEX + x] = index
        s[_SUM + x] += (_exp2(v0) + _exp2(v1)) + (_exp2(v2) + _exp2(v3))


@_compiled("void(float32[::1], uint64, uint64, float32, uint64)")
def _sum_group(s: Array, a: Index, d: Index, w: Scalar, n: Index) -> None:
    """Sum of exponentials alone; for narrow logits."""
    for x in range(n):
        v0 = s[a + x] + w * s[d + x]
        v1 = s[a + x + _T] + w * s[d + x + _T]
        v2 = s[a + x + _T * _U(2)] + w * s[d + x + _T * _U(2)]
        v3 = s[a + x + _T * _U(3)] + w * s[d + x + _T * _U(3)]
        s[_SUM + x] += (_exp2(v0) + _exp2(v1)) + (_exp2(v2) + _exp2(v3))


@_compiled("void(float32[::1], uint64, uint64, uint64, float32, uint64, float32)")
def _relative_sum(s: Array, to: Index, a: Index, d: Index, w: Scalar, n: Index, scale: Scalar) -> None:
    """Sum of 2^((v - best) * scale) of one class: any range of logits, any temperature."""
    for x in range(n):
        t = (s[a + x] + w * s[d + x] - s[_BEST + x]) * scale
        s[to + x] += _exp2(max(t, _FLOOR))


@_compiled("void(float32[::1], uint64, uint64, float32, uint64)")
def _entropy_sum(s: Array, a: Index, d: Index, w: Scalar, n: Index) -> None:
    """Sum of 2^u and of 2^u * u, u = v - best, of one class; the second in the score row."""
    for x in range(n):
        u = max(s[a + x] + w * s[d + x] - s[_BEST + x], _FLOOR)
        e = _exp2(u)
        s[_SUM + x] += e
        s[_SCORE + x] += e * u


@_compiled("void(float32[::1], int64, boolean, uint64, uint64, float32, uint64, float32)")
def _score_row(
    s: Array, kind: Scalar, relative: Scalar, a: Index, d: Index, w: Scalar, n: Index, shift: Scalar
) -> None:
    """The score of one row of the tile, of best, sum and the interpolated g_0 - g_1 (base 2)."""
    if kind in (KIND_HYBRID, KIND_ENERGY):
        base = _ONE if relative else _ZERO
        for x in range(n):
            s[_SCORE + x] = -((_log2(s[_SUM + x]) + base * s[_BEST + x]) * _LN2 + shift)
    if kind == KIND_POSTERIOR:
        for x in range(n):
            s[_SCORE + x] = _ZERO
    if kind in (KIND_HYBRID, KIND_POSTERIOR):
        # ln softmax(g)[1] = -ln(1 + e^(g_0 - g_1)) = -(max(t, 0) + log2(1 + 2^-|t|)) ln 2
        for x in range(n):
            t = s[a + x] + w * s[d + x]
            s[_SCORE + x] -= (max(t, _ZERO) + _log2(_ONE + _exp2(max(-abs(t), _FLOOR)))) * _LN2
    if kind == KIND_MSP:
        for x in range(n):
            top = _ONE if relative else _exp2(s[_BEST + x])
            s[_SCORE + x] = _ONE - top / s[_SUM + x]
    if kind == KIND_MAX_LOGIT:
        for x in range(n):
            s[_SCORE + x] = -(s[_BEST + x] * _LN2 + shift)
    if kind == KIND_ENTROPY:
        for x in range(n):
            s[_SCORE + x] = (_log2(s[_SUM + x]) - s[_SCORE + x] / s[_SUM + x]) * _LN2


@_compiled(
    "void(float32[:,:,::1], float32[:,:,::1], int32[::1], int32[::1], float32[::1], int32[::1], int32[::1],"
    " float32[::1], uint64, uint64, int64, boolean, float32, float32, float32, uint8[:,::1], float32[:,::1],"
    " uint8[:,::1], uint8[:,::1], float32[::1])"
)
def segment_band(
    logits: Array,
    posterior: Array,
    row_low: Array,
    row_high: Array,
    row_weight: Array,
    col_low: Array,
    col_high: Array,
    col_weight: Array,
    first: Index,
    last: Index,
    kind: Scalar,
    narrow: Scalar,
    shift: Scalar,
    threshold: Scalar,
    inverse_temperature: Scalar,
    labels: Array,
    score: Array,
    mask: Array,
    confidence: Array,
    s: Array,
) -> None:
    """Output rows first .. last - 1 of all maps that have a size.

    Args:
        logits: float32[K, h, w].
        posterior: float32[2, h, w].
        row_low: `AxisTable` of the rows, as are row_high and row_weight.
        row_high: see row_low.
        row_weight: see row_low.
        col_low: `AxisTable` of the columns, as are col_high and col_weight.
        col_high: see col_low.
        col_weight: see col_low.
        first: first row of the band.
        last: one past the last row of the band.
        kind: KIND_*.
        narrow: whether |logit - shift| <= NARROW_RANGE / 2 everywhere.
        shift: subtracted from the logits before exponentials.
        threshold: mask = score > threshold.
        inverse_temperature: multiplies the logits for the confidence.
        labels: uint8[H, W] class ids; like the next three not computed when empty.
        score: float32[H, W].
        mask: uint8[H, W].
        confidence: uint8[H, W].
        s: scratch, float32[scratch_size(K)], not shared between threads.
    """
    classes = _U(logits.shape[0])
    groups = (classes + _U(GROUP - 1)) // _U(GROUP)
    padded = groups * _U(GROUP)
    block = (padded + _U(1)) * _T
    width = _U(col_low.shape[0])
    want_labels, want_score, want_mask = labels.size > 0, score.size > 0, mask.size > 0
    want_confidence = confidence.size > 0
    scoring = want_score or want_mask
    entropy = scoring and kind == KIND_ENTROPY
    own_temperature = want_confidence and inverse_temperature != _ONE
    want_posterior = scoring and kind in (KIND_HYBRID, KIND_POSTERIOR)
    want_sum = (scoring and kind in (KIND_HYBRID, KIND_ENERGY, KIND_MSP)) or (want_confidence and not own_temperature)
    relative = entropy or not narrow
    want_best = (
        want_labels
        or want_confidence
        or (scoring and kind in (KIND_MSP, KIND_MAX_LOGIT, KIND_ENTROPY))
        or (want_sum and relative)
    )
    upper = _U(_HEAD_ROWS) * _T
    lower = upper + block
    delta = lower + block
    # Classes that only fill the last group: never the maximum, nothing in a sum.
    filler = _FLOOR if narrow else _LOWEST
    for start in (upper, lower, delta):
        _fill(s, start + classes * _T, (padded - classes) * _T, _ZERO if start == delta else filler)

    for tile in range((width + _T - _U(1)) // _T):
        x0 = tile * _T
        n = min(_T, width - x0)
        current = np.int64(-1)
        for y in range(first, last):
            low, high = row_low[y], row_high[y]
            if low != current:
                if low == current + 1 and current >= 0:
                    upper, lower = lower, upper
                else:
                    _expand(logits, _U(low), s, upper, col_low, col_high, col_weight, x0, n, shift, _LOG2E)
                    if want_posterior:
                        _expand_posterior(
                            posterior, _U(low), s, upper + padded * _T, col_low, col_high, col_weight, x0, n
                        )
                _expand(logits, _U(high), s, lower, col_low, col_high, col_weight, x0, n, shift, _LOG2E)
                if want_posterior:
                    _expand_posterior(posterior, _U(high), s, lower + padded * _T, col_low, col_high, col_weight, x0, n)
                _subtract(s, upper, lower, delta, classes * _T)
                _subtract(s, upper + padded * _T, lower + padded * _T, delta + padded * _T, n)
                current = np.int64(low)
            w = row_weight[y]

            if want_best:
                _fill(s, _BEST, _T, _LOWEST)
            _fill(s, _SUM, _T, _ZERO)
            if want_best and want_sum and not relative:
                for group in range(groups):
                    step = group * _U(GROUP) * _T
                    _max_sum_group(s, upper + step, delta + step, w, n, _F(group * _U(GROUP)))
            else:
                if want_best:
                    for group in range(groups):
                        step = group * _U(GROUP) * _T
                        _max_group(s, upper + step, delta + step, w, n, _F(group * _U(GROUP)))
                if entropy:
                    _fill(s, _SCORE, _T, _ZERO)
                    for k in range(classes):
                        _entropy_sum(s, upper + k * _T, delta + k * _T, w, n)
                elif want_sum and relative:
                    for k in range(classes):
                        _relative_sum(s, _SUM, upper + k * _T, delta + k * _T, w, n, _ONE)
                elif want_sum:
                    for group in range(groups):
                        step = group * _U(GROUP) * _T
                        _sum_group(s, upper + step, delta + step, w, n)

            if want_labels:
                for x in range(n):
                    labels[y, x0 + x] = np.uint8(np.int32(s[_INDEX + x]))
            if scoring:
                _score_row(s, kind, relative, upper + padded * _T, delta + padded * _T, w, n, shift)
            if want_score:
                for x in range(n):
                    score[y, x0 + x] = s[_SCORE + x]
            if want_mask:
                for x in range(n):
                    mask[y, x0 + x] = np.uint8(255) if s[_SCORE + x] > threshold else np.uint8(0)
            if own_temperature:
                _fill(s, _WARM, _T, _ZERO)
                for k in range(classes):
                    _relative_sum(s, _WARM, upper + k * _T, delta + k * _T, w, n, inverse_temperature)
                for x in range(n):
                    confidence[y, x0 + x] = np.uint8(np.int32(_F(255) / s[_WARM + x] + _F(0.5)))
            elif want_confidence:
                for x in range(n):
                    top = _ONE if relative else _exp2(s[_BEST + x])
                    confidence[y, x0 + x] = np.uint8(np.int32(min(top / s[_SUM + x], _ONE) * _F(255) + _F(0.5)))


def scratch_size(classes: int) -> int:
    """float32 values of scratch that `segment_band` needs for K classes."""
    padded = -(-classes // GROUP) * GROUP
    return (_HEAD_ROWS + 3 * (padded + 1)) * TILE
