"""Results that no sound network gives: numbers that are none, and answers that do not depend on the place."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

NAN, CONSTANT = "output.nan", "output.constant"


@dataclass(frozen=True, slots=True)
class OutputOptions:
    """When a constant result is no chance.

    Attributes:
        frames: constant results in a row that make the state.
    """

    frames: int = 5

    def __post_init__(self) -> None:
        """Raises ValueError for a count that tells nothing."""
        if self.frames < 1:
            raise ValueError(f"frames must be >= 1, found {self.frames}")

    def detection_s(self, state: str, period_s: float) -> float:
        """Longest time from the first bad result to the state, s, at one result every `period_s`; NaN at once."""
        return 0.0 if state == NAN else (self.frames - 1) * period_s


class OutputCheck:
    """Follows the results of one camera, every pixel of every one.

    The detector refuses raw outputs that are NaN or constant; this looks at what would be published, behind every
    kernel and copy. Compared with a threshold, NaN says "no obstacle".

    Args:
        options: see `OutputOptions`.
    """

    def __init__(self, options: OutputOptions | None = None) -> None:
        self.options = options or OutputOptions()
        self.reset()

    def reset(self) -> None:
        """Forget all results."""
        self._constant_frames = 0
        self.why = ""

    def update(
        self,
        *,
        labels: npt.NDArray[np.uint8] | None = None,
        score: npt.NDArray[np.float32] | None = None,
    ) -> frozenset[str]:
        """Look at one frame's result, what is None left out; {"output.nan"}, {"output.constant"} or nothing.

        NaN or Inf in one pixel is told at once; labels of one class and a score of one value are told after `frames`
        results in a row. Both end with the first sound result. `why` says in words what is wrong with this frame, ""
        where nothing is. A mask that is set everywhere is no fault: that is what a low threshold asks for.

        Args:
            labels: uint8[H, W] class ids.
            score: float32[H, W] anomaly score.
        """
        low, high = (0.0, 1.0) if score is None or not score.size else (float(score.min()), float(score.max()))
        if not (np.isfinite(low) and np.isfinite(high)):  # min and max both propagate NaN
            self.why = f"score: expected finite values, found a range of {low:g} to {high:g}"
            return frozenset({NAN})
        self.why = _constant(labels, low, high)
        self._constant_frames = self._constant_frames + 1 if self.why else 0
        return frozenset({CONSTANT}) if self._constant_frames >= self.options.frames else frozenset()


def _constant(labels: npt.NDArray[np.uint8] | None, low: float, high: float) -> str:
    if low == high:
        return f"score: expected values that depend on the image, found {low:g} everywhere"
    if labels is not None and labels.size and (first := labels.flat[0]) == labels.min() == labels.max():
        return f"labels: expected more than one class in an image, found class {first} everywhere"
    return ""
