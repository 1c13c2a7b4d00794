"""From run folders to the JSON files that a table is made of."""

import json
from pathlib import Path
from typing import Any

from hybrid_seg_train.layout import EVALUATION
from hybrid_seg_train.report.plan import Plan, commands


def collect(plan: Plan, runs: Path, results: Path) -> list[str]:
    """Copy the evaluation of every finished run of the plan to <results>/<run>.json.

    Returns:
        Names of the runs without an evaluation in either place.
    """
    results.mkdir(parents=True, exist_ok=True)
    missing = []
    for run in commands(plan, runs):
        source, target = runs / run.name / EVALUATION, results / f"{run.name}.json"
        if source.is_file():
            target.write_text(source.read_text())
        elif not target.is_file() and run.mode != "flow":
            missing.append(run.name)
    return missing


def read_results(plan: Plan, results: Path) -> dict[str, list[dict[str, Any]]]:
    """Column name -> the evaluations of its seeds that are there, in the order of the seeds."""
    found = {}
    for column in plan.columns:
        files = [results / f"{column.name}_{seed}.json" for seed in column.seeds]
        found[column.name] = [json.loads(file.read_text()) for file in files if file.is_file()]
    return found
