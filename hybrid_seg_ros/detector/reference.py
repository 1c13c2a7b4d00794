"""The formula as written: plain numpy, full-resolution K-channel tensors, float32.

Slow and obvious; every faster path is tested against it. Source: METHOD, section 1 (DenseHybrid,
arXiv 2207.02606 and 2301.08555): heads, bilinear upsampling of both logit maps, then softmax, LSE and log.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.bundle import ScoreKind
from hybrid_seg_ros.detector.confidence import lookup_table
from hybrid_seg_ros.detector.maps import Formula, Maps
from hybrid_seg_ros.frames.geometry import AxisTable

FloatArray = npt.NDArray[np.floating[Any]]


def upsample(coarse: FloatArray, rows: AxisTable, columns: AxisTable) -> FloatArray:
    """Bilinear interpolation: [C, h, w] -> [C, H, W]."""
    v = rows.weight[:, None]
    tall = (1 - v) * coarse[:, rows.low] + v * coarse[:, rows.high]
    u = columns.weight
    return (1 - u) * tall[..., columns.low] + u * tall[..., columns.high]


def logsumexp(x: FloatArray) -> FloatArray:
    """Ln of the sum of exp over the channels: [C, ...] -> [...]; no overflow."""
    peak = x.max(axis=0)
    return np.asarray(peak + np.log(np.exp(x - peak).sum(axis=0)))


def softmax(x: FloatArray) -> FloatArray:
    """P(y|x) = softmax over the channels: [C, ...] -> [C, ...]."""
    e = np.exp(x - x.max(axis=0))
    return np.asarray(e / e.sum(axis=0))


def log_posterior(posterior: FloatArray) -> FloatArray:
    """s_D = ln P(d_out|x) = log_softmax(g)[1], never log(softmax): [2, ...] -> [...]."""
    return np.asarray(posterior[1] - logsumexp(posterior))


def score(logits: FloatArray, posterior: FloatArray, kind: ScoreKind) -> FloatArray:
    """The anomaly score, higher = more anomalous: [K, ...], [2, ...] -> [...].

    hybrid s_H = s_D + s_G; energy s_G = -LSE(s); posterior s_D; msp 1 - max P(y|x); max_logit -max s;
    entropy -sum P ln P.
    """
    if kind == "hybrid":
        return np.asarray(log_posterior(posterior) - logsumexp(logits))
    if kind == "energy":
        return -logsumexp(logits)
    if kind == "posterior":
        return log_posterior(posterior)
    if kind == "msp":
        return np.asarray(1 - softmax(logits).max(axis=0))
    if kind == "max_logit":
        return np.asarray(-logits.max(axis=0))
    if kind == "entropy":
        # -sum P ln P = LSE - sum P s: finite even where a P underflows to 0; shifted, so that nothing cancels.
        shifted = logits - logits.max(axis=0)
        return np.asarray(logsumexp(shifted) - (softmax(shifted) * shifted).sum(axis=0))
    raise ValueError(f"score kind is {kind!r}, expected hybrid, energy, posterior, msp, max_logit or entropy")


def confidence(logits: FloatArray, temperature: float) -> npt.NDArray[np.uint8]:
    """255 * max softmax(logits / temperature), rounded: [K, ...] -> uint8[...]."""
    return np.asarray(softmax(logits / temperature).max(axis=0) * 255 + 0.5).astype(np.uint8)


def segment(
    logits: FloatArray,
    posterior: FloatArray,
    rows: AxisTable,
    columns: AxisTable,
    formula: Formula,
    threshold: float,
) -> Maps:
    """All maps at H x W of raw outputs [K, h, w] and [2, h, w]."""
    s = upsample(logits, rows, columns)
    g = upsample(posterior, rows, columns)
    anomaly = score(s, g, formula.kind).astype(np.float32)
    certainty = confidence(s, formula.temperature)
    table = lookup_table(formula.confidence_table)
    return Maps(
        labels=s.argmax(axis=0).astype(np.uint8),
        score=anomaly,
        mask=np.where(anomaly > threshold, np.uint8(255), np.uint8(0)),
        confidence=certainty if table is None else table[certainty],
    )
