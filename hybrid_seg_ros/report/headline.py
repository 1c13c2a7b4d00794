"""The few figures at the top of the page."""

from dataclasses import dataclass

from hybrid_seg_ros.report.document import Evaluation, Node, Score, Video
from hybrid_seg_ros.report.listing import main_score
from hybrid_seg_ros.report.words import MISSING, fine_percent, fixed, percent, whole


@dataclass(frozen=True, slots=True)
class Headline:
    """One figure.

    Attributes:
        label: its name.
        value: as it is shown.
        unit: after the value.
        note: what it means, in a few words.
    """

    label: str
    value: str
    unit: str
    note: str


def headlines(evaluation: Evaluation) -> list[Headline]:
    """What to look at first, as far as it was measured."""
    found: list[Headline] = []
    main = main_score(evaluation)
    if main is not None:
        found += _ranking(evaluation.scores[main])
    if evaluation.closed_set:
        found.append(Headline("mIoU ↑", percent(evaluation.closed_set.miou), "%", "of the known classes"))
    if evaluation.open_set:
        note = f"closed {percent(evaluation.open_set.closed_miou)} %"
        found.append(Headline("open-mIoU ↑", percent(evaluation.open_set.open_miou), "%", note))
    if evaluation.calibration:
        found.append(Headline("ECE ↓", fine_percent(evaluation.calibration.ece), "%", "error of the confidence"))
    if evaluation.video:
        found += _obstacles(evaluation.video)
    if evaluation.node:
        found += _node(evaluation.node)
    return found


def _ranking(score: Score) -> list[Headline]:
    if score.ap is None and score.auroc is None:
        return []
    found = [
        Headline("AP ↑", percent(score.ap, score.ap_error), "%", "anomaly pixels ranked first"),
        Headline("FPR95 ↓", percent(score.fpr95, score.fpr95_error), "%", "false alarms to find 95 %"),
        Headline("AUROC ↑", percent(score.auroc, score.auroc_error), "%", "anomaly above known"),
    ]
    if score.components:
        count = f"{whole(score.components.ground_truth)} objects"
        found.append(Headline("component F1 ↑", percent(score.components.mean_f1), "%", f"mean, {count}"))
    return found


def _obstacles(video: Video) -> list[Headline]:
    if not video.obstacles:
        return []
    waits = sorted(o.time_to_detection_s for o in video.obstacles if o.time_to_detection_s is not None)
    median = fixed(waits[len(waits) // 2], 2) if waits else MISSING
    detected = sum(o.first_detected_s is not None for o in video.obstacles)
    return [Headline("detected ↑", f"{detected} of {len(video.obstacles)}", "", f"obstacles; median wait {median} s")]


def _node(node: Node) -> list[Headline]:
    found = []
    if node.latency_ms:
        found.append(
            Headline("latency p99 ↓", fixed(node.latency_ms.p99), "ms", f"p50 {fixed(node.latency_ms.p50)} ms")
        )
    if node.frames_in:
        lost = node.dropped + node.rejected
        note = f"{whole(lost)} of {whole(node.frames_in)} frames"
        found.append(Headline("without answer ↓", fine_percent(lost / node.frames_in), "%", note))
    if node.peak_hz is not None:
        found.append(Headline("peak rate ↑", fixed(node.peak_hz), "Hz", "with less than 5 % drops"))
    return found
