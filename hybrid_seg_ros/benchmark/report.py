"""The table of all results, for people: docs/benchmarks.md."""

import json
from pathlib import Path
from typing import Any

from hybrid_seg_ros.benchmark.catalog import SCENARIOS

_HEAD = """\
# Benchmarks

Written by `make bench` (`hybrid-seg bench --all --out docs/benchmarks`) from the JSON files in
[benchmarks/](benchmarks/), which hold everything measured. Times are of whole frames by the wall clock; latency is
from the moment an image is published to the moment its mask has been received, by one clock in one process.
"""


def write_report(results: Path, target: Path) -> None:
    """Write the table of every result found in a folder, in the order of the catalogue."""
    found = {scenario.name: results / f"{scenario.name}.json" for scenario in SCENARIOS}
    rows = [json.loads(path.read_text(encoding="utf-8")) for path in found.values() if path.is_file()]
    target.write_text(report(rows), encoding="utf-8")


def report(rows: list[dict[str, Any]]) -> str:
    """Markdown: one line per scenario, then the machines they were measured on."""
    lines = [_HEAD, "| what | target | measured | met | date |", "|---|---|---|---|---|"]
    for row in rows:
        cells = (row["title"], row["target"], row["measured"], "yes" if row["passed"] else "**no**", row["date"])
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    for description, names in _machines(rows).items():
        lines += ["", f"Measured on {description}: {', '.join(names)}."]
    return "\n".join(lines) + "\n"


def _machines(rows: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Machine and versions in words -> the scenarios measured there."""
    found: dict[str, list[str]] = {}
    for row in rows:
        on, versions = row["machine"], row["versions"]
        description = (
            f"{on['cpu']}, {on['cores']} cores, {on['memory_gib']} GiB, {on['system']}; bundle {row['bundle']}; "
            + ", ".join(f"{name} {version}" for name, version in versions.items())
        )
        if row["effort"] < 1:
            description += f"; at {row['effort']:g} of the full effort, for trying out only"
        found.setdefault(description, []).append(row["scenario"])
    return found
