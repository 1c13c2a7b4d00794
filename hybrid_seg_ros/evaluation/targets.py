"""The threshold that meets a wish on a labelled set: so few false alarms, or so many of the anomalies."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from hybrid_seg_ros.evaluation.conformal import Risk
from hybrid_seg_ros.evaluation.pixel_counts import PixelCounts
from hybrid_seg_ros.evaluation.score_bins import bin_of, lowest_score

Wish = Literal["fpr", "tpr", "miss"]


@dataclass(frozen=True, slots=True)
class Target:
    """What a threshold is to do.

    Attributes:
        wish: "fpr": at most `value` of the known pixels above it; "tpr": at least `value` of the anomaly pixels above
            it; "miss": at most `value` of them not above it.
        value: between 0 and 1.

    Raises:
        ValueError: another wish, or a value out of range.
    """

    wish: Wish
    value: float

    def __post_init__(self) -> None:
        if self.wish not in ("fpr", "tpr", "miss"):
            raise ValueError(f"target {self.wish!r}: expected fpr, tpr or miss, such as fpr=0.01")
        if not 0 < self.value < 1:
            raise ValueError(f"target {self.wish}={self.value:g}: expected a share between 0 and 1, such as fpr=0.01")

    @property
    def risk(self) -> Risk:
        """What is to be bounded."""
        return "fpr" if self.wish == "fpr" else "miss"

    @property
    def level(self) -> float:
        """What the risk may be at most: 0.05 of tpr=0.95."""
        return round(1 - self.value, 12) if self.wish == "tpr" else self.value

    def __str__(self) -> str:
        return f"{self.wish}={self.value:g}"


def parse_target(text: str) -> Target:
    """The target of "fpr=0.01", "tpr=0.95" or "miss=0.05".

    Raises:
        ValueError: none of them.
    """
    wish, _, value = text.partition("=")
    try:
        number = float(value)
    except ValueError:
        raise ValueError(f"target {text!r}: expected fpr=, tpr= or miss= and a number, such as fpr=0.01") from None
    return Target(wish, number)  # type: ignore[arg-type]  # checked by the class


def threshold_for(counts: PixelCounts, target: Target) -> float:
    """The threshold for `score > threshold` that meets the target on the pooled pixels.

    Of all that do, the lowest for "fpr" and the highest for the others, up to the width of a bin of the counts; the
    rates are kept exactly.

    Raises:
        ValueError: no pixel of the kind that the target is of, or no finite threshold meets it.
    """
    numbers, known, anomaly = (array[::-1] for array in counts.bins())  # highest scores first
    pixels = np.cumsum(known if target.risk == "fpr" else anomaly)
    total = int(pixels[-1]) if pixels.size else 0
    if not total:
        missing = "known" if target.risk == "fpr" else "anomaly"
        raise ValueError(f"the set has no {missing} pixels, which the target {target} is a share of")
    if target.risk == "fpr":
        last = int(np.searchsorted(pixels / total, target.value, side="right")) - 1
        if last < 0:
            share = pixels[0] / total
            raise ValueError(f"target {target}: {100 * share:.3g} % of the known pixels have the highest score of all")
    else:
        last = int(np.argmax(pixels >= (1 - target.level) * total * (1 - 1e-12)))
    # The bins from the highest to this one are above the largest number below them.
    threshold = float(
        np.nextafter(lowest_score(numbers[last : last + 1], counts.mantissa_bits)[0], np.float32(-np.inf))
    )
    if not np.isfinite(threshold):
        raise ValueError(f"target {target} takes the threshold {threshold}: the scores are infinite")
    return threshold


def rates_above(counts: PixelCounts, threshold: float) -> tuple[float | None, float | None]:
    """(TPR, FPR) of `score > threshold`, None without such pixels; exact at thresholds between two bins."""
    numbers, known, anomaly = counts.bins()
    above = numbers > bin_of(threshold, counts.mantissa_bits)
    return (
        int(anomaly[above].sum()) / counts.anomaly if counts.anomaly else None,
        int(known[above].sum()) / counts.known if counts.known else None,
    )
