"""What the node's answers are worth against the ground truth of a generated drive."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from hybrid_seg_ros.bags import Result, read_results
from hybrid_seg_ros.bags.truth import Truth, read_truth
from hybrid_seg_ros.evaluation import confusion_matrix, iou_per_class, labelled_pixels, pixel_metrics
from hybrid_seg_ros.scenes import VOID

# Every second pixel of every second row: a quarter of the pixels, all frames, and memory stays small.
_STEP = 2
# An obstacle counts as detected in a frame when the mask covers at least half of what is visible of it,
# and as visible from this many pixels on.
_COVERED = 0.5
_VISIBLE_PX = 20


@dataclass(slots=True)
class _Obstacle:
    kind: str
    first_in_view_m: float
    first_detected_m: float | None = None
    frames_in_view: int = 0
    frames_detected: int = 0


@dataclass(slots=True)
class _Pixels:
    scores: list[npt.NDArray[np.floating]] = field(default_factory=list)
    positives: list[npt.NDArray[np.bool_]] = field(default_factory=list)


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


def judge(truth: Path, results: Path, classes: int, *, frames: int, progress: bool = True) -> dict[str, Any]:
    """Closed-set and anomaly quality over all answered frames, a quarter of the pixels; obstacles on all pixels.

    Args:
        truth: recording of the ground truth.
        results: recording of the node's outputs, at the source's size.
        classes: number of known classes.
        frames: for the progress bar.
        progress: show a progress bar on stderr.

    Returns:
        miou: mean IoU over the classes in view, 0..1, and `iou` of each (None: not in view).
        ap, fpr95: of the anomaly score, 0..1; None where no unknown obstacle was in view.
        obstacles: per unknown obstacle its kind, and the distances, m, from which it was in view and detected.
    """
    matrix = np.zeros((classes, classes), np.int64)
    pixels = _Pixels()
    obstacles: dict[int, _Obstacle] = {}
    for expected, found in tqdm(
        answered(truth, results), total=frames, unit="frame", desc="judge", disable=not progress
    ):
        if found.labels is not None:
            known = expected.labels[::_STEP, ::_STEP]
            matrix += confusion_matrix(found.labels[::_STEP, ::_STEP], known, classes, void=VOID)
        if found.score is not None:
            scores, positives = labelled_pixels(found.score[::_STEP, ::_STEP], expected.anomaly[::_STEP, ::_STEP])
            pixels.scores.append(scores)
            pixels.positives.append(positives)
        if found.mask is not None:
            _watch(obstacles, expected, found.mask)
    return {**_closed(matrix), **_anomaly(pixels), "obstacles": [_plain(o) for _, o in sorted(obstacles.items())]}


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


def _watch(obstacles: dict[int, _Obstacle], expected: Truth, mask: npt.NDArray[np.uint8]) -> None:
    for described in expected.obstacles:
        visible = expected.instances == described["id"]
        size = int(visible.sum())
        if size < _VISIBLE_PX:
            continue
        distance = float(described["distance"])
        obstacle = obstacles.setdefault(described["id"], _Obstacle(described["kind"], distance))
        obstacle.frames_in_view += 1
        if int((mask[visible] > 0).sum()) >= _COVERED * size:
            obstacle.frames_detected += 1
            if obstacle.first_detected_m is None:
                obstacle.first_detected_m = distance


def _closed(matrix: npt.NDArray[np.int64]) -> dict[str, Any]:
    iou = iou_per_class(matrix)
    seen = matrix.sum(axis=1) > 0
    return {
        "miou": round(float(np.nanmean(iou[seen])), 4) if seen.any() else 0.0,
        "classes_seen": int(seen.sum()),
        "iou": [round(float(v), 4) if s else None for v, s in zip(iou, seen, strict=True)],
    }


def _anomaly(pixels: _Pixels) -> dict[str, Any]:
    if not pixels.scores or not any(p.any() for p in pixels.positives):
        return {"ap": None, "fpr95": None}
    score, positive = np.concatenate(pixels.scores), np.concatenate(pixels.positives)
    metrics = pixel_metrics(score, positive)
    return {
        "ap": round(metrics.average_precision, 4),
        "fpr95": round(metrics.fpr95, 5),
        "auroc": round(metrics.auroc, 5),
        "anomalous_share": round(float(positive.mean()), 6),
    }


def _plain(obstacle: _Obstacle) -> dict[str, Any]:
    return {
        "kind": obstacle.kind,
        "first_in_view_m": round(obstacle.first_in_view_m, 1),
        "first_detected_m": None if obstacle.first_detected_m is None else round(obstacle.first_detected_m, 1),
        "frames_in_view": obstacle.frames_in_view,
        "frames_detected": obstacle.frames_detected,
    }
