"""The committed figures of a bundle: lean documents, and the page with their tables.

    python -m hybrid_seg_ros.assessment.measured docs/evaluation docs/evaluation.md [FOLDER ...]

writes the page from the documents in docs/evaluation, after adding those of folders that `hybrid-seg evaluate` made.
"""

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from hybrid_seg_ros.report.document import Evaluation, Point, Score, read_evaluation, write_evaluation
from hybrid_seg_ros.report.words import MISSING, fine_percent, number, percent, plural

_HEAD = """\
# What the shipped bundle scores

Written by `python -m hybrid_seg_ros.assessment.measured docs/evaluation docs/evaluation.md` from the documents in
[evaluation/](evaluation/), which hold every figure, curve and count, but no picture: `hybrid-seg evaluate` made them.
Percent; pixels of a set pooled, void removed, exact up to the last digit shown. Nothing was chosen on these sets.

The network sees an image at its own width ("own, at most 1280") as the model card has it, or letterboxed into the
input that the bundle has by default, as the node does unless told otherwise. The first are the model card's figures,
measured there by the training package in PyTorch and here by ONNX Runtime and the node's own pre- and
post-processing; they agree to the digits shown, and a test holds them to it. The second say what the input's size is
worth: far and small things are found much less well in the small input, the large ones of RoadAnomaly21 better.
"""

_HOW = """\
## How these were made

    hybrid-seg evaluate --dataset road-anomaly21 --root RoadAnomaly21 --own-width 1280 --scores all
    hybrid-seg evaluate --dataset fishyscapes-static --root fs_static --own-width 1280 --scores all
    hybrid-seg evaluate --dataset pairs --root FS_LostFound_30 --set-name FS_LostFound_30 --track obstacle \\
        --own-width 1280 --scores all
    hybrid-seg evaluate --dataset camvid --root camvid --split test --scores all

The others are the same without `--own-width`. FS_LostFound_30 is the first 30 images of Fishyscapes Lost & Found
validation at half their size. CamVid has no anomaly, so its AP is not defined; it gives the closed set, the
calibration, and what an ordinary drive has of false alarms.
"""


def lean(evaluation: Evaluation) -> Evaluation:
    """The document without pictures, and with curve, histogram and blocks of the bundle's own score only."""
    scores = {
        name: score
        if name == evaluation.network.score
        else score.model_copy(update={"curve": None, "histogram": None, "blocks": None})
        for name, score in evaluation.scores.items()
    }
    return evaluation.model_copy(update={"pictures": [], "scores": scores})


def write_measured(results: Path, target: Path) -> None:
    """Write the page of every set of images found in a folder of documents.

    Raises:
        DocumentError: a file is no evaluation.
    """
    found = {path.stem: read_evaluation(path) for path in sorted(results.glob("*.json"))}
    target.write_text(page({name: one for name, one in found.items() if one.kind == "images"}), encoding="utf-8")


def page(evaluations: Mapping[str, Evaluation]) -> str:
    """Markdown of documents, by the name of their file."""
    ranked = {name: one for name, one in evaluations.items() if _main(one) is not None and one.anomaly_pixels}
    rated = {name: one for name, one in evaluations.items() if _main(one) is not None and _shipped(one)}
    closed = {name: one for name, one in evaluations.items() if one.closed_set is not None}
    parts = [_HEAD]
    parts += ["## Anomalies", _anomaly_table(ranked), "", "Components at the threshold of the set's best pixel F1.", ""]
    parts += ["## Every score: AP / FPR95", _score_table(ranked), ""]
    parts += ["## The bundle's operating points on these sets: TPR / FPR", _point_table(rated), ""]
    parts += ["## Closed set", _closed_table(closed), ""]
    parts += [_HOW, "## Runs", _run_table(evaluations), "", *_machines(evaluations)]
    return "\n".join(parts) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Add documents, write the page."""
    parser = argparse.ArgumentParser(
        prog="python -m hybrid_seg_ros.assessment.measured", description="Write the page of the committed evaluations."
    )
    parser.add_argument("results", type=Path, help="folder of the documents")
    parser.add_argument("target", type=Path, help="the page")
    parser.add_argument("folders", type=Path, nargs="*", help="outputs of `hybrid-seg evaluate`, added by their name")
    args = parser.parse_args(arguments)
    for folder in args.folders:
        found = read_evaluation(folder / "evaluation.json")
        write_evaluation(args.results / f"{folder.resolve().name}.json", lean(found))
    write_measured(args.results, args.target)
    return 0


def _anomaly_table(evaluations: Mapping[str, Evaluation]) -> str:
    header = ("set", "images", "network input", "AP", "FPR95", "AUROC", "best F1", "sIoU", "PPV", "mean F1", "track")
    rows = []
    for name, one in evaluations.items():
        score = one.scores[one.network.score]
        figures = (
            percent(score.ap, score.ap_error),
            percent(score.fpr95, score.fpr95_error),
            percent(score.auroc, score.auroc_error),
            percent(score.best_f1, score.best_f1_error),
        )
        parts = score.components
        components = [MISSING] * 4
        if parts is not None:
            means = (percent(value) for value in (parts.mean_siou, parts.mean_ppv, parts.mean_f1))
            components = [*means, parts.track]
        rows.append((_link(name, one), str(one.images), _input(one), *figures, *components))
    return _table(header, rows)


def _score_table(evaluations: Mapping[str, Evaluation]) -> str:
    kinds = list(dict.fromkeys(kind for one in evaluations.values() for kind in sorted(one.scores, key=_order(one))))
    rows = []
    for one in evaluations.values():
        scores = (one.scores.get(kind) for kind in kinds)
        cells = (MISSING if s is None else f"{percent(s.ap)} / {percent(s.fpr95)}" for s in scores)
        rows.append((one.name, _input(one), *cells))
    return _table(("set", "network input", *kinds), rows)


def _point_table(evaluations: Mapping[str, Evaluation]) -> str:
    thresholds: dict[str, float] = {}
    for one in evaluations.values():
        thresholds |= {name: point.threshold for name, point in _shipped(one).items()}
    header = ("set", "network input", *(f"{name} ({number(value)})" for name, value in thresholds.items()))
    rows = []
    for one in evaluations.values():
        points = (_shipped(one).get(name) for name in thresholds)
        cells = (MISSING if p is None else f"{percent(p.tpr)} / {fine_percent(p.fpr)}" for p in points)
        rows.append((one.name, _input(one), *cells))
    return _table(header, rows)


def _closed_table(evaluations: Mapping[str, Evaluation]) -> str:
    classes = list(dict.fromkeys(name for one in evaluations.values() if one.closed_set for name in one.closed_set.iou))
    rows = []
    for name, one in evaluations.items():
        if one.closed_set is not None:
            ece = fine_percent(one.calibration.ece) if one.calibration else MISSING
            iou = (percent(one.closed_set.iou.get(each)) for each in classes)
            rows.append((_link(name, one), str(one.images), _input(one), percent(one.closed_set.miou), ece, *iou))
    return _table(("set", "images", "network input", "mIoU", "ECE", *classes), rows)


def _run_table(evaluations: Mapping[str, Evaluation]) -> str:
    rows = [
        (name, one.network.name, f"{one.network.backend}, {one.network.precision}", one.date[:10], _problems(one))
        for name, one in evaluations.items()
    ]
    return _table(("document", "network", "run by", "date", "problems"), rows)


def _machines(evaluations: Mapping[str, Evaluation]) -> list[str]:
    found = dict.fromkeys(
        f"Measured on {one.machine.cpu}, {one.machine.cores} cores, {one.machine.memory_gib} GiB,"
        f" {one.machine.system}; manifest {one.network.sha256[:12]}; "
        + ", ".join(f"{name} {version}" for name, version in sorted(one.machine.versions.items()))
        + "."
        for one in evaluations.values()
    )
    return list(found)


def _main(one: Evaluation) -> Score | None:
    return one.scores.get(one.network.score)


def _order(one: Evaluation) -> Callable[[str], tuple[bool, str]]:
    return lambda kind: (kind != one.network.score, kind)


def _shipped(one: Evaluation) -> dict[str, Point]:
    points = one.scores[one.network.score].points
    return {name.removeprefix("bundle_"): point for name, point in points.items() if point.origin == "bundle"}


def _input(one: Evaluation) -> str:
    size, limit = one.network.input_size, one.network.max_width
    if size is not None:
        return f"{size[0]}x{size[1]}"
    return "own" if limit is None else f"own, at most {limit}"


def _problems(one: Evaluation) -> str:
    return plural(len(one.problems), "problem") if one.problems else "none"


def _link(name: str, one: Evaluation) -> str:
    return f"[{one.name}](evaluation/{name}.json)"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["", "| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


if __name__ == "__main__":
    raise SystemExit(main())
