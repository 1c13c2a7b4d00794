"""The tables of a comparison, and how it reads in the terminal."""

from hybrid_seg_ros.report.compare import CONFIDENCE, Change, Comparison
from hybrid_seg_ros.report.identity import identity_table
from hybrid_seg_ros.report.table import Table, as_text
from hybrid_seg_ros.report.words import MISSING, fixed, percent

VERDICTS = {
    "better": "better",
    "worse": "worse",
    "not shown": "no difference shown",
    "no interval": "",
    "equal": "equal",
}


def change_table(comparison: Comparison, group: str) -> Table:
    """All figures of one group, in the order of the comparison."""
    rows = tuple(
        (
            f"{change.name}{_arrow(change)}{f', {change.unit}' if change.unit else ''}",
            _value(change, change.a),
            _value(change, change.b),
            _signed(change, change.difference),
            _interval(change),
            VERDICTS[change.verdict],
        )
        for change in comparison.changes
        if change.group == group
    )
    columns = ("figure", "first", "second", "change", f"{CONFIDENCE:.0%} interval".replace("%", " %"), "shown")
    return Table(group, columns, rows)


def groups(comparison: Comparison) -> list[str]:
    """The groups that have figures, in order."""
    return list(dict.fromkeys(change.group for change in comparison.changes))


def identity_difference(comparison: Comparison) -> Table:
    """What both were made of, where they differ; equal lines once."""
    first = {row[0]: row[1] for row in identity_table(comparison.a).rows}
    second = {row[0]: row[1] for row in identity_table(comparison.b).rows}
    names = dict.fromkeys([*first, *second])
    rows = [
        (name, first.get(name, MISSING), second.get(name, MISSING))
        for name in names
        if first.get(name) != second.get(name)
    ]
    return Table("What differs", ("what", "first", "second"), tuple(rows), text_columns=3)


def verdict_line(comparison: Comparison) -> str:
    """The whole comparison in one sentence."""
    shown = {
        verdict: [f"{c.group} {c.name}" for c in comparison.changes if c.verdict == verdict]
        for verdict in ("better", "worse", "not shown")
    }
    parts = [f"{word}: {', '.join(shown[word])}" for word in ("better", "worse") if shown[word]]
    if shown["not shown"]:
        parts.append(f"no difference shown: {', '.join(shown['not shown'])}")
    return (
        ("; ".join(parts)[:1].upper() + "; ".join(parts)[1:] + ".") if parts else "No figure of both has an interval."
    )


def comparison_text(comparison: Comparison) -> str:
    """A comparison for the terminal; no trailing newline."""
    kind = "recording" if comparison.a.kind == "recording" else "set"
    parts = [f"{kind}: {comparison.a.name}, first {comparison.a.network.name}, second {comparison.b.network.name}"]
    different = identity_difference(comparison)
    if different.rows:
        parts.append(as_text(different))
    parts += [as_text(change_table(comparison, group)) for group in groups(comparison)]
    if comparison.notes:
        parts.append("\n".join(comparison.notes))
    parts.append(verdict_line(comparison))
    return "\n\n".join(parts)


def _arrow(change: Change) -> str:
    return "" if change.higher_is_better is None else " ↑" if change.higher_is_better else " ↓"


def _value(change: Change, value: float | None) -> str:
    if value is None:
        return MISSING
    return percent(value) if change.unit == "%" else fixed(value, 1 if change.unit else 0)


def _signed(change: Change, value: float | None) -> str:
    if value is None:
        return MISSING
    scaled = 100 * value if change.unit == "%" else value
    decimals = 2 if change.unit == "%" else 1 if change.unit else 0
    return f"{scaled:+.{decimals}f}" if round(scaled, decimals) else f"{0:.{decimals}f}"


def _interval(change: Change) -> str:
    found = change.interval
    if found is None or found.low is None or found.high is None:
        return ""
    return f"{_signed(change, found.low)} to {_signed(change, found.high)}"
