"""Labels and scores as colours."""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.bundle.manifest import ClassInfo, ScoreKind

Bgr = npt.NDArray[np.uint8]

UNKNOWN_ID = (0, 0, 0)
"""BGR of ids that are no class (void)."""
NOT_A_NUMBER = (0, 255, 0)
"""BGR of scores that are not finite: no colour of the heat map comes near it."""

# Half the width of the heat scale, in the score's own unit: nats where the score is a log-ratio or a logit,
# probability for msp, nats of entropy.
_HALF_WIDTH: dict[ScoreKind, float] = {
    "hybrid": 10.0,
    "energy": 10.0,
    "posterior": 6.0,
    "max_logit": 10.0,
    "msp": 0.5,
    "entropy": 1.5,
}


def class_lut(classes: Sequence[ClassInfo]) -> Bgr:
    """uint8[256, 1, 3], BGR of every class id; ids that are no class are black."""
    lut = np.empty((256, 1, 3), np.uint8)
    lut[:] = UNKNOWN_ID
    for info in classes:
        lut[info.id, 0] = info.color[::-1]
    return lut


def colorize_labels(labels: npt.NDArray[np.uint8], classes: Sequence[ClassInfo]) -> Bgr:
    """uint8[H, W] class ids -> uint8[H, W, 3] BGR in the colours of the class table."""
    return np.asarray(cv2.applyColorMap(labels, class_lut(classes)), np.uint8)


def heat_limits(threshold: float, kind: ScoreKind = "hybrid") -> tuple[float, float]:
    """(lo, hi) of a heat map with the threshold in its middle, the same for every frame of a video."""
    half = _HALF_WIDTH[kind]
    return threshold - half, threshold + half


def heat_map(score: npt.NDArray[np.float32], lo: float, hi: float) -> Bgr:
    """float32[H, W] -> uint8[H, W, 3] BGR: black at lo, red in the middle, pale yellow at hi (perceptually uniform).

    Values outside [lo, hi] saturate; what is not finite is green.

    Raises:
        ValueError: lo is not below hi.
    """
    if not lo < hi:
        raise ValueError(f"heat map from {lo} to {hi}: expected lo < hi")
    scaled = (score - np.float32(lo)) * np.float32(255.0 / (hi - lo))
    finite = np.isfinite(scaled)
    if not finite.all():
        scaled[~finite] = 0.0
    levels = np.clip(scaled, 0.0, 255.0, out=scaled).astype(np.uint8)
    image = np.asarray(cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO), np.uint8)
    if not finite.all():
        image[~finite] = NOT_A_NUMBER
    return image
