"""Whether a camera's images can be believed: dark, over-exposed, blurred or blocked ones cannot."""

import math
from dataclasses import dataclass

import numpy as np

from hybrid_seg_ros.monitor.lasting import Lasting
from hybrid_seg_ros.monitor.picture import TILES, Glance, Image, glance

DARK, OVER_EXPOSED = "image.dark", "image.over_exposed"
BLURRED, BLOCKED = "image.blurred", "image.blocked"

_RARELY = 0.2  # a tile that is empty in a smaller share of the images normally shows something


@dataclass(frozen=True, slots=True)
class QualityOptions:
    """Limits, each with a second one at which the state is left again, and times.

    The limits of sharpness and structure come from generated drives in all weathers and from photographs of streets
    (Indian Driving, RoadAnomaly21): sharp ones have a sharpness of 0.4 and more.

    Attributes:
        dark_below: dark where the 95th percentile of brightness is below this, 0 .. 255.
        dark_until: no longer dark above this.
        over_exposed_above: over-exposed where a larger share of the image than this is saturated.
        over_exposed_until: no longer below this share.
        blurred_below: blurred where the sharpness (see `Glance`) is below this, whatever the camera.
        blurred_relative: blurred, too, below this share of the sharpness that this camera normally has, ...
        blurred_ceiling: ... as long as that is below this: an image is not blurred because others were sharper.
        blurred_until: no longer blurred above this multiple of the limit that applies.
        empty_above: blocked where a larger share of the image than this is without structure.
        empty_until: no longer below this share.
        covered_above: blocked, too, where a larger share of the image than this has lost its structure.
        covered_until: no longer below this share.
        after_s: how long a state must last, s.
        covered_after_s: how long a part that lost its structure must have lost it, s.
        clear_s: how long it must be gone, s.
        learn_s: how long good images must have been seen before what is normal is known, s.
        memory_s: time constant with which it is followed, s.
        max_gap_s: images farther apart than this do not show that something lasts, s.
    """

    dark_below: float = 24.0
    dark_until: float = 32.0
    over_exposed_above: float = 0.5
    over_exposed_until: float = 0.4
    blurred_below: float = 0.34
    blurred_relative: float = 0.6
    blurred_ceiling: float = 0.38
    blurred_until: float = 1.1
    empty_above: float = 0.7
    empty_until: float = 0.55
    covered_above: float = 0.12
    covered_until: float = 0.08
    after_s: float = 1.0
    covered_after_s: float = 3.0
    clear_s: float = 1.0
    learn_s: float = 10.0
    memory_s: float = 120.0
    max_gap_s: float = 2.0

    def __post_init__(self) -> None:
        """Raises ValueError for limits whose states could be entered and left at once."""
        for name in ("over_exposed", "empty", "covered"):
            above, until = getattr(self, f"{name}_above"), getattr(self, f"{name}_until")
            if not 0 <= until <= above <= 1:
                raise ValueError(f"expected 0 <= {name}_until <= {name}_above <= 1, found {until} and {above}")
        if not 0 <= self.dark_below <= self.dark_until <= 255:
            raise ValueError(
                f"expected 0 <= dark_below <= dark_until <= 255, found {self.dark_below} and {self.dark_until}"
            )
        if not self.blurred_until >= 1:
            raise ValueError(f"blurred_until must be >= 1, found {self.blurred_until}")
        if not self.memory_s > 0:
            raise ValueError(f"memory_s must be > 0 s, found {self.memory_s}")

    def detection_s(self, state: str, period_s: float) -> float:
        """Longest time from the first bad image to the state, s, at one image every `period_s` <= max_gap_s.

        A lens that is covered in part is known only after `learn_s` of good images.
        """
        return (self.covered_after_s if state == BLOCKED else self.after_s) + period_s


class QualityMonitor:
    """Follows the images of one camera; one call costs a fraction of a millisecond.

    Dark and over-exposed images are not asked whether they are blurred or blocked, nor blocked ones whether they are
    blurred: there is nothing to tell it by, and the state in force stays.
    What is normal for the camera is learned from good images only, so what lasts does not become normal.

    Args:
        options: see `QualityOptions`.
    """

    def __init__(self, options: QualityOptions | None = None) -> None:
        self.options = o = options or QualityOptions()
        self._lasting = {
            name: Lasting(o.covered_after_s if name == "covered" else o.after_s, o.clear_s, o.max_gap_s)
            for name in (DARK, OVER_EXPOSED, BLURRED, "empty", "covered")
        }
        self.reset()

    @property
    def normal_sharpness(self) -> float:
        """What this camera's sharpness normally is; NaN until it is known."""
        return self._sharpness if self._learned_s >= self.options.learn_s else math.nan

    def reset(self) -> None:
        """Forget the camera: for another image size, or another activation."""
        for lasting in self._lasting.values():
            lasting.reset()
        self._shape: tuple[int, ...] | None = None
        self._last_s: float | None = None
        self._learned_s = 0.0
        self._sharpness = math.nan
        self._emptiness = np.zeros(TILES)

    def update(self, image: Image, now_s: float) -> frozenset[str]:
        """Look at an image; which of the four states hold at `now_s` (seconds of any steady clock).

        Args:
            image: uint8[H, W, 3] BGR or uint8[H, W], as it came from the camera.
            now_s: when; not every image need be shown.

        Raises:
            ValueError: no such image.
        """
        if image.shape != self._shape:
            self.reset()
            self._shape = image.shape
        seen = glance(image)
        bad = self._judge(seen, now_s)
        if not bad:
            self._learn(seen, now_s)
        self._last_s = now_s
        states = {name for name in (DARK, OVER_EXPOSED, BLURRED) if self._lasting[name].on}
        if self._lasting["empty"].on or self._lasting["covered"].on:
            states.add(BLOCKED)
        return frozenset(states)

    def _judge(self, seen: Glance, now_s: float) -> bool:
        """Take one image's evidence; whether anything is or begins to be wrong."""
        o = self.options
        empty = float(seen.empty.mean())
        covered = float((seen.empty & self._structured()).mean())
        dark, over = seen.highlight < o.dark_below, seen.saturated > o.over_exposed_above
        lit = not dark and not over
        blurred = self._blur_limit()
        evidence = {
            DARK: (dark, seen.highlight > o.dark_until),
            OVER_EXPOSED: (over, seen.saturated < o.over_exposed_until),
            "empty": (lit and empty > o.empty_above, lit and empty < o.empty_until),
            "covered": (lit and covered > o.covered_above, lit and covered < o.covered_until),
            BLURRED: (
                lit and empty <= o.empty_above and seen.sharpness < blurred,
                lit and empty <= o.empty_above and seen.sharpness > blurred * o.blurred_until,
            ),
        }
        for name, (bad, good) in evidence.items():
            self._lasting[name].update(bad=bad, good=good, now_s=now_s)
        return any(bad for bad, _ in evidence.values()) or any(lasting.on for lasting in self._lasting.values())

    def _blur_limit(self) -> float:
        o, normal = self.options, self.normal_sharpness
        relative = 0.0 if math.isnan(normal) else min(o.blurred_relative * normal, o.blurred_ceiling)
        return max(o.blurred_below, relative)

    def _structured(self) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        """bool[9, 16], tiles that are known to show something nearly always."""
        if self._learned_s < self.options.learn_s:
            return np.zeros(TILES, np.bool_)
        return self._emptiness < _RARELY

    def _learn(self, seen: Glance, now_s: float) -> None:
        step = 0.0 if self._last_s is None else min(max(now_s - self._last_s, 0.0), self.options.max_gap_s)
        if step <= 0.0 or math.isnan(seen.sharpness):
            return
        self._learned_s += step
        # A plain mean at first, an exponential one later.
        weight = step / min(self._learned_s, self.options.memory_s)
        known = seen.sharpness if math.isnan(self._sharpness) else self._sharpness
        self._sharpness = known + weight * (seen.sharpness - known)
        self._emptiness += weight * (seen.empty - self._emptiness)
