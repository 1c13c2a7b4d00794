"""The page of results: one table a set, scores down, columns of the plan across; mean and spread over the seeds."""

import statistics
from collections.abc import Iterable, Sequence
from typing import Any

from hybrid_seg_train.report.plan import Column, Plan

Results = dict[str, list[dict[str, Any]]]

SCORES = ("msp", "max_logit", "entropy", "energy", "posterior", "hybrid", "uno", "mahalanobis")
"""In the order of the rows; a score that no column has gets none."""


def page(plan: Plan, results: Results, command: str) -> str:
    """Markdown of the whole page.

    Args:
        plan: what the columns are.
        results: column name -> evaluations, one a seed; see `collect.read_results`.
        command: the command that writes this page, for its first lines.
    """
    shown = [column for column in plan.columns if results[column.name]]
    made = f"Written by `{command}` from the JSON files in the folder of its results."
    parts = [f"# {plan.title}", made, plan.intro.strip()]
    parts += ["Each cell of a score is AP / FPR95 in percent; a column's best AP is in bold."]
    for group in _in_order(column.group for column in shown):
        parts += _group(group, [column for column in shown if column.group == group], results)
    parts += [plan.findings.strip(), "## Runs", _runs(shown, results)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _group(title: str, columns: Sequence[Column], results: Results) -> list[str]:
    """The tables of columns that are measured alike."""
    sets = _in_order(name for column in columns for run in results[column.name] for name in run["anomaly"])
    parts = [f"## {title}"] if title else []
    parts += ["### Closed set", _closed_set(columns, results)]
    parts += [f"### {name}\n\n{_scores(columns, results, [name])}" for name in sets]
    if len(sets) > 1:
        parts += [f"### Mean of the {len(sets)} sets", _scores(columns, results, sets)]
    components = _components(columns, results)
    return [*parts, "### Components", components] if components else parts


def _closed_set(columns: Sequence[Column], results: Results) -> str:
    inputs = _in_order(name for c in columns for run in results[c.name] for name in run["closed_set"])
    rows = []
    for column in columns:
        runs = results[column.name]
        for name in inputs:
            after = [run["closed_set"][name]["miou"] for run in runs if name in run["closed_set"]]
            before = [
                run["closed_set_before"][name]["miou"] for run in runs if name in run.get("closed_set_before", {})
            ]
            change = [a - b for a, b in zip(after, before, strict=True)] if before else []
            rows.append([column.title, name, _spread(before), _spread(after), _spread(change, sign=True)])
    return _table(["negatives", "set and network input", "mIoU before", "mIoU after", "change"], rows)


def _scores(columns: Sequence[Column], results: Results, sets: Sequence[str]) -> str:
    """AP / FPR95 of every score, averaged over `sets` within a run before mean and spread over the runs."""
    rows = []
    best = _best(columns, results, sets)
    for score in SCORES:
        cells = []
        for column in columns:
            runs = [r for r in results[column.name] if all(score in r["anomaly"].get(name, {}) for name in sets)]
            figures = [
                _spread([statistics.mean(run["anomaly"][name][score][key] for name in sets) for run in runs])
                for key in ("average_precision", "fpr95")
            ]
            cell = " / ".join(figures) if runs else "–"
            cells.append(f"**{cell}**" if best.get(column.name) == score else cell)
        if any(cell != "–" for cell in cells):
            rows.append([score.replace("_", " "), *cells])
    return _table(["score", *(column.title for column in columns)], rows)


def _best(columns: Sequence[Column], results: Results, sets: Sequence[str]) -> dict[str, str]:
    """Column -> the score with its highest mean AP."""
    best = {}
    for column in columns:
        means = {
            score: statistics.mean(run["anomaly"][name][score]["average_precision"] for run in runs for name in sets)
            for score in SCORES
            if (runs := [r for r in results[column.name] if all(score in r["anomaly"].get(n, {}) for n in sets)])
        }
        if means:
            best[column.name] = max(means, key=lambda score: means[score])
    return best


def _components(columns: Sequence[Column], results: Results) -> str:
    sets = _in_order(name for c in columns for run in results[c.name] for name in run.get("components", {}))
    rows = []
    for name in sets:
        for column in columns:
            runs = [run["components"][name] for run in results[column.name] if name in run.get("components", {})]
            if runs:
                figures = [_spread([r[key] for r in runs]) for key in ("mean_siou", "mean_ppv", "mean_f1")]
                rows.append([name, column.title, *figures])
    return _table(["set", "negatives", "mean sIoU", "mean PPV", "mean F1"], rows) if rows else ""


def _runs(columns: Sequence[Column], results: Results) -> str:
    rows = []
    for column in columns:
        for run in results[column.name]:
            made = run.get("made", {})
            rows.append(
                [column.title, str(run["seed"]), run["recipe"], str(run["iterations"]), made.get("machine", ""),
                 made.get("date", "")]
            )  # fmt: skip
    return _table(["negatives", "seed", "recipe", "iterations", "machine", "date"], rows)


def _spread(values: Sequence[float], *, sign: bool = False) -> str:
    """Mean and, of several, the sample standard deviation, in percent."""
    if not values:
        return "–"
    mean = f"{100 * statistics.mean(values):{'+' if sign else ''}.1f}"
    return mean if len(values) == 1 else f"{mean} ± {100 * statistics.stdev(values):.1f}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _in_order(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))
