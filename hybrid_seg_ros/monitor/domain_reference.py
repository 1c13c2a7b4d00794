"""What known scenes look like to the network: the measure that `domain` holds a camera's images to."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.bundle import DomainStatistics, Manifest

HIGH_QUANTILE = 0.99
FEWEST_IMAGES = 20
_GRID = (64, 96)

Scores = npt.NDArray[np.float32]


class DomainReference(Protocol):
    """What known scenes look like: a measure of one image, and the limits that it is held to.

    Attributes:
        suspect: above it a scene is suspect.
        out: above it a scene is out of domain.
    """

    @property
    def suspect(self) -> float: ...
    @property
    def out(self) -> float: ...
    def measure(self, score: Scores) -> float:
        """How far from known an image is, by its scores in any shape; NaN where they are none."""
        ...


@dataclass(frozen=True, slots=True)
class MeasuredReference:
    """The median score of known images: measured in spreads, the distance from their middle to their top percent.

    Limits of three and a half and of five spreads leave room for other cameras, weather and places than those of the
    reference (the shipped network, its reference from CamVid by day: generated drives by rain and night reach 3.6 in
    single images; noise, indoor pictures and a hand over the lens lie at 6 to 12).

    Attributes:
        typical: median over the images of an image's median score.
        high: 99 % quantile of it.
        suspect: spreads above which a scene is suspect.
        out: spreads above which it is out of domain.
    """

    typical: float
    high: float
    suspect: float = 3.5
    out: float = 5.0

    def __post_init__(self) -> None:
        """Raises ValueError for a reference without width or limits in the wrong order."""
        if not self.high > self.typical:
            raise ValueError(f"high must be > typical, found {self.high:g} and {self.typical:g}")
        _check_limits(self.suspect, self.out)

    def measure(self, score: Scores) -> float:
        """Spreads above the typical median score; negative below it."""
        return (image_statistic(score) - self.typical) / (self.high - self.typical)


@dataclass(frozen=True, slots=True)
class DeclaredReference:
    """Without measured statistics: the share of an image above a threshold, beside what the bundle declares for it.

    Known scenes have a share of `fpr` above it, and obstacles cover some more.

    Attributes:
        threshold: of the operating point with the highest declared false-positive rate.
        suspect: share above which a scene is suspect, 0 .. 1.
        out: share above which it is out of domain, 0 .. 1.
    """

    threshold: float
    suspect: float
    out: float

    def __post_init__(self) -> None:
        """Raises ValueError for limits in the wrong order."""
        _check_limits(self.suspect, self.out)

    def measure(self, score: Scores) -> float:
        """Share of the pixels above the threshold."""
        sample = _sample(score)
        return (
            float("nan") if np.isnan(sample).any() else float(np.count_nonzero(sample > self.threshold)) / sample.size
        )


def reference_of(manifest: Manifest) -> DomainReference | None:
    """The best reference that a bundle allows: its measured statistics, else its declared rates, else None."""
    if manifest.domain is not None:
        return MeasuredReference(manifest.domain.typical, manifest.domain.high)
    declared = [
        (point.fpr, point.threshold) for point in manifest.score.operating_points.values() if point.fpr is not None
    ]
    if not declared:
        return None
    fpr, threshold = max(declared)
    # Obstacles near the camera fill up to a tenth of an image: twice that is suspect.
    return DeclaredReference(threshold, suspect=fpr + 0.2, out=fpr + 0.4)


def image_statistic(score: Scores) -> float:
    """The statistic of one image that references are made of: the median of its scores (of a grid of 96 x 64)."""
    return float(np.median(_sample(score)))


def calibrate_domain(statistics: Sequence[float], source: str) -> DomainStatistics:
    """What a manifest says of known scenes, from the `image_statistic` of each of them.

    Args:
        statistics: one for each image; the more places and conditions, the better.
        source: the set they come from.

    Raises:
        ValueError: fewer than 20, not all finite, or all the same.
    """
    values = np.asarray(statistics, np.float64)
    if values.size < FEWEST_IMAGES:
        raise ValueError(f"expected statistics of at least {FEWEST_IMAGES} images of {source}, found {values.size}")
    if not np.isfinite(values).all():
        raise ValueError(f"expected finite statistics, found {np.count_nonzero(~np.isfinite(values))} of {source} not")
    typical, high = (float(q) for q in np.quantile(values, [0.5, HIGH_QUANTILE]))
    if not high > typical:
        raise ValueError(f"expected images that differ, found a median score of {typical:g} in most of {source}")
    return DomainStatistics(source=source, images=values.size, typical=typical, high=high)


def _sample(score: Scores) -> Scores:
    if score.ndim != 2 or not score.size:
        raise ValueError(f"expected scores of float32[H, W], found {score.dtype}{list(score.shape)}")
    rows, columns = _GRID
    return score[:: max(1, score.shape[0] // rows), :: max(1, score.shape[1] // columns)]


def _check_limits(suspect: float, out: float) -> None:
    if not 0 < suspect <= out:
        raise ValueError(f"expected 0 < suspect <= out, found {suspect:g} and {out:g}")
