"""How far a confidence is from the share of right pixels: reliability diagrams and their summaries.

All of it is about the predicted class, which is what the node publishes a confidence of. Sources: ECE and the diagram,
Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, eq. 3; adaptive ECE, Nguyen and O'Connor 2015.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

BINS = 15
# A confidence of exactly 0 or 1 that is wrong would make the likelihood infinite.
_SMALLEST = 1e-7

Floats = npt.NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Bin:
    """One bar of a reliability diagram; bins without pixels are left out.

    Attributes:
        low: lower edge of the bin's confidences.
        high: upper edge.
        count: pixels in it.
        confidence: their mean confidence.
        accuracy: share of them whose predicted class is right.
    """

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class Reliability:
    """The diagram and its summaries; every figure but the NLL is in 0..1, smaller is better.

    Attributes:
        ece: expected calibration error: mean over pixels of |accuracy - confidence| of their equally wide bin.
        adaptive_ece: the same of bins of equal mass.
        nll: mean negative log-likelihood of "the predicted class is right", nats.
        brier: mean squared difference of the confidence and 1 where right, 0 where wrong.
        pixels: how many pixels.
        equal_width: BINS bins of equal width.
        equal_mass: BINS bins of equal mass, fewer where equal confidences fill more than one: they stay together.
    """

    ece: float
    adaptive_ece: float
    nll: float
    brier: float
    pixels: int
    equal_width: tuple[Bin, ...]
    equal_mass: tuple[Bin, ...]


def reliability(confidence: Floats, correct: npt.NDArray[np.bool_]) -> Reliability:
    """Measure a confidence.

    Args:
        confidence: float[N] in 0..1, of the predicted class.
        correct: bool[N], whether the predicted class is the true one.

    Raises:
        ValueError: no pixels, lengths that differ, or a confidence outside of 0..1.
    """
    p, right = np.asarray(confidence, np.float64), correct.astype(np.float64)
    if p.shape != right.shape or p.size == 0:
        raise ValueError(f"confidence is {p.shape}, correct {right.shape}; expected equal lengths of at least 1")
    if not (p.min() >= 0 and p.max() <= 1):
        raise ValueError(f"confidence is {p.min():g}..{p.max():g}, expected 0..1")
    width = _bins(p, right, np.linspace(0, 1, BINS + 1))
    mass = _bins(p, right, np.unique(np.quantile(p, np.linspace(0, 1, BINS + 1))))
    clipped = np.clip(p, _SMALLEST, 1 - _SMALLEST)
    nll = -np.mean(right * np.log(clipped) + (1 - right) * np.log1p(-clipped))
    return Reliability(_error(width), _error(mass), float(nll), float(np.mean((p - right) ** 2)), p.size, width, mass)


def _bins(p: Floats, right: Floats, edges: Floats) -> tuple[Bin, ...]:
    """Bins [low, high), the last one closed."""
    index = np.clip(np.searchsorted(edges, p, side="right") - 1, 0, max(len(edges) - 2, 0))
    counts, confidences, hits = (np.bincount(index, weights, minlength=len(edges)) for weights in (None, p, right))
    return tuple(
        Bin(float(edges[i]), float(edges[min(i + 1, len(edges) - 1)]), n, float(confidences[i] / n), float(hits[i] / n))
        for i, n in enumerate(counts.tolist())
        if n
    )


def _error(bins: tuple[Bin, ...]) -> float:
    return sum(b.count * abs(b.accuracy - b.confidence) for b in bins) / sum(b.count for b in bins)
