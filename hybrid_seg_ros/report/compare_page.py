"""A comparison as one page: a single file that needs no network."""

from dataclasses import dataclass, replace
from pathlib import Path

from hybrid_seg_ros.report.axis import Axis, shares, span
from hybrid_seg_ros.report.compare import Comparison, score_pairs
from hybrid_seg_ros.report.compare_listing import change_table, groups, identity_difference, verdict_line
from hybrid_seg_ros.report.page import render
from hybrid_seg_ros.report.svg import Figure, Plot
from hybrid_seg_ros.report.table import Table
from hybrid_seg_ros.report.words import fine_percent, number, percent


@dataclass(frozen=True, slots=True)
class GroupShown:
    """One group of figures, with the curves of both where it is a score."""

    id: str
    title: str
    table: Table
    figures: tuple[Figure, ...]


def write_comparison(comparison: Comparison, path: Path) -> None:
    """Write the page of a comparison.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(comparison_html(comparison), encoding="utf-8")


def comparison_html(comparison: Comparison) -> str:
    """The page itself."""
    curves = {
        (first if first == second else f"{first} → {second}"): _curves(comparison, first, second)
        for first, second in score_pairs(comparison.a, comparison.b)
    }
    shown = [
        GroupShown(f"group-{index}", group, replace(change_table(comparison, group), caption=""), curves.get(group, ()))
        for index, group in enumerate(groups(comparison))
    ]
    return render(
        "compare.html.j2",
        comparison=comparison,
        verdict=verdict_line(comparison),
        overview=interval_chart(comparison),
        groups=shown,
        identity=replace(identity_difference(comparison), caption=""),
    )


def interval_chart(comparison: Comparison) -> Figure | None:
    """Every change that has an interval, with 0 for no change; None where no change has one."""
    drawn = [
        (change, change.interval.low, change.interval.high)
        for change in comparison.changes
        if change.interval and change.interval.low is not None and change.interval.high is not None
    ]
    if not drawn:
        return None
    x = span("change, percentage points", [0.0, *(100 * end for _, low, high in drawn for end in (low, high))])
    plot = Plot("Changes", x, Axis("", 0.0, float(len(drawn)), bare=True), 1000, 60 + 26 * len(drawn), left=190)
    plot.segment((0, 0), (0, len(drawn)), "zero")
    for index, (change, low, high) in enumerate(drawn):
        y = len(drawn) - index - 0.5
        arrow = "↑" if change.higher_is_better else "↓"
        plot.word(x.low, y, f"{change.group} {change.name} {arrow}"[:28], dx=-10, dy=4, anchor="end")
        slot = {"better": 2, "worse": 1}.get(change.verdict, 5)
        plot.segment((100 * low, y), (100 * high, y), f"whisker s{slot}")
        middle = 100 * (change.difference or 0.0)
        plot.dots([middle], [y], slot, radius=5, hollow=change.verdict not in ("better", "worse"))
        said = f"{change.group} {change.name}: {middle:+.2f}, 95 % interval {100 * low:+.2f} to {100 * high:+.2f}"
        plot.readings(said, slot, [middle], [y], [said])
    note = (
        "Lines: 95 % intervals, each for itself. Arrows: which side is better. A filled dot is a change whose interval"
        " leaves out 0, green for the better, orange for the worse."
    )
    return Figure("What changed", plot.markup(), note=note)


def _curves(comparison: Comparison, first: str, second: str) -> tuple[Figure, ...]:
    curves = comparison.a.scores[first].curve, comparison.b.scores[second].curve
    recall = Plot("Precision and recall", shares("recall = TPR, %"), shares("precision, %"))
    roc = Plot("ROC", shares("FPR: known pixels marked, %"), shares("TPR: anomaly pixels found, %"))
    legend = []
    for slot, (curve, which) in enumerate(zip(curves, ("first", "second"), strict=True)):
        if curve is None:
            return ()
        texts = [
            f"{which}, score ≥ {number(t)}: TPR {fine_percent(tpr)}, FPR {fine_percent(fpr)}, precision {percent(p)} %"
            for t, tpr, fpr, p in zip(curve.thresholds, curve.tpr, curve.fpr, curve.precision, strict=True)
        ]
        recall.line(curve.tpr, curve.precision, slot, step=True)
        recall.readings(which, slot, curve.tpr, curve.precision, texts)
        roc.line([0.0, *curve.fpr], [0.0, *curve.tpr], slot)
        roc.readings(which, slot, curve.fpr, curve.tpr, texts)
        legend.append((which, slot))
    both = tuple(legend)
    return (Figure("Precision and recall", recall.markup(), both), Figure("ROC", roc.markup(), both))
