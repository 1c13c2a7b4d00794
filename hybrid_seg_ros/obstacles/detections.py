"""Obstacles as boxes in the image."""

from dataclasses import dataclass

from hybrid_seg_ros.obstacles.types import Obstacles


@dataclass(frozen=True, slots=True)
class Detection:
    """One obstacle in the image.

    Attributes:
        bbox: half-open (x0, y0, x1, y1), px.
        score: greatest anomaly score of its pixels, in the score's own units; NaN without a score map.
        id: of its track, 0 before the time filter.
    """

    bbox: tuple[int, int, int, int]
    score: float
    id: int


def detections(obstacles: Obstacles, *, confirmed_only: bool = True) -> tuple[Detection, ...]:
    """The obstacles of an image, in their order."""
    return tuple(Detection(o.bbox, o.score_max, o.id) for o in obstacles.obstacles if o.confirmed or not confirmed_only)
