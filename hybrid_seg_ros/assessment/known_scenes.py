"""From a labelled set to what a bundle says of known scenes as a whole: the reference of the domain monitor."""

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.bundle import DomainStatistics
from hybrid_seg_ros.monitor.domain_reference import FEWEST_IMAGES, calibrate_domain, image_statistic

MOST_ANOMALY = 0.05
"""Share of an image's pixels that may be anomalies in a known scene.

The statistic is a median: with a twentieth foreign, it is at most the 53 % quantile of what is known.
"""


def check_enough(images: int, source: str, left_out: str = "") -> None:
    """Refuse a set that is too small.

    Args:
        images: how many images it has.
        source: what it is called.
        left_out: why others of it do not count.

    Raises:
        ValueError: fewer than 20.
    """
    if images < FEWEST_IMAGES:
        why = f"; of the others, {left_out}" if left_out else ""
        raise ValueError(
            f"{source}: expected at least {FEWEST_IMAGES} images of known scenes for a domain, found {images}{why}"
        )


class KnownScenes:
    """Collects the statistic of every image that is a known scene: at most `MOST_ANOMALY` of its pixels are anomalies.

    All pixels of an image count, void ones too: a camera on the road has no labels.
    """

    def __init__(self) -> None:
        self._statistics: list[float] = []
        self._foreign = 0
        self._broken = 0

    def add(self, score: npt.NDArray[np.float32], anomaly: npt.NDArray[np.uint8]) -> None:
        """Take one image, or count why it is none.

        Args:
            score: float32[H, W].
            anomaly: uint8[H, W], 0 known, 1 anomaly, 255 void.
        """
        if np.count_nonzero(anomaly == 1) > MOST_ANOMALY * anomaly.size:
            self._foreign += 1
        elif not np.isfinite(statistic := image_statistic(score)):
            self._broken += 1  # saved maps may hold NaN where they are void
        else:
            self._statistics.append(statistic)

    def statistics(self, source: str) -> DomainStatistics:
        """What the manifest says of them.

        Args:
            source: what the set is called there.

        Raises:
            ValueError: fewer than 20 known scenes, or too alike.
        """
        check_enough(len(self._statistics), source, self._left_out())
        return calibrate_domain(self._statistics, source)

    def _left_out(self) -> str:
        foreign = f"{self._foreign} hold more than {100 * MOST_ANOMALY:g} % of anomaly pixels" if self._foreign else ""
        broken = f"{self._broken} have scores that are not finite" if self._broken else ""
        return ", ".join(part for part in (foreign, broken) if part)
