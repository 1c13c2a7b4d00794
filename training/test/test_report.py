from pathlib import Path
from typing import Any

import pytest

from hybrid_seg_train.layout import EVALUATION
from hybrid_seg_train.report import commands, load_plan, page
from hybrid_seg_train.report.collect import collect, read_results
from hybrid_seg_train.report.plan import PLANS, PlanError
from hybrid_seg_train.run import write_evaluation

PLAN = """
title: Results
columns:
  - {name: none, title: none, mode: closed-set, recipe: camvid_closed_lite0, seeds: [1]}
  - {name: data, title: objects, mode: hybrid, recipe: camvid_open_lite0, start: none, seeds: [1, 2]}
  - {name: flow_only, title: flow, mode: hybrid, recipe: camvid_open_flow_lite0, start: none, seeds: [1]}
flow: camvid_flow_small
findings: Nothing was found.
"""


@pytest.fixture
def plan_file(tmp_path: Path) -> str:
    path = tmp_path / "plan.yaml"
    path.write_text(PLAN)
    return str(path)


def evaluation(seed: int, ap: float, *, before: float | None = None, hybrid: bool = True) -> dict[str, Any]:
    scores = ("msp", "energy", *(("hybrid",) if hybrid else ()))
    result: dict[str, Any] = {
        "recipe": "r",
        "seed": seed,
        "iterations": 5,
        "closed_set": {"test": {"miou": 0.6}},
        "anomaly": {
            name: {s: {"average_precision": ap + 0.1 * i, "fpr95": 0.5} for i, s in enumerate(scores)}
            for name in ("A", "B")
        },
        "components": {"A": {"mean_siou": 0.1, "mean_ppv": 0.2, "mean_f1": 0.3}},
    }
    if before is not None:
        result["closed_set_before"] = {"test": {"miou": before}}
    return result


def test_every_shipped_table_names_recipes_that_exist_and_starts_what_it_needs_first() -> None:
    from hybrid_seg_train.recipe import load_recipe

    for file in PLANS.glob("*.yaml"):
        plan = load_plan(file.stem)
        made = set()
        for run in commands(plan, Path("runs")):
            recipe = load_recipe(run.arguments[2], tuple(a for a in run.arguments if "=" in a))
            assert recipe.start is None or run.mode != "hybrid" or Path(recipe.start).name in made
            made.add(run.name)


def test_commands_start_each_run_from_the_same_seed_or_the_first(plan_file: str) -> None:
    runs = {run.name: run.arguments for run in commands(load_plan(plan_file), Path("runs"))}
    assert list(runs) == ["flow", "none_1", "data_1", "data_2", "flow_only_1"]
    assert "start=runs/none_1" in runs["data_2"]
    assert "seed=2" in runs["data_2"]
    assert "negatives.flow.start=runs/flow" in runs["flow_only_1"]
    assert not any("negatives.flow" in word for word in runs["data_1"])


def test_a_plan_that_starts_from_nothing_is_named(tmp_path: Path) -> None:
    path = tmp_path / "odd.yaml"
    path.write_text(PLAN.replace("start: none, seeds: [1, 2]", "start: flow_only, seeds: [1]"))
    with pytest.raises(PlanError, match=r"odd\.yaml: column data starts from flow_only, expected a column before it"):
        load_plan(str(path))
    with pytest.raises(PlanError, match="nothing: no such table; expected a"):
        load_plan("nothing")


def test_the_page_gives_mean_and_spread_and_marks_each_columns_best(plan_file: str, tmp_path: Path) -> None:
    plan, runs, results = load_plan(plan_file), tmp_path / "runs", tmp_path / "results"
    for name, content in (
        ("none_1", evaluation(1, 0.1, hybrid=False)),
        ("data_1", evaluation(1, 0.3, before=0.61)),
        ("data_2", evaluation(2, 0.5, before=0.62)),
    ):
        (runs / name).mkdir(parents=True)
        write_evaluation(runs / name, content)
    assert collect(plan, runs, results) == ["flow_only_1"]
    text = page(plan, read_results(plan, results), "the command")
    assert "| objects | test | 61.5 ± 0.7 | 60.0 ± 0.0 | -1.5 ± 0.7 |" in text
    assert "| hybrid | – | **60.0 ± 14.1 / 50.0 ± 0.0** |" in text
    assert "| energy | **20.0 / 50.0** | 50.0 ± 14.1 / 50.0 ± 0.0 |" in text
    assert "### Mean of the 2 sets" in text
    assert "| A | objects | 10.0 ± 0.0 | 20.0 ± 0.0 | 30.0 ± 0.0 |" in text
    assert "Nothing was found." in text
    assert "flow |" not in text.split("## Runs")[1]
    done = {run.name for run in commands(plan, runs) if run.done(runs, results)}
    assert done == {"none_1", "data_1", "data_2"}
    (runs / "data_1" / EVALUATION).unlink()
    assert collect(plan, runs, results) == ["flow_only_1"]
