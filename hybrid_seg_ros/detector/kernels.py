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
# numba and llvmlite objects.
Typed: TypeAlias = Any

TILE = 1024
ROW = TILE + 16
GROUP = 4
VECTOR = 8
NARROW_RANGE = 160.0

KIND_HYBRID, KIND_ENERGY, KIND_POSTERIOR, KIND_MSP, KIND_MAX_LOGIT, KIND_ENTROPY = range(6)
_NEED_BEST, _NEED_SUM, _RELATIVE, _NEED_ENTROPY, _NEED_WARM = 1, 2, 4, 8, 16

_U = np.uint64
_F = np.float32
_T = _U(ROW)
# Rows of the scratch array before the blocks of logits.
_WEIGHT, _SLOTS = _U(0), _T
_BEST, _INDEX, _SUM, _SCORE, _WARM = _U(0), _U(1) * _T, _U(2) * _T, _U(3) * _T, _U(4) * _T
_SLOT = _U(5) * _T
SLOTS = 4
_HEAD_ROWS = 1 + 5 * SLOTS

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


def _bitcast(source: Typed, target: Typed, llvm: Typed) -> Typed:
    """An intrinsic that reads the bits of one type as another."""

    def typing(typing_context: Typed, value: Typed) -> Typed:
        return target(source), lambda context, builder, signature, args: builder.bitcast(args[0], llvm)

    return intrinsic(typing)


_inline: Callable[[Function], Function] = njit(inline="always")
_bits = _bitcast(types.float32, types.int32, ir.IntType(32))
_float = _bitcast(types.int32, types.float32, ir.FloatType())


def _store_run_typing(
    context: Typed, base: Typed, weight: Typed, to: Typed, upper: Typed, delta: Typed, a: Typed, d: Typed
) -> Typed:
    """s[to .. to + VECTOR - 1] = a + s[weight ..] * d and s[delta ..] = that - s[upper ..], offsets from an address.

    Written out as vectors because numba leaves LLVM's vectoriser of straight-line code off.
    """
    floats = ir.VectorType(ir.FloatType(), VECTOR)

    def codegen(context: Typed, builder: Typed, signature: Typed, args: Typed) -> Typed:
        def pointer(offset: Typed) -> Typed:
            address = builder.add(args[0], builder.mul(offset, ir.Constant(ir.IntType(64), 4)))
            return builder.inttoptr(address, floats.as_pointer())

        def splat(value: Typed) -> Typed:
            one = builder.insert_element(ir.Constant(floats, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
            zeros = ir.Constant(ir.VectorType(ir.IntType(32), VECTOR), [0] * VECTOR)
            return builder.shuffle_vector(one, ir.Constant(floats, ir.Undefined), zeros)

        weights, above = builder.load(pointer(args[1]), align=4), builder.load(pointer(args[3]), align=4)
        product = builder.fmul(weights, splat(args[6]), flags=("contract",))
        value = builder.fadd(product, splat(args[5]), flags=("contract",))
        builder.store(value, pointer(args[2]), align=4)
        builder.store(builder.fsub(value, above), pointer(args[4]), align=4)
        return context.get_dummy_value()

    return types.void(types.uint64, *[types.uint64] * 4, types.float32, types.float32), codegen


_store_run: Function = intrinsic(_store_run_typing)


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


@_compiled("uint64(int32[::1], int32[::1], float32[::1], uint64, uint64, int64[:,::1], float32[::1])")
def _find_runs(low: Array, high: Array, weight: Array, x0: Index, n: Index, runs: Array, s: Array) -> Scalar:
    """Split a tile into runs: output pixels between the same two cells, VECTOR at most; returns how many.

    Fills runs[:, 0] with the offset in the tile, runs[:, 1:] with the two cells, and the weights into the scratch.
    """
    count: Index = _U(0)
    begin: Index = _U(0)
    for x in range(n):
        s[_WEIGHT + x] = weight[x0 + x]
        if x == _U(0) or low[x0 + x] != low[x0 + x - _U(1)] or x - begin == _U(VECTOR):
            begin = x
            runs[count, 0], runs[count, 1], runs[count, 2] = x, low[x0 + x], high[x0 + x]
            count += _U(1)
    return count


@_compiled("void(float32[:,:,::1], uint64, float32[::1], uint64, uint64, uint64, int64[:,::1], uint64, float32)")
def _expand(
    source: Array, y: Index, s: Array, to: Index, upper: Index, delta: Index, runs: Array, count: Index, shift: Scalar
) -> None:
    """Interpolate row y of every channel along x, in base 2: (value - shift) * log2(e); and its delta to `upper`.

    Every run is written as a whole vector, however short it is: what is written too far is overwritten by the next
    run, or lies in the slack at the row's end.
    """
    base = s.ctypes.data
    for c in range(_U(source.shape[0])):
        row = c * _T
        for run in range(count):
            x = _U(runs[run, 0])
            a = (source[c, y, _U(runs[run, 1])] - shift) * _LOG2E
            d = (source[c, y, _U(runs[run, 2])] - shift) * _LOG2E - a
            _store_run(base, _WEIGHT + x, to + row + x, upper + row + x, delta + row + x, a, d)


@_compiled("void(float32[:,:,::1], uint64, float32[::1], uint64, uint64, uint64, int64[:,::1], uint64)")
def _expand_posterior(
    source: Array, y: Index, s: Array, to: Index, upper: Index, delta: Index, runs: Array, count: Index
) -> None:
    """Interpolate row y of g_0 - g_1 along x, in base 2, as `_expand`: the posterior needs nothing else of g."""
    base = s.ctypes.data
    for run in range(count):
        x, i, j = _U(runs[run, 0]), _U(runs[run, 1]), _U(runs[run, 2])
        a = (source[_U(0), y, i] - source[_U(1), y, i]) * _LOG2E
        d = (source[_U(0), y, j] - source[_U(1), y, j]) * _LOG2E - a
        _store_run(base, _WEIGHT + x, to + x, upper + x, delta + x, a, d)


@_compiled("void(float32[::1], uint64, uint64, float32)")
def _fill(scratch: Array, to: Index, size: Index, value: Scalar) -> None:
    for x in range(size):
        scratch[to + x] = value


@_inline
def _lerp_group(s: Array, a: Index, d: Index, w: Scalar, x: Index) -> Scalar:
    """The logits of four classes at one pixel."""
    return (
        s[a + x] + w * s[d + x],
        s[a + x + _T] + w * s[d + x + _T],
        s[a + x + _T * _U(2)] + w * s[d + x + _T * _U(2)],
        s[a + x + _T * _U(3)] + w * s[d + x + _T * _U(3)],
    )


@_inline
def _max_of_group(best: Scalar, index: Scalar, v: Scalar, k: Scalar) -> Scalar:
    """Running maximum and argmax; the first of equal classes wins, as in argmax."""
    if v[0] > best:
        best = v[0]
        index = k
    if v[1] > best:
        best = v[1]
        index = k + _ONE
    if v[2] > best:
        best = v[2]
        index = k + _TWO
    if v[3] > best:
        best = v[3]
        index = k + _THREE
    return best, index


@_compiled("void(float32[::1], uint64, uint64, uint64, float32, uint64, float32)")
def _max_group(s: Array, o: Index, a: Index, d: Index, w: Scalar, n: Index, k: Scalar) -> None:
    """Maximum and argmax over the classes k .. k + 3."""
    for x in range(n):
        v = _lerp_group(s, a, d, w, x)
        best, index = _max_of_group(s[o + _BEST + x], s[o + _INDEX + x], v, k)
        s[o + _BEST + x] = best
        s[o + _INDEX + x] = index


@_compiled("void(float32[::1], uint64, uint64, uint64, float32, uint64, float32)")
def _max_sum_group(s: Array, o: Index, a: Index, d: Index, w: Scalar, n: Index, k: Scalar) -> None:
    """`_max_group`, and the sum of exponentials in the same pass; for narrow logits."""
    for x in range(n):
        v = _lerp_group(s, a, d, w, x)
        best, index = _max_of_group(s[o + _BEST + x], s[o + _INDEX + x], v, k)
        s[o + _BEST + x] = best
        s[o + _INDEX + x] = index
        s[o + _SUM + x] += (_exp2(v[0]) + _exp2(v[1])) + (_exp2(v[2]) + _exp2(v[3]))


@_compiled("void(float32[::1], uint64, uint64, uint64, uint64, float32, uint64, float32)")
def _sum_group(s: Array, o: Index, to: Index, a: Index, d: Index, w: Scalar, n: Index, scale: Scalar) -> None:
    """Sum of 2^(v * scale) over four classes; for narrow logits."""
    for x in range(n):
        v = _lerp_group(s, a, d, w, x)
        s[o + to + x] += (_exp2(v[0] * scale) + _exp2(v[1] * scale)) + (_exp2(v[2] * scale) + _exp2(v[3] * scale))


@_compiled("void(float32[::1], uint64, uint64, uint64, uint64, float32, uint64, float32)")
def _relative_sum(s: Array, o: Index, to: Index, a: Index, d: Index, w: Scalar, n: Index, scale: Scalar) -> None:
    """Sum of 2^((v - best) * scale) of one class: any range of logits, any temperature."""
    for x in range(n):
        t = (s[a + x] + w * s[d + x] - s[o + _BEST + x]) * scale
        s[o + to + x] += _exp2(max(t, _FLOOR))


@_compiled("void(float32[::1], uint64, uint64, uint64, float32, uint64)")
def _entropy_sum(s: Array, o: Index, a: Index, d: Index, w: Scalar, n: Index) -> None:
    """Sum of 2^u and of 2^u * u, u = v - best, of one class; the second in the score row."""
    for x in range(n):
        u = max(s[a + x] + w * s[d + x] - s[o + _BEST + x], _FLOOR)
        e = _exp2(u)
        s[o + _SUM + x] += e
        s[o + _SCORE + x] += e * u


@_compiled("void(float32[::1], int64, uint64, uint64, uint64, uint64, float32[::1], uint64, uint64, uint64, float32)")
def _reduce(
    s: Array, work: Scalar, upper: Index, delta: Index, groups: Index, classes: Index,
    weights: Array, first: Index, last: Index, n: Index, inverse_temperature: Scalar,
) -> None:  # fmt: skip
    """Maximum, argmax and sums of at most SLOTS output rows between the same two low-resolution rows.

    Rows run inside classes: the group of classes at hand stays in the first-level cache for all of them.
    """
    for y in range(first, last):
        o = _SLOTS + (y - first) * _SLOT
        _fill(s, o + _BEST, _T, _LOWEST)
        _fill(s, o + _SUM, _T * _U(3), _ZERO)
    if work & _NEED_BEST:
        for group in range(groups):
            step = group * _U(GROUP) * _T
            k = _F(group * _U(GROUP))
            for y in range(first, last):
                o = _SLOTS + (y - first) * _SLOT
                if work & _NEED_SUM and not work & _RELATIVE:
                    _max_sum_group(s, o, upper + step, delta + step, weights[y], n, k)
                else:
                    _max_group(s, o, upper + step, delta + step, weights[y], n, k)
    if not work & _RELATIVE:
        for group in range(groups):
            step = group * _U(GROUP) * _T
            for y in range(first, last):
                o = _SLOTS + (y - first) * _SLOT
                if work & _NEED_SUM and not work & _NEED_BEST:
                    _sum_group(s, o, _SUM, upper + step, delta + step, weights[y], n, _ONE)
                if work & _NEED_WARM:
                    _sum_group(s, o, _WARM, upper + step, delta + step, weights[y], n, inverse_temperature)
    else:
        for c in range(classes):
            a, d = upper + c * _T, delta + c * _T
            for y in range(first, last):
                o = _SLOTS + (y - first) * _SLOT
                if work & _NEED_ENTROPY:
                    _entropy_sum(s, o, a, d, weights[y], n)
                elif work & _NEED_SUM:
                    _relative_sum(s, o, _SUM, a, d, weights[y], n, _ONE)
                if work & _NEED_WARM:
                    _relative_sum(s, o, _WARM, a, d, weights[y], n, inverse_temperature)


@_compiled("void(float32[::1], uint64, int64, boolean, uint64, uint64, float32, uint64, float32)")
def _score_row(
    s: Array, o: Index, kind: Scalar, relative: Scalar, a: Index, d: Index, w: Scalar, n: Index, shift: Scalar
) -> None:
    """The score of one row of the tile, of best, sum and the interpolated g_0 - g_1 (base 2)."""
    base = _ONE if relative else _ZERO
    # With t = (g_0 - g_1) log2(e): ln softmax(g)[1] = -ln(1 + e^(g_0 - g_1)) = -(max(t, 0) + log2(1 + 2^-|t|)) ln 2
    if kind == KIND_HYBRID:
        # Both logarithms in one: the sum is at most 2^124.
        for x in range(n):
            t = s[a + x] + w * s[d + x]
            total = s[o + _SUM + x] * (_ONE + _exp2(max(-abs(t), _FLOOR)))
            s[o + _SCORE + x] = -((_log2(total) + base * s[o + _BEST + x] + max(t, _ZERO)) * _LN2 + shift)
    if kind == KIND_ENERGY:
        for x in range(n):
            s[o + _SCORE + x] = -((_log2(s[o + _SUM + x]) + base * s[o + _BEST + x]) * _LN2 + shift)
    if kind == KIND_POSTERIOR:
        for x in range(n):
            t = s[a + x] + w * s[d + x]
            s[o + _SCORE + x] = -(max(t, _ZERO) + _log2(_ONE + _exp2(max(-abs(t), _FLOOR)))) * _LN2
    if kind == KIND_MSP:
        for x in range(n):
            top = _ONE if relative else _exp2(s[o + _BEST + x])
            s[o + _SCORE + x] = _ONE - top / s[o + _SUM + x]
    if kind == KIND_MAX_LOGIT:
        for x in range(n):
            s[o + _SCORE + x] = -(s[o + _BEST + x] * _LN2 + shift)
    if kind == KIND_ENTROPY:
        for x in range(n):
            s[o + _SCORE + x] = (_log2(s[o + _SUM + x]) - s[o + _SCORE + x] / s[o + _SUM + x]) * _LN2


@_compiled(
    "void(float32[::1], uint64, int64, uint64, uint64, uint64, float32, float32, uint8[:,::1],"
    " float32[:,::1], uint8[:,::1], uint8[:,::1])"
)
def _store_row(
    s: Array, o: Index, work: Scalar, y: Index, x0: Index, n: Index, threshold: Scalar,
    inverse_temperature: Scalar, labels: Array, score: Array, mask: Array, confidence: Array,
) -> None:  # fmt: skip
    """From scratch to the maps that are wanted."""
    if labels.size:
        for x in range(n):
            labels[y, x0 + x] = np.uint8(np.int32(s[o + _INDEX + x]))
    if score.size:
        for x in range(n):
            score[y, x0 + x] = s[o + _SCORE + x]
    if mask.size:
        for x in range(n):
            mask[y, x0 + x] = np.uint8(255) if s[o + _SCORE + x] > threshold else np.uint8(0)
    if confidence.size:
        to, scale = (_WARM, inverse_temperature) if work & _NEED_WARM else (_SUM, _ONE)
        for x in range(n):
            top = _ONE if work & _RELATIVE else _exp2(s[o + _BEST + x] * scale)
            confidence[y, x0 + x] = np.uint8(np.int32(min(top / s[o + to + x], _ONE) * _F(255) + _F(0.5)))


@_inline
def _plan_work(
    kind: Scalar, narrow: Scalar, scoring: Scalar, labels: Scalar, confidence: Scalar, warm: Scalar
) -> Scalar:
    """The _NEED_* flags for what is wanted."""
    entropy = scoring and kind == KIND_ENTROPY
    relative = entropy or not narrow
    total = (scoring and kind in (KIND_HYBRID, KIND_ENERGY, KIND_MSP)) or (confidence and not warm)
    best = (
        labels or confidence or (scoring and kind in (KIND_MSP, KIND_MAX_LOGIT, KIND_ENTROPY)) or (total and relative)
    )
    work = 0
    if best:
        work |= _NEED_BEST
    if total:
        work |= _NEED_SUM
    if relative:
        work |= _RELATIVE
    if entropy:
        work |= _NEED_ENTROPY
    if warm:
        work |= _NEED_WARM
    return work


@_compiled(
    "void(float32[:,:,::1], float32[:,:,::1], int32[::1], int32[::1], float32[::1], int32[::1], int32[::1],"
    " float32[::1], uint64, uint64, int64, boolean, float32, float32, float32, uint8[:,::1], float32[:,::1],"
    " uint8[:,::1], uint8[:,::1], float32[::1])"
)
def segment_band(
    logits: Array, posterior: Array, row_low: Array, row_high: Array, row_weight: Array, col_low: Array,
    col_high: Array, col_weight: Array, first: Index, last: Index, kind: Scalar, narrow: Scalar, shift: Scalar,
    threshold: Scalar, inverse_temperature: Scalar, labels: Array, score: Array, mask: Array, confidence: Array,
    s: Array,
) -> None:  # fmt: skip
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
        narrow: whether |logit - shift| * max(1, inverse_temperature) <= NARROW_RANGE / 2 everywhere.
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
    dataset = groups * _U(GROUP) * _T  # where a block keeps g_0 - g_1
    block = dataset + _T
    width = _U(col_low.shape[0])
    scoring = score.size > 0 or mask.size > 0
    warm = confidence.size > 0 and inverse_temperature != _ONE
    work = _plan_work(kind, narrow, scoring, labels.size > 0, confidence.size > 0, warm)
    posterior_wanted = scoring and kind in (KIND_HYBRID, KIND_POSTERIOR)
    runs = np.empty((TILE, 3), np.int64)
    upper = _U(_HEAD_ROWS) * _T
    lower = upper + block
    delta = lower + block
    # Classes that only fill the last group: never the maximum, nothing in a sum.
    filler = _FLOOR / max(_ONE, inverse_temperature) if narrow else _LOWEST

    for tile in range((width + _U(TILE - 1)) // _U(TILE)):
        x0 = tile * _U(TILE)
        n = min(_U(TILE), width - x0)
        count = _find_runs(col_low, col_high, col_weight, x0, n, runs, s)
        current = np.int64(-1)
        y = first
        while y < last:
            low, high = row_low[y], row_high[y]
            if low != current:
                if current >= 0 and low == current + 1:
                    upper, lower = lower, upper
                else:
                    _expand(logits, _U(low), s, upper, upper, delta, runs, count, shift)
                    if posterior_wanted:
                        _expand_posterior(
                            posterior, _U(low), s, upper + dataset, upper + dataset, delta + dataset,
                            runs, count,
                        )  # fmt: skip
                _expand(logits, _U(high), s, lower, upper, delta, runs, count, shift)
                if posterior_wanted:
                    _expand_posterior(
                        posterior, _U(high), s, lower + dataset, upper + dataset, delta + dataset,
                        runs, count,
                    )  # fmt: skip
                _fill(s, upper + classes * _T, dataset - classes * _T, filler)
                _fill(s, delta + classes * _T, dataset - classes * _T, _ZERO)
                current = np.int64(low)
            end = y + _U(1)
            while end < last and end < y + _U(SLOTS) and row_low[end] == low:
                end += _U(1)
            _reduce(s, work, upper, delta, groups, classes, row_weight, y, end, n, inverse_temperature)
            for row in range(y, end):
                o = _SLOTS + (row - y) * _SLOT
                if scoring:
                    _score_row(
                        s, o, kind, work & _RELATIVE != 0, upper + dataset, delta + dataset, row_weight[row], n, shift
                    )
                _store_row(s, o, work, row, x0, n, threshold, inverse_temperature, labels, score, mask, confidence)
            y = end


def scratch_size(classes: int) -> int:
    """float32 values of scratch that `segment_band` needs for K classes."""
    padded = -(-classes // GROUP) * GROUP
    return (_HEAD_ROWS + 3 * (padded + 1)) * ROW
