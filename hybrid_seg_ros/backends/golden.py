"""The parity test every backend must pass before it runs its first frame."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np

from hybrid_seg_ros.backends.base import BackendError, FloatArray, NetworkOutput
from hybrid_seg_ros.bundle import Bundle, image_to_tensor

FP32_TOLERANCE = 1e-3

Precision = Literal["fp32", "fp16", "int8"]


@dataclass(frozen=True, slots=True)
class Allowance:
    """How far a reduced precision may lead from FP32.

    Attributes:
        labels: least share of pixels that keep their label.
        score: largest mean |difference| of s_H, in standard deviations of s_H.
    """

    labels: float
    score: float


ALLOWED: Mapping[Precision, Allowance] = MappingProxyType(
    {"fp16": Allowance(0.995, 0.05), "int8": Allowance(0.97, 0.25)}
)
"""By precision; FP32 is compared number by number instead."""


def check(infer: Callable[[FloatArray], NetworkOutput], bundle: Bundle, *, tolerance: float = FP32_TOLERANCE) -> float:
    """Run the golden input and compare with the golden outputs, number by number: for FP32.

    Args:
        infer: runs float32[1, 3, H, W] at the golden image's size.
        bundle: whose golden.npz counts.
        tolerance: allowed |difference|, relative to the largest |value| of that output.

    Returns:
        The largest relative difference.

    Raises:
        BackendError: an output of another shape, or further away than the tolerance.
        BundleError: golden.npz is unreadable.
    """
    golden = bundle.golden()
    output = infer(image_to_tensor(golden.image, bundle.manifest.input))
    return compare(output, NetworkOutput(golden.logits, golden.posterior), f"golden test of {bundle.path}", tolerance)


def compare(found: NetworkOutput, expected: NetworkOutput, what: str, tolerance: float) -> float:
    """The largest difference of raw outputs, relative to the largest |value| of its output; see `check`."""
    worst = 0.0
    for name in ("logits", "posterior"):
        want, have = getattr(expected, name), getattr(found, name)
        _same_shape(name, have, want, what)
        scale = max(float(np.abs(want).max()), 1e-30)
        difference = float(np.abs(have - want).max()) / scale
        if not difference <= tolerance:  # NaN fails too
            raise BackendError(
                f"{what}: expected {name} within {tolerance:g} of the expected ones (relative to their"
                f" largest value), found a difference of {difference:.3g}. To fix: export the bundle again; if it"
                " passes on another machine, update or replace this one's runtime: pip install --upgrade onnxruntime"
            )
        worst = max(worst, difference)
    return worst


def compare_reduced(
    found: NetworkOutput, expected: NetworkOutput, what: str, allowed: Allowance
) -> tuple[float, float]:
    """What a reduced precision does to labels and score at the network's own resolution.

    Args:
        found: outputs of FP16 or INT8.
        expected: outputs of FP32.
        what: for messages.
        allowed: how far they may differ.

    Returns:
        (share of equal labels, mean |difference| of s_H relative to its standard deviation).

    Raises:
        BackendError: further from FP32 than allowed, not finite, or of another shape.
    """
    for name in ("logits", "posterior"):
        _same_shape(name, getattr(found, name), getattr(expected, name), what)
    equal = float((found.logits.argmax(axis=0) == expected.logits.argmax(axis=0)).mean())
    want, have = _hybrid(expected), _hybrid(found)
    drift = float(np.abs(have - want).mean()) / max(float(want.std()), 1e-30)
    if not (equal >= allowed.labels and drift <= allowed.score):  # NaN fails too
        raise BackendError(
            f"{what}: expected at least {allowed.labels:.1%} of the labels of FP32 and a score within {allowed.score:g}"
            f" standard deviations of its, found {equal:.2%} and {drift:.3g}. To fix: set precision to fp32"
        )
    return equal, drift


def _hybrid(output: NetworkOutput) -> FloatArray:
    """s_H (METHOD, section 1) of raw outputs: float64[h, w]."""
    g, s = output.posterior.astype(np.float64), output.logits.astype(np.float64)
    return np.asarray(g[1] - np.logaddexp(g[0], g[1]) - np.logaddexp.reduce(s, axis=0))


def _same_shape(name: str, found: FloatArray, expected: FloatArray, what: str) -> None:
    if found.shape != expected.shape:
        raise BackendError(
            f"{what}: expected {name} of shape {list(expected.shape)}, found {list(found.shape)}."
            " To fix: export the bundle again, so that model and golden.npz belong together"
        )
