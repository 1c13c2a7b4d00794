"""Which runs a table is made of, as one YAML file."""

from pathlib import Path
from typing import Literal

import yaml
from pydantic import Field, ValidationError

from hybrid_seg_train.layout import EVALUATION
from hybrid_seg_train.recipe import load_recipe
from hybrid_seg_train.recipe.part import Part

PLANS = Path(__file__).parent.parent / "recipes" / "tables"


class PlanError(ValueError):
    """A plan cannot be read; the message names the file and the entry."""


class Column(Part):
    """Runs that differ in nothing but their seed.

    Columns of one group are compared with each other: they know the same classes and are measured on the same sets.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")
    title: str
    group: str = ""
    mode: Literal["closed-set", "hybrid"]
    recipe: str
    overrides: tuple[str, ...] = ()
    start: str | None = Field(
        default=None, description="column whose run of the same seed it starts from, or of the first"
    )
    seeds: tuple[int, ...] = Field(min_length=1)


class Plan(Part):
    """A page of results."""

    title: str
    intro: str = ""
    flow: str | None = Field(default=None, description="recipe of the flow that columns with flow negatives start from")
    columns: tuple[Column, ...] = Field(min_length=1)
    findings: str = Field(default="", description="what a person read off the tables; Markdown")


class PlannedRun(Part):
    """One training of a plan: its folder's name and its command."""

    column: str
    seed: int
    name: str
    mode: Literal["closed-set", "hybrid", "flow"]
    arguments: tuple[str, ...]

    def done(self, runs: Path, results: Path) -> bool:
        """Whether its evaluation is there; a flow has none, and going on with a finished one costs nothing."""
        return (runs / self.name / EVALUATION).is_file() or (results / f"{self.name}.json").is_file()


def load_plan(name_or_path: str) -> Plan:
    """The plan of a shipped name (recipes/tables/<name>.yaml) or of a file.

    Raises:
        PlanError: no such plan, not YAML, or not as expected.
    """
    path = Path(name_or_path) if name_or_path.endswith((".yaml", ".yml")) else PLANS / f"{name_or_path}.yaml"
    if not path.is_file():
        shipped = ", ".join(sorted(p.stem for p in PLANS.glob("*.yaml")))
        raise PlanError(f"{name_or_path}: no such table; expected a .yaml file or one of: {shipped}")
    try:
        plan = Plan.model_validate(yaml.safe_load(path.read_text()))
    except (yaml.YAMLError, ValidationError) as error:
        raise PlanError(f"{path}: {error}") from error
    names = [column.name for column in plan.columns]
    for column in plan.columns:
        if column.start is not None and column.start not in names[: names.index(column.name)]:
            raise PlanError(f"{path}: column {column.name} starts from {column.start}, expected a column before it")
    return plan


def commands(plan: Plan, runs: Path) -> list[PlannedRun]:
    """Every training of the plan in an order in which each finds what it starts from.

    Args:
        plan: the plan.
        runs: folder that holds, or will hold, one folder a run.
    """
    planned = []
    if plan.flow is not None:
        flow = ("flow", "--config", plan.flow, "--run", str(runs / "flow"))
        planned.append(PlannedRun(column="flow", seed=0, name="flow", mode="flow", arguments=flow))
    seeds = {column.name: column.seeds for column in plan.columns}
    for column in plan.columns:
        for seed in column.seeds:
            name = f"{column.name}_{seed}"
            changes = [*column.overrides, f"seed={seed}"]
            if column.start is not None:
                from_seed = seed if seed in seeds[column.start] else seeds[column.start][0]
                changes.append(f"start={runs / f'{column.start}_{from_seed}'}")
            if load_recipe(column.recipe, tuple(changes)).negatives.flow is not None:
                changes.append(f"negatives.flow.start={runs / 'flow'}")
            arguments = [column.mode, "--config", column.recipe, "--run", str(runs / name)]
            arguments += [word for change in changes for word in ("--set", change)]
            planned.append(
                PlannedRun(column=column.name, seed=seed, name=name, mode=column.mode, arguments=tuple(arguments))
            )
    return planned
