"""The bundle's golden image through the running detector, again and again: does it still answer the same?"""

import numpy as np

from hybrid_seg_ros.backends.base import BackendError
from hybrid_seg_ros.detector import Detector, Outputs
from hybrid_seg_ros.frames import Frame

LABELS_EQUAL = 0.995
SCORE_TOLERANCE = 0.05


class ParityCheck:
    """Compares with the detector's own first answer, which came right after the bundle's golden test was passed.

    That compares the whole path, pre- and post-processing included, at any input size and precision. Where another
    backend took over, which passed the golden test too, its first answer counts from then on. Called by the worker's
    thread, while no other frame is under way.

    Args:
        detector: warm.
    """

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._frame = Frame(detector.bundle.golden().image)
        self._first: tuple[np.ndarray, np.ndarray] | None = None
        self._of: tuple[str, str, str] | None = None

    def __call__(self) -> str:
        """What differs, "" where nothing does; the first call, and the first of each backend, only remembers."""
        try:
            found = self._detector(self._frame, Outputs.LABELS | Outputs.SCORE)
        except BackendError as error:
            return f"the golden image: {error}"
        if found.labels is None or found.score is None:
            raise RuntimeError("the detector gave no labels or no score, though both were asked for")
        info = self._detector.info
        backend = (info.name, info.device, info.precision)
        if self._first is None or backend != self._of:
            self._of = backend
            self._first = found.labels.copy(), found.score.copy()
            return ""
        labels, score = self._first
        equal = float(np.mean(found.labels == labels))
        drift = float(np.mean(np.abs(found.score - score))) / max(float(score.std()), 1e-6)
        if equal >= LABELS_EQUAL and drift <= SCORE_TOLERANCE:
            return ""
        return (
            f"the golden image: {equal:.2%} of the labels are those of the first run (expected {LABELS_EQUAL:.1%}), "
            f"the score has drifted by {drift:.2g} standard deviations (expected at most {SCORE_TOLERANCE:g})"
        )
