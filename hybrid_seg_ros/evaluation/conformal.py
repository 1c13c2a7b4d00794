"""A threshold with a finite-sample bound on what it does to images that were never seen.

The unit is the image: the bound counts images, and needs those it is found on and those to come to be exchangeable.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.evaluation.pixel_counts import PixelCounts
from hybrid_seg_ros.evaluation.risk_bounds import crc_allowance, fewest_images, hoeffding_bentkus_allowance
from hybrid_seg_ros.evaluation.score_bins import bins_of, lowest_score

Risk = Literal["fpr", "miss"]
"""Share of an image's known pixels that are above the threshold; share of its anomaly pixels that are not."""

RiskMethod = Literal["conformal_risk_control", "hoeffding_bentkus"]

_BITS = 11
# Losses are sums of shares in float64: rounding may not let through what the bound does not.
_ROUNDING = 1e-9


class TooFewImagesError(ValueError):
    """The bound cannot hold with so few images, whatever the threshold."""


@dataclass(frozen=True, slots=True)
class BoundedThreshold:
    """A threshold for `score > threshold`, and the bound that comes with it.

    Attributes:
        threshold: the one that lets most anomalies through ("fpr"), or fewest known pixels ("miss").
        risk: what is bounded, on average over images.
        level: the bound, 0..1.
        confidence: None: the expected risk is at most `level`, on average over calibration sets; else the probability
            that the calibration images give a threshold whose expected risk is at most `level`.
        method: where the bound comes from.
        images: how many images it was found on.
        skipped: how many images had no pixel that the risk is of; the bound is for images that have some.
        mean_loss: mean risk of the calibration images at the threshold.
    """

    threshold: float
    risk: Risk
    level: float
    confidence: float | None
    method: RiskMethod
    images: int
    skipped: int
    mean_loss: float


def allowed_mean_loss(images: int, risk: Risk, level: float, confidence: float | None) -> float:
    """The largest mean loss of so many calibration images that keeps the bound; see `risk_bounds`.

    Raises:
        TooFewImagesError: says how many it takes.
        ValueError: level or confidence out of range.
    """
    for name, value in (("level", level), ("confidence", confidence)):
        if value is not None and not 0 < value < 1:
            raise ValueError(f"{name} is {value:g}, expected a number between 0 and 1")
    allowed = (
        crc_allowance(images, level) if confidence is None else hoeffding_bentkus_allowance(images, level, confidence)
    )
    if allowed is None:
        raise TooFewImagesError(
            f"{images} images with {'known' if risk == 'fpr' else 'anomaly'} pixels cannot bound {risk} by {level:g}"
            + (f" with confidence {confidence:g}" if confidence is not None else "")
            + f"; expected at least {fewest_images(level, confidence)}: give more images, or a higher level"
        )
    return allowed


class ImageRisk:
    """Streaming: mean risk of images at every threshold of a fixed grid, 8 MiB.

    The grid is the float32 numbers of 11 mantissa bits (steps of 0.05 %): fixed beforehand, so that the bound is exact
    for the threshold that is chosen from it.
    """

    def __init__(self, risk: Risk) -> None:
        if risk not in ("fpr", "miss"):
            raise ValueError(f"risk is {risk!r}, expected 'fpr' or 'miss'")
        self._risk: Risk = risk
        self._shares: npt.NDArray[np.float64] = np.zeros(bins_of(_BITS))
        self._images = self._skipped = 0

    @property
    def images(self) -> int:
        """How many images count."""
        return self._images

    def add(self, score: npt.NDArray[np.floating], anomaly: npt.NDArray[np.uint8]) -> None:
        """Count one image.

        Args:
            score: float[H, W], higher = more anomalous.
            anomaly: uint8[H, W], 0 known, 1 anomaly, else void.

        Raises:
            ValueError: shapes differ, or a labelled pixel is NaN.
        """
        counts = PixelCounts(_BITS)
        counts.add(score, anomaly)
        bins, known, anomalous = counts.bins()
        pixels = known if self._risk == "fpr" else anomalous
        total = int(pixels.sum())
        if not total:
            self._skipped += 1
            return
        self._shares[bins] += pixels / total
        self._images += 1

    def threshold(self, level: float, confidence: float | None = None) -> BoundedThreshold:
        """The threshold at which the risk is bounded by `level`.

        Args:
            level: of the risk, between 0 and 1.
            confidence: None: conformal risk control; else Hoeffding-Bentkus at this confidence, between 0 and 1.

        Raises:
            TooFewImagesError: says how many it takes.
            ValueError: level or confidence out of range, or the bound would need an infinite threshold.
        """
        allowed = allowed_mean_loss(self._images, self._risk, level, confidence)
        chosen, mean_loss = self._choose(allowed)
        # The highest score of the chosen bin: what is strictly above it lies in higher bins.
        beyond = lowest_score(np.array([chosen + 1]), _BITS)[0]
        threshold = float(np.nextafter(beyond, np.float32(-np.inf)))
        if not np.isfinite(threshold):
            raise ValueError(f"bounding {self._risk} by {level:g} takes the threshold {threshold}: scores are infinite")
        return BoundedThreshold(
            threshold=threshold,
            risk=self._risk,
            level=level,
            confidence=confidence,
            method="conformal_risk_control" if confidence is None else "hoeffding_bentkus",
            images=self._images,
            skipped=self._skipped,
            mean_loss=mean_loss,
        )

    def _choose(self, allowed: float) -> tuple[int, float]:
        """The bin whose upper end is the threshold, and the mean loss there."""
        shares = self._shares / self._images
        if self._risk == "miss":
            below = np.cumsum(shares)  # lost where scores up to this bin are not above the threshold
            chosen = int(np.searchsorted(below, max(allowed - _ROUNDING, 0.0), side="right")) - 1
            return chosen, float(below[chosen])
        above = np.append(np.cumsum(shares[:0:-1])[::-1], 0.0)  # let through where scores beyond this bin are
        chosen = int(np.argmax(above <= max(allowed - _ROUNDING, 0.0)))
        return chosen, float(above[chosen])
