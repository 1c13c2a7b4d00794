"""Confidence intervals of a figure and of the difference of two, by resampling blocks of images.

Neighbouring images of a drive are alike: resampling single images would find intervals that are too narrow, so whole
blocks of consecutive images are drawn (Carlstein 1986). Percentile and bias-corrected accelerated (BCa) intervals
after Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), chapters 13 and 14.
"""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.evaluation.block_tables import BlockTable, ClassTable, Metric

Method = Literal["bca", "percentile"]
Floats = npt.NDArray[np.float64]
Table = BlockTable | ClassTable

RESAMPLES = 2000


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure, or a difference of two (second minus first), and where it lies with a given confidence.

    Attributes:
        value: on the tables as they are; None where the metric is not defined on one of them.
        low: lower end; None where there is no interval: fewer than two blocks, or no value.
        high: upper end.
        confidence: of the interval, 0..1.
        paired: whether the same blocks were drawn from both tables.
        resamples: how many draws the interval is made of; draws without any anomaly have no value and are left out.
    """

    value: float | None
    low: float | None
    high: float | None
    confidence: float
    paired: bool
    resamples: int

    @property
    def significant(self) -> bool:
        """Whether there is an interval, and 0 lies outside of it."""
        return self.low is not None and self.high is not None and not self.low <= 0 <= self.high


def difference(
    a: Table,
    b: Table,
    metric: Metric,
    *,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
    method: Method = "bca",
    paired: bool | None = None,
) -> Interval:
    """The metric of `b` minus that of `a`, with its interval.

    Args:
        a: the blocks of the first run.
        b: the blocks of the second run, of the same type.
        metric: "ap", "auroc", "fpr95" of score blocks, "miou" of class blocks.
        confidence: of the interval.
        resamples: how many draws.
        seed: same seed, same interval.
        method: BCa corrects the percentile interval's bias and skew, which few blocks have.
        paired: draw the same blocks from both, which is narrower; None = where the blocks are of the same images.

    Raises:
        ValueError: a metric that the tables do not have, tables of two types, or pairing blocks that are not alike.
    """
    same = a.same_images(b)
    if paired and not same:
        raise ValueError("the blocks are not of the same images: expected equal counts in both tables to pair them")
    together = same if paired is None else paired
    sizes = (len(a.images),) if together else (len(a.images), len(b.images))

    def statistic(weights: tuple[Floats, ...]) -> Floats:
        return b.metric(metric, weights[-1]) - a.metric(metric, weights[0])

    return _interval(statistic, sizes, confidence, resamples, seed, method, together)


def interval(
    table: Table,
    metric: Metric,
    *,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
    method: Method = "bca",
) -> Interval:
    """The metric of one table, with its interval; see `difference`."""
    return _interval(
        lambda weights: table.metric(metric, weights[0]),
        (len(table.images),),
        confidence,
        resamples,
        seed,
        method,
        paired=False,
    )


def _interval(
    statistic: Callable[[tuple[Floats, ...]], Floats],
    sizes: tuple[int, ...],
    confidence: float,
    resamples: int,
    seed: int,
    method: Method,
    paired: bool,
) -> Interval:
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence:g}, expected a number between 0 and 1 such as 0.95")
    found = float(statistic(tuple(np.ones((1, size)) for size in sizes))[0])
    nothing = Interval(None if np.isnan(found) else found, None, None, confidence, paired, 0)
    if np.isnan(found) or min(sizes) < 2:
        return nothing
    rng = np.random.default_rng(seed)
    draws = tuple(rng.multinomial(size, np.full(size, 1 / size), resamples).astype(np.float64) for size in sizes)
    values = statistic(draws)
    values = values[~np.isnan(values)]
    if not values.size:
        return nothing
    low, high = (1 - confidence) / 2, (1 + confidence) / 2
    if method == "bca":
        shift = _bias(values, found)
        bend = _acceleration(statistic, sizes)
        low, high = _corrected(low, shift, bend), _corrected(high, shift, bend)
    ends = np.quantile(values, [low, high])
    return Interval(found, float(ends[0]), float(ends[1]), confidence, paired, int(values.size))


def _bias(values: Floats, found: float) -> float:
    """z0: where the value lies among its resamples, ties counted half, in standard deviations."""
    share = (np.count_nonzero(values < found) + np.count_nonzero(values <= found)) / (2 * values.size)
    # A value beyond all resamples lies somewhere beyond the outermost one.
    edge = 1 / (2 * values.size)
    return NormalDist().inv_cdf(min(max(share, edge), 1 - edge))


def _acceleration(statistic: Callable[[tuple[Floats, ...]], Floats], sizes: tuple[int, ...]) -> float:
    """How fast the standard error changes with the value, by leaving out one block at a time (Efron 1987, eq. 6.6)."""
    cubes = squares = 0.0
    for which, size in enumerate(sizes):
        weights = [np.ones((size, other)) for other in sizes]
        weights[which] = 1 - np.eye(size)
        left_out = statistic(tuple(weights))
        left_out = left_out[~np.isnan(left_out)]
        influence = (size - 1) * (left_out.mean() - left_out) if left_out.size else np.zeros(1)
        cubes += float((influence**3).sum()) / size**3
        squares += float((influence**2).sum()) / size**2
    return cubes / (6 * squares**1.5) if squares > 0 else 0.0


def _corrected(level: float, shift: float, bend: float) -> float:
    """The quantile of the resamples that stands for a level."""
    normal = NormalDist()
    z = shift + normal.inv_cdf(level)
    return normal.cdf(shift + z / (1 - bend * z))
