"""Whether the whole scene is one that the network knows, from how foreign its ordinary pixel is.

Obstacles are few pixels of an image; where the *median* pixel's anomaly score is higher than on any known scene, it
is not an obstacle that is unknown but the scene, and neither labels nor mask mean much.
"""

from collections import deque
from dataclasses import dataclass

import numpy as np

from hybrid_seg_ros.monitor.domain_reference import DomainReference, Scores

SUSPECT, OUT_OF_DOMAIN = "scene.suspect", "scene.out_of_domain"

_MOST_IMAGES = 1024


@dataclass(frozen=True, slots=True)
class DomainOptions:
    """How long what is seen must last.

    Attributes:
        after_s: how long a scene must be foreign, s: the median over the images of twice this long is what counts.
        fewest: images that it takes to judge; as many of the last ones count however old they are.
        clear_share: a state ends below this share of its limit.
    """

    after_s: float = 5.0
    fewest: int = 3
    clear_share: float = 0.85

    def __post_init__(self) -> None:
        """Raises ValueError for options with which nothing could be told."""
        if not self.after_s >= 0:
            raise ValueError(f"after_s must be >= 0 s, found {self.after_s}")
        if not 1 <= self.fewest <= _MOST_IMAGES:
            raise ValueError(f"fewest must lie within 1 and {_MOST_IMAGES}, found {self.fewest}")
        if not 0 < self.clear_share <= 1:
            raise ValueError(f"clear_share must lie within 0 and 1, found {self.clear_share}")

    def detection_s(self, period_s: float) -> float:
        """Longest time from the first image of another domain to the state, s, at one image every `period_s`."""
        return max(self.after_s, (self.fewest - 1) * period_s) + period_s


class DomainMonitor:
    """Follows the scores of one camera.

    Args:
        reference: see `domain_reference.reference_of`.
        options: see `DomainOptions`.
    """

    def __init__(self, reference: DomainReference, options: DomainOptions | None = None) -> None:
        self.reference, self.options = reference, options or DomainOptions()
        self.reset()

    @property
    def level(self) -> float:
        """The measure that counts, in the reference's unit: median over the window; NaN after too few images."""
        values = [value for _, value in self._window]
        return float(np.median(values)) if len(values) >= self.options.fewest else float("nan")

    def reset(self) -> None:
        """Forget all scenes."""
        self._window: deque[tuple[float, float]] = deque(maxlen=_MOST_IMAGES)
        self._states: frozenset[str] = frozenset()

    def update(self, score: Scores, now_s: float) -> frozenset[str]:
        """Take one image's scores; {"scene.suspect"}, {"scene.out_of_domain"} or nothing.

        Scores that are NaN say nothing here. The state stays where nothing can be told.

        Args:
            score: float32[H, W]; a grid of 96 x 64 of them is looked at.
            now_s: when, seconds of any steady clock.
        """
        if self._window and now_s < self._window[-1][0]:
            self._window.clear()
        value = self.reference.measure(score)
        if not np.isnan(value):
            self._window.append((now_s, value))
        while len(self._window) > self.options.fewest and now_s - self._window[0][0] >= 2 * self.options.after_s:
            self._window.popleft()
        level = self.level
        if not np.isnan(level):
            self._states = self._judge(level)
        return self._states

    def _judge(self, level: float) -> frozenset[str]:
        keep = self.options.clear_share
        out = self.reference.out * (keep if OUT_OF_DOMAIN in self._states else 1.0)
        suspect = self.reference.suspect * (keep if self._states else 1.0)
        if level > out:
            return frozenset({OUT_OF_DOMAIN})
        return frozenset({SUSPECT}) if level > suspect else frozenset()
