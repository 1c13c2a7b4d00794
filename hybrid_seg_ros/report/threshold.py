"""The slider: what each threshold of a score's curve does, as counts."""

from dataclasses import asdict, dataclass

import numpy as np

from hybrid_seg_ros.report.document import Evaluation, Score


@dataclass(frozen=True, slots=True)
class Reading:
    """Counts of pixels at one threshold, and the rates that follow from them.

    Attributes:
        found, missed: anomaly pixels marked, and not.
        alarms, quiet: known pixels marked, and not.
    """

    found: int
    missed: int
    alarms: int
    quiet: int

    @property
    def tpr(self) -> float | None:
        """Share of the anomaly pixels that are marked."""
        return _ratio(self.found, self.found + self.missed)

    @property
    def fpr(self) -> float | None:
        """Share of the known pixels that are marked."""
        return _ratio(self.alarms, self.alarms + self.quiet)

    @property
    def precision(self) -> float | None:
        """Share of the marked pixels that are anomalies."""
        return _ratio(self.found, self.found + self.alarms)

    @property
    def f1(self) -> float | None:
        """Harmonic mean of precision and TPR."""
        return _ratio(2 * self.found, 2 * self.found + self.alarms + self.missed)

    @property
    def iou(self) -> float | None:
        """Of the mask with the truth."""
        return _ratio(self.found, self.found + self.alarms + self.missed)


@dataclass(frozen=True, slots=True)
class Slider:
    """The stops of a score's slider, highest threshold first.

    Attributes:
        thresholds: of `score >= threshold`.
        parameters: the same for the node's `score > threshold`: the next float32 below, in as few digits as name it.
        tpr, fpr: at each.
        known, anomaly: pixels of the score.
        images: of the set.
        points: operating point -> the stop nearest to it.
        start: the stop to begin with.
    """

    thresholds: list[float]
    parameters: list[str]
    tpr: list[float]
    fpr: list[float]
    known: int
    anomaly: int
    images: int
    points: dict[str, int]
    start: int

    def reading(self, stop: int) -> Reading:
        """The counts at a stop."""
        found, alarms = round(self.tpr[stop] * self.anomaly), round(self.fpr[stop] * self.known)
        return Reading(found, self.anomaly - found, alarms, self.known - alarms)

    def data(self) -> dict[str, object]:
        """What the page's script needs."""
        return asdict(self)


def slider(evaluation: Evaluation, name: str) -> Slider | None:
    """The slider of one score; None where it has no curve.

    It begins at the threshold that made the masks, if that is one of this score, else at the best F1.
    """
    score = evaluation.scores[name]
    curve = score.curve
    if curve is None or not curve.thresholds:
        return None
    known, anomaly = _totals(evaluation, score)
    points = {key: _stop(curve.thresholds, point.threshold) for key, point in score.points.items()}
    own = evaluation.network.threshold
    if own is not None and name == evaluation.network.score:
        start = _stop(curve.thresholds, own)
    else:
        start = points.get("best_f1", len(curve.thresholds) // 2)
    return Slider(
        thresholds=curve.thresholds,
        parameters=[str(np.nextafter(np.float32(t), np.float32(-np.inf))) for t in curve.thresholds],
        tpr=curve.tpr,
        fpr=curve.fpr,
        known=known,
        anomaly=anomaly,
        images=evaluation.images,
        points=points,
        start=start,
    )


def _totals(evaluation: Evaluation, score: Score) -> tuple[int, int]:
    """Known and anomaly pixels: those of the score itself where it says so, for an image can lack one score only."""
    if score.histogram is not None:
        return sum(score.histogram.known), sum(score.histogram.anomaly)
    if score.blocks is not None:
        return sum(row[-1] for row in score.blocks.known), sum(row[-1] for row in score.blocks.anomaly)
    return evaluation.known_pixels, evaluation.anomaly_pixels


def _stop(thresholds: list[float], strict: float) -> int:
    """The last stop whose pixels are all above a strict threshold, or the first."""
    return max(sum(t > strict for t in thresholds) - 1, 0)


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
