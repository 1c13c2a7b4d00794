"""An evaluation as CSV files, for spreadsheets and pandas; full precision, rates 0..1, what is not defined is empty."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from hybrid_seg_ros.report.document import (
    DistanceBin,
    Evaluation,
    FrameRow,
    Obstacle,
    Part,
    Point,
    Rate,
    ReliabilityBin,
    Score,
    Times,
    Video,
)
from hybrid_seg_ros.report.listing import ordered_scores

_FIGURES = ("ap", "ap_error", "auroc", "auroc_error", "fpr95", "fpr95_error", "best_f1")
_COMPONENTS = ("track", "threshold", "mean_siou", "mean_ppv", "mean_f1", "ground_truth", "predicted")
_CURVE = ("thresholds", "tpr", "fpr", "precision")
_TIMES = tuple(Times.model_fields)
_Table = tuple[str, Sequence[str], Iterable[Sequence[object]]]  # file, header, rows


def write_tables(evaluation: Evaluation, folder: Path) -> list[Path]:
    """Write what the evaluation has of these, into a folder that is made if it is not there.

    * scores.csv: a row a score, with its ranking figures and component metrics,
    * points.csv: a row an operating point of each score,
    * curve_SCORE.csv: a row a threshold, for `score >= threshold`,
    * histogram_SCORE.csv: a row a bin, with its known and anomaly pixels,
    * components.csv: a row a score and sIoU threshold, with the F1 there,
    * distance.csv: a row a score and range of distances,
    * classes.csv: a row a class,
    * reliability.csv: a row a bin of the confidence,
    * figures.csv: a row a figure that is one number: mIoU, open-mIoU, ECE, consistency, agreement, drops, latency,
    * rates.csv: a row a playing rate of the node,
    * frames.csv: a row a frame of a recording,
    * obstacles.csv: a row an obstacle.

    Returns:
        The files, in this order.

    Raises:
        OSError: one cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, header, rows in (*_score_tables(evaluation), *_set_tables(evaluation), *_drive_tables(evaluation)):
        path = folder / name
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(header)
            writer.writerows(rows)
        written.append(path)
    return written


def _score_tables(evaluation: Evaluation) -> Iterator[_Table]:
    scores = ordered_scores(evaluation)
    if scores:
        header = ("score", *_FIGURES, *(f"component_{name}" for name in _COMPONENTS))
        yield "scores.csv", header, [_score_row(name, score) for name, score in scores]
        points = [(name, key, point) for name, score in scores for key, point in score.points.items()]
        yield "points.csv", ("score", "point", *Point.model_fields), [(n, k, *_fields(p)) for n, k, p in points]
    for name, score in scores:
        if score.curve is not None:
            columns = [getattr(score.curve, column) for column in _CURVE]
            yield f"curve_{_file_name(name)}.csv", ("threshold", *_CURVE[1:]), zip(*columns, strict=True)
        if score.histogram is not None:
            edges, known, anomaly = score.histogram.edges, score.histogram.known, score.histogram.anomaly
            bins = zip(edges[:-1], edges[1:], known, anomaly, strict=True)
            yield f"histogram_{_file_name(name)}.csv", ("low", "high", "known", "anomaly"), bins
    found = [(name, score.components) for name, score in scores if score.components is not None]
    if found:
        rows = [
            (name, parts.track, parts.threshold, siou, f1)
            for name, parts in found
            for siou, f1 in zip(parts.siou_thresholds, parts.f1_by_threshold, strict=True)
        ]
        yield "components.csv", ("score", "track", "threshold", "siou", "f1"), rows


def _set_tables(evaluation: Evaluation) -> Iterator[_Table]:
    if evaluation.distance:
        ranges = [(name, *_fields(entry)) for name, entries in evaluation.distance.items() for entry in entries]
        yield "distance.csv", ("score", *DistanceBin.model_fields), ranges
    if evaluation.closed_set:
        yield "classes.csv", ("class", "iou"), evaluation.closed_set.iou.items()
    if evaluation.calibration:
        bins = evaluation.calibration.bins
        yield "reliability.csv", tuple(ReliabilityBin.model_fields), [_fields(entry) for entry in bins]
    if single := _single_figures(evaluation):
        yield "figures.csv", ("figure", "value"), single


def _drive_tables(evaluation: Evaluation) -> Iterator[_Table]:
    if evaluation.node and evaluation.node.rates:
        fields = tuple(name for name in Rate.model_fields if name != "latency_ms")
        rows = [(*_fields(rate, fields), *_times(rate.latency_ms)) for rate in evaluation.node.rates]
        yield "rates.csv", (*fields, *(f"latency_{name}_ms" for name in _TIMES)), rows
    if evaluation.frames:
        yield "frames.csv", tuple(FrameRow.model_fields), [_fields(row) for row in evaluation.frames]
    if evaluation.video and evaluation.video.obstacles:
        yield "obstacles.csv", tuple(Obstacle.model_fields), [_fields(row) for row in evaluation.video.obstacles]


def _single_figures(evaluation: Evaluation) -> list[tuple[str, object]]:
    """Figures that are one number, by their names in the document."""
    node, video, agreement = evaluation.node, evaluation.video, evaluation.agreement
    parts: list[tuple[str, object, tuple[str, ...]]] = [
        ("closed_set", evaluation.closed_set, ("miou", "pixels")),
        ("open_set", evaluation.open_set, ("open_miou", "open_miou_error", "closed_miou", "gap")),
        ("calibration", evaluation.calibration, ("ece",)),
        ("video", video, tuple(name for name in Video.model_fields if name != "obstacles")),
        ("agreement", agreement, ("frames", "labels", "mask_iou", "score_correlation")),
        ("node", node, ("frames_in", "answered", "dropped", "rejected", "peak_hz")),
        ("node.latency_ms", node.latency_ms if node else None, _TIMES),
    ]
    return [(f"{where}.{name}", getattr(part, name)) for where, part, names in parts if part for name in names]


def _times(times: Times | None) -> list[object]:
    return _fields(times, _TIMES) if times else [None] * len(_TIMES)


def _score_row(name: str, score: Score) -> list[object]:
    parts = score.components
    return [name, *_fields(score, _FIGURES), *(_fields(parts, _COMPONENTS) if parts else [None] * len(_COMPONENTS))]


def _fields(part: Part, names: Iterable[str] | None = None) -> list[object]:
    """The values of a part's fields; of all of them, unless named."""
    return [getattr(part, name) for name in (type(part).model_fields if names is None else names)]


def _file_name(name: str) -> str:
    """A score's name as a part of a file's name: somebody's method may be called anything."""
    return re.sub(r"[^A-Za-z0-9_.-]", "_", name)
