"""docs/safety.md says what the code does: states, times, reactions, figures, and tests that exist."""

import ast
import re
from pathlib import Path

import pytest

from hybrid_seg_ros.monitor.reaction import DEFAULTS
from hybrid_seg_ros.monitor.states import HealthState, Timing, detection_time_s

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = (REPOSITORY / "docs" / "safety.md").read_text(encoding="utf-8")


def table(first_column: str, columns: int) -> list[list[str]]:
    """Cells of the rows of the table whose head begins with the column and that has this many."""
    rows: list[list[str]] = []
    inside = False
    for line in PAGE.splitlines():
        cells = [cell.strip() for cell in line.strip()[1:-1].split("|")] if line.startswith("|") else []
        if not cells:
            inside = False
        elif inside and not set(line) <= set("|- "):
            rows.append(cells)
        elif cells[0] == first_column and len(cells) == columns:
            inside = True
    assert rows
    return rows


HAZARDS = table("hazard", 6)


def test_every_state_that_is_a_fault_has_a_row_and_every_row_a_state() -> None:
    named = [row[2].strip("`") for row in HAZARDS]
    assert len(named) == len(set(named))
    assert {state.value for state in HealthState} - set(named) == {"ok", "outputs.unheard"}
    assert set(named) <= {state.value for state in HealthState}


@pytest.mark.parametrize("row", HAZARDS, ids=lambda row: str(row[2]).strip("`"))
def test_detection_time_and_reaction_are_the_codes(row: list[str]) -> None:
    state = HealthState(row[2].strip("`"))
    seconds = detection_time_s(state, Timing())
    assert row[3] == (f"{seconds:.3g} s" if seconds else "–")
    assert row[4] == DEFAULTS[state].word


@pytest.mark.parametrize("row", HAZARDS, ids=lambda row: str(row[2]).strip("`"))
def test_the_monitor_is_a_module(row: list[str]) -> None:
    assert (REPOSITORY / "hybrid_seg_ros" / f"{row[1].strip('`')}.py").is_file()


def functions_of(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


@pytest.mark.parametrize("named", sorted(set(re.findall(r"test/[\w/]+\.py::\w+", PAGE))))
def test_every_test_it_names_exists(named: str) -> None:
    file, _, function = named.partition("::")
    assert function in functions_of(REPOSITORY / file)


def test_every_row_names_a_test() -> None:
    for row in (*HAZARDS, *table("hazard", 3)):
        assert re.fullmatch(r"test/[\w/]+\.py::test_\w+", row[-1]), row[0]


def test_measured_figures_are_those_of_the_measurements() -> None:
    benchmarks = (REPOSITORY / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    (measured,) = (row for row in table("part", 4) if row[3] == "measured")
    assert f"p50 {measured[1]}, p99 {measured[2]}" in benchmarks
    evaluation = (REPOSITORY / "docs" / "evaluation.md").read_text(encoding="utf-8")
    figures = [figure for row in table("limit", 2) for figure in re.findall(r"(\d+\.\d+) %", row[1])]
    assert len(figures) == 7
    for figure in figures:
        assert re.search(rf"\| (– / )?{re.escape(figure)}\b|/ {re.escape(figure)} \|", evaluation), figure
