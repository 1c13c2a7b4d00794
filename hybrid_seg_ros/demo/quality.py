"""What the node's answers are worth against the ground truth of a generated drive."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hybrid_seg_ros.assessment.recording import RecordingOptions, assess_recording
from hybrid_seg_ros.bags import Result, read_results
from hybrid_seg_ros.bags.truth import Truth, read_truth
from hybrid_seg_ros.report.document import Evaluation


def answered(truth: Path, results: Path) -> Iterator[tuple[Truth, Result]]:
    """Each answered frame's truth with its result; both recordings in stamp order.

    Raises:
        BagError: one of them is not a recording.
    """
    answers = read_results(results)
    answer = next(answers, None)
    for expected in read_truth(truth):
        while answer is not None and answer.stamp_ns < expected.stamp_ns:
            answer = next(answers, None)
        if answer is not None and answer.stamp_ns == expected.stamp_ns:
            yield expected, answer


def judge(bag: Path, truth: Path, results: Path, bundle: Path, out: Path, *, progress: bool = True) -> dict[str, Any]:
    """Evaluate what the node answered (see `assess_recording`), and the few figures that the demo shows.

    Args:
        bag: recording of the drive.
        truth: recording of the ground truth.
        results: recording of the node's outputs, at the source's size.
        bundle: what the node ran.
        out: folder for the whole evaluation.
        progress: show progress bars on stderr.

    Returns:
        See `figures_of`.
    """
    options = RecordingOptions(mode="recorded", bundle=str(bundle), results=results, truth=truth)
    return figures_of(assess_recording(bag, options, out=out, progress=progress))


def figures_of(evaluation: Evaluation) -> dict[str, Any]:
    """The demo's part of an evaluation.

    Returns:
        miou: mean IoU of the classes in view or predicted, 0..1, `classes_seen` of them, and `iou` of each (None:
            neither); None where nothing was answered.
        ap, fpr95, auroc: of the anomaly score, 0..1; None where no unknown obstacle was in view.
        anomalous_share: of the pixels.
        obstacles: per unknown obstacle its kind, the distances, m, from which it was in view and detected, and in how
            many frames.
    """
    closed, (score,) = evaluation.closed_set, tuple(evaluation.scores.values()) or (None,)
    iou = [] if closed is None else list(closed.iou.values())
    pixels = evaluation.known_pixels + evaluation.anomaly_pixels
    return {
        "miou": None if closed is None else _rounded(closed.miou, 4),
        "classes_seen": sum(value is not None for value in iou),
        "iou": [_rounded(value, 4) for value in iou],
        "ap": None if score is None else _rounded(score.ap, 4),
        "fpr95": None if score is None else _rounded(score.fpr95, 5),
        "auroc": None if score is None else _rounded(score.auroc, 5),
        "anomalous_share": round(evaluation.anomaly_pixels / pixels, 6) if pixels else 0.0,
        "obstacles": [
            {
                "kind": obstacle.kind,
                "first_in_view_m": _rounded(obstacle.first_in_view_m, 1),
                "first_detected_m": _rounded(obstacle.first_detected_m, 1),
                "frames_in_view": obstacle.frames_in_view,
                "frames_detected": obstacle.frames_detected,
            }
            for obstacle in ([] if evaluation.video is None else evaluation.video.obstacles)
        ],
    }


def telling_stamps(truth: Path, results: Path, count: int = 4, gap: int = 10) -> tuple[int, ...]:
    """Stamps of answered frames that show the most of unknown obstacles, at least `gap` frames apart, in order."""
    areas = [(int((expected.anomaly == 1).sum()), expected.stamp_ns) for expected, _ in answered(truth, results)]
    chosen: list[int] = []
    for index in sorted(range(len(areas)), key=lambda i: -areas[i][0]):
        if areas[index][0] and all(abs(index - other) >= gap for other in chosen):
            chosen.append(index)
        if len(chosen) == count:
            break
    return tuple(areas[index][1] for index in sorted(chosen))


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
