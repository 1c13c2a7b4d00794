"""The tables of an evaluation: what was ranked, found, labelled; rates in percent."""

from hybrid_seg_ros.report.document import Calibration, ClosedSet, Curve, DistanceBin, Evaluation, OpenSet, Score
from hybrid_seg_ros.report.table import Table
from hybrid_seg_ros.report.words import fine_percent, fixed, number, percent, whole

_RECALLS = (0.25, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99)


def main_score(evaluation: Evaluation) -> str | None:
    """The score that the network is meant to be read by, else the first; None where there is none."""
    if evaluation.network.score in evaluation.scores:
        return evaluation.network.score
    return next(iter(evaluation.scores), None)


def ordered_scores(evaluation: Evaluation) -> list[tuple[str, Score]]:
    """All scores, the main one first."""
    main = main_score(evaluation)
    return sorted(evaluation.scores.items(), key=lambda item: item[0] != main)


def score_table(evaluation: Evaluation) -> Table:
    """Ranking figures of every score."""
    rows = tuple(
        (
            name,
            percent(score.ap, score.ap_error),
            percent(score.auroc, score.auroc_error),
            percent(score.fpr95, score.fpr95_error),
            percent(score.best_f1),
        )
        for name, score in ordered_scores(evaluation)
    )
    means = evaluation.averaging == "per_image"
    note = "AP, AUROC and FPR95 are means of each image's; all else is of all pixels." if means else ""
    return Table("Scores, percent", ("score", "AP ↑", "AUROC ↑", "FPR95 ↓", "best F1 ↑"), rows, note=note)


def point_table(name: str, score: Score) -> Table:
    """What the operating points of one score do on this set."""
    rows = tuple(
        (
            point_name,
            point.origin,
            number(point.threshold),
            fine_percent(point.tpr),
            fine_percent(point.fpr),
            fine_percent(point.precision),
            percent(point.f1),
        )
        for point_name, point in sorted(score.points.items(), key=lambda item: -item[1].threshold)
    )
    return Table(
        f"Operating points of {name}, rates in percent",
        ("point", "from", "score >", "TPR ↑", "FPR ↓", "precision ↑", "F1 ↑"),
        rows,
        text_columns=2,
    )


def curve_table(name: str, curve: Curve) -> Table:
    """The curve at some recalls: for each the first, that is highest, of its thresholds that reaches it."""
    rows = []
    for recall in _RECALLS:
        index = next((i for i, tpr in enumerate(curve.tpr) if tpr >= recall), None)
        if index is not None:
            rows.append(
                (
                    f"{recall:.0%}".replace("%", ""),
                    number(curve.thresholds[index]),
                    fine_percent(curve.precision[index]),
                    fine_percent(curve.fpr[index]),
                )
            )
    columns = ("TPR ≥", "score ≥", "precision", "FPR")
    note = "At the next of the thresholds that the curve is drawn through."
    return Table(f"Curve of {name}, percent", columns, tuple(rows), text_columns=0, note=note)


def component_table(evaluation: Evaluation) -> Table:
    """Component metrics of the scores that have them."""
    rows = tuple(
        (
            name,
            found.track,
            number(found.threshold),
            percent(found.mean_siou),
            percent(found.mean_ppv),
            percent(found.mean_f1),
            whole(found.ground_truth),
            whole(found.predicted),
        )
        for name, score in ordered_scores(evaluation)
        if (found := score.components) is not None
    )
    return Table(
        "Components, percent",
        ("score", "track", "score >", "sIoU ↑", "PPV ↑", "mean F1 ↑", "true", "predicted"),
        rows,
        text_columns=2,
    )


def class_table(closed: ClosedSet) -> Table:
    """IoU of every class, highest first, those without a figure last."""
    ranked = sorted(closed.iou.items(), key=lambda item: (item[1] is None, -(item[1] or 0.0), item[0]))
    return Table(
        f"IoU, percent; mean over classes {percent(closed.miou)}",
        ("class", "IoU ↑"),
        tuple((name, percent(iou)) for name, iou in ranked),
        bars=tuple(iou for _, iou in ranked),
        note="– is a class that is neither there nor predicted." if any(iou is None for _, iou in ranked) else "",
    )


def open_set_table(found: OpenSet) -> Table:
    """What being open-set costs."""
    return Table(
        "Open set over two folds, percent",
        ("figure", "value"),
        (
            ("closed mIoU ↑", percent(found.closed_miou)),
            ("open-mIoU ↑", percent(found.open_miou)),
            ("gap ↓", percent(found.gap)),
            ("thresholds", ", ".join(number(t) for t in found.thresholds) or "–"),
        ),
    )


def reliability_table(calibration: Calibration) -> Table:
    """Confidence against accuracy, bins that hold pixels only."""
    rows = tuple(
        (f"{b.low:.2f} to {b.high:.2f}", percent(b.confidence), percent(b.accuracy), whole(b.pixels))
        for b in calibration.bins
        if b.pixels
    )
    return Table(
        f"Confidence and accuracy, percent; ECE {fine_percent(calibration.ece)}",
        ("confidence in", "mean confidence", "accuracy", "pixels"),
        rows,
    )


def distance_table(name: str, bins: list[DistanceBin]) -> Table:
    """Pixel metrics by distance."""
    rows = tuple(
        (
            f"{fixed(b.low_m, 0)} to {fixed(b.high_m, 0)}",
            percent(b.ap, b.ap_error),
            percent(b.fpr95, b.fpr95_error),
            whole(b.anomaly),
        )
        for b in bins
        if b.known or b.anomaly
    )
    return Table(f"{name} by distance, percent", ("distance, m", "AP ↑", "FPR95 ↓", "anomaly pixels"), rows)
