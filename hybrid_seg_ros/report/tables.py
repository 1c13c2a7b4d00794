"""An evaluation as CSV files, for spreadsheets and pandas; full precision, rates 0..1, what is not defined is empty."""

import csv
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from hybrid_seg_ros.report.document import Evaluation, FrameRow, Obstacle, Point, Score
from hybrid_seg_ros.report.listing import ordered_scores

_FIGURES = ("ap", "ap_error", "auroc", "auroc_error", "fpr95", "fpr95_error", "best_f1")
_COMPONENTS = ("track", "threshold", "mean_siou", "mean_ppv", "mean_f1", "ground_truth", "predicted")
_CURVE = ("thresholds", "tpr", "fpr", "precision")


def write_tables(evaluation: Evaluation, folder: Path) -> list[Path]:
    """Write what the evaluation has of these, into a folder that is made if it is not there.

    * scores.csv: a row a score, with its ranking figures and component metrics,
    * points.csv: a row an operating point of each score,
    * curve_SCORE.csv: a row a threshold, for `score >= threshold`,
    * classes.csv: a row a class,
    * frames.csv: a row a frame of a recording,
    * obstacles.csv: a row an obstacle.

    Returns:
        The files, in this order.

    Raises:
        OSError: one cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []

    def write(name: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        path = folder / name
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(header)
            writer.writerows(rows)
        written.append(path)

    scores = ordered_scores(evaluation)
    if scores:
        header = ("score", *_FIGURES, *(f"component_{name}" for name in _COMPONENTS))
        write("scores.csv", header, (_score_row(name, score) for name, score in scores))
        fields = tuple(Point.model_fields)
        points = [(name, key, point) for name, score in scores for key, point in score.points.items()]
        write("points.csv", ("score", "point", *fields), ((n, k, *_fields(p, fields)) for n, k, p in points))
    for name, score in scores:
        if score.curve is not None:
            columns = [getattr(score.curve, column) for column in _CURVE]
            write(f"curve_{_file_name(name)}.csv", ("threshold", *_CURVE[1:]), zip(*columns, strict=True))
    if evaluation.closed_set:
        write("classes.csv", ("class", "iou"), evaluation.closed_set.iou.items())
    if evaluation.frames:
        fields = tuple(FrameRow.model_fields)
        write("frames.csv", fields, (_fields(row, fields) for row in evaluation.frames))
    if evaluation.video and evaluation.video.obstacles:
        fields = tuple(Obstacle.model_fields)
        write("obstacles.csv", fields, (_fields(row, fields) for row in evaluation.video.obstacles))
    return written


def _score_row(name: str, score: Score) -> list[object]:
    parts = score.components
    return [name, *_fields(score, _FIGURES), *(_fields(parts, _COMPONENTS) if parts else [None] * len(_COMPONENTS))]


def _fields(part: object, names: Sequence[str]) -> list[object]:
    return [getattr(part, name) for name in names]


def _file_name(name: str) -> str:
    """A score's name as a part of a file's name: somebody's method may be called anything."""
    return re.sub(r"[^A-Za-z0-9_.-]", "_", name)
