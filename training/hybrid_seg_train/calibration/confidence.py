"""A confidence that means something: temperature scaling and isotonic regression of the max softmax."""

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from sklearn.isotonic import isotonic_regression  # type: ignore[import-untyped, unused-ignore]
from torch import Tensor
from torch.nn import functional

from hybrid_seg_train.calibration.reliability import Reliability, reliability

Method = Literal["none", "temperature", "isotonic"]
Table = tuple[tuple[float, float], ...]

MAX_KNOTS = 64
# The confidence is published in 8 bits: finer levels would be lost, and coarser ones need no table of their own.
_LEVELS = 255
_CLOSE_ENOUGH = 0.5 / _LEVELS


@dataclass(frozen=True, slots=True)
class ConfidenceMap:
    """From logits to the probability that the predicted class is right.

    Attributes:
        method: "none" (temperature 1, no table), "temperature" (no table) or "isotonic".
        temperature: divides the logits.
        table: knots of a piecewise linear map of the max softmax, constant beyond its ends; None: identity.
    """

    method: Method
    temperature: float = 1.0
    table: Table | None = None


def confidences(logits: Tensor, mapping: ConfidenceMap) -> npt.NDArray[np.float64]:
    """float32[N, K] -> float64[N] in 0..1."""
    top = torch.softmax(logits / mapping.temperature, dim=1).amax(dim=1).double().numpy().clip(0, 1)
    return np.asarray(top if mapping.table is None else np.interp(top, *np.transpose(mapping.table)))


def judge(mapping: ConfidenceMap, logits: Tensor, classes: Tensor) -> Reliability:
    """Reliability of a map on float32[N, K] logits and their true classes int64[N]."""
    return reliability(confidences(logits, mapping), (logits.argmax(dim=1) == classes).numpy())


def fit(logits: Tensor, classes: Tensor) -> tuple[ConfidenceMap, ...]:
    """Every method's map, fitted on float32[N, K] logits and their true classes int64[N].

    The isotonic table maps the softmax at the fitted temperature, which spreads over more of the 8 bits than the
    network's own does.
    """
    warm = ConfidenceMap("temperature", fit_temperature(logits, classes))
    table = fit_table(confidences(logits, warm), (logits.argmax(dim=1) == classes).numpy())
    return ConfidenceMap("none"), warm, ConfidenceMap("isotonic", warm.temperature, table)


def fit_temperature(logits: Tensor, classes: Tensor) -> float:
    """The T that minimises the negative log-likelihood of softmax(logits / T), by golden-section search of ln T.

    Args:
        logits: float32[N, K].
        classes: int64[N], the true classes.
    """

    def loss(log_temperature: float) -> float:
        return float(functional.cross_entropy(logits / math.exp(log_temperature), classes))

    ratio = (math.sqrt(5) - 1) / 2
    low, high = math.log(0.2), math.log(8.0)
    left, right = high - ratio * (high - low), low + ratio * (high - low)
    loss_left, loss_right = loss(left), loss(right)
    while high - low > 1e-3:
        if loss_left < loss_right:
            high, right, loss_right = right, left, loss_left
            left = high - ratio * (high - low)
            loss_left = loss(left)
        else:
            low, left, loss_left = left, right, loss_right
            right = low + ratio * (high - low)
            loss_right = loss(right)
    return math.exp((low + high) / 2)


def fit_table(confidence: npt.NDArray[np.floating[Any]], correct: npt.NDArray[np.bool_]) -> Table:
    """Isotonic regression of `correct` on the confidence in steps of 1/255, as at most MAX_KNOTS knots.

    Args:
        confidence: float[N] in 0..1.
        correct: bool[N].
    """
    level = np.rint(np.asarray(confidence) * _LEVELS).astype(np.int64)
    count = np.bincount(level, minlength=_LEVELS + 1)
    hits = np.bincount(level, weights=correct, minlength=_LEVELS + 1)
    seen = np.flatnonzero(count)
    fitted = np.clip(isotonic_regression(hits[seen] / count[seen], sample_weight=count[seen].astype(float)), 0, 1)
    if len(seen) == 1:
        return (0.0, round(float(fitted[0]), 4)), (1.0, round(float(fitted[0]), 4))
    kept = _knots(seen / _LEVELS, fitted, count[seen])
    return tuple((round(float(seen[i] / _LEVELS), 5), round(float(fitted[i]), 4)) for i in kept)


def _knots(x: npt.NDArray[Any], y: npt.NDArray[Any], weight: npt.NDArray[Any]) -> list[int]:
    """Points that carry the line: both ends, and one by one the point whose error touches the most pixels."""
    kept = [0, len(x) - 1]
    while len(kept) < MAX_KNOTS:
        error = np.abs(np.interp(x, x[kept], y[kept]) - y)
        if error.max() <= _CLOSE_ENOUGH:
            break
        kept = sorted({*kept, int(np.argmax(np.where(error > _CLOSE_ENOUGH, error * weight, 0)))})
    return kept
