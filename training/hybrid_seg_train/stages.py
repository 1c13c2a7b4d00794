"""Which recipe a run followed from which iteration on: a training may go on with a changed recipe, begin with the
weights of another run, whose stages are then its history, or be the mean of several.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

import yaml

from hybrid_seg_train.layout import STAGES
from hybrid_seg_train.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Stage:
    """A stretch of a training under one recipe, or a mean of runs.

    Attributes:
        start: iterations done before it.
        recipe: the recipe from there on.
        run: which run of a history, from 0.
        after: the runs of the history whose weights it began with: none, one, or those whose mean it is.
        shares: of each of these in the mean; none: it is a training.
    """

    start: int
    recipe: Recipe
    run: int = 0
    after: tuple[int, ...] = ()
    shares: tuple[float, ...] = ()


def record_stage(run: Path, start: int, recipe: Recipe) -> None:
    """Note in the run's folder that `recipe` is followed from iteration `start` on; the same recipe as before is not
    a new stage, and a stage that got nowhere is replaced.
    """
    recorded = read_stages(run) if start else _history(recipe)
    if start and recorded:
        this, after = recorded[-1].run, recorded[-1].after
    else:
        this, after = (recorded[-1].run + 1, (recorded[-1].run,)) if recorded else (0, ())
    stages = [stage for stage in recorded if stage.run < this or stage.start < start]
    if not stages or stages[-1].recipe != recipe or stages[-1].run != this:
        stages.append(Stage(start, recipe, this, after))
    _write(run, stages)


def record_mean(run: Path, recipe: Recipe, members: Sequence[Path], shares: Sequence[float]) -> None:
    """Note in the run's folder that it is a mean of other runs; what they have in common is told once."""
    runs: list[list[Stage]] = []
    after = []
    for member in members:
        number: dict[int, int] = {}
        for old, part in groupby(read_stages(member), key=lambda stage: stage.run):
            own = [replace(stage, run=0, after=tuple(number[r] for r in stage.after)) for stage in part]
            if own not in runs:
                runs.append(own)
            number[old] = runs.index(own)
        if number:
            after.append(number[max(number)])
    stages = [replace(stage, run=place) for place, own in enumerate(runs) for stage in own]
    _write(run, [*stages, Stage(0, recipe, len(runs), tuple(after), tuple(shares))])


def _write(run: Path, stages: Sequence[Stage]) -> None:
    content = [
        {
            "start": s.start,
            "run": s.run,
            "after": list(s.after),
            **({"shares": list(s.shares)} if s.shares else {}),
            "recipe": s.recipe.model_dump(mode="json"),
        }
        for s in stages
    ]
    (run / STAGES).write_text(json.dumps(content, indent=1) + "\n")


def _history(recipe: Recipe) -> list[Stage]:
    """Stages of the run whose weights a recipe begins with."""
    if recipe.initial is None:
        return []
    place = Path(recipe.initial)
    return read_stages(place if place.is_dir() else place.parent)


def read_stages(run: Path) -> list[Stage]:
    """The stages of a run, first to last; empty where none was recorded."""
    path = run / STAGES
    return [_stage(content) for content in json.loads(path.read_text())] if path.is_file() else []


def _stage(content: dict[str, Any]) -> Stage:
    run = int(content.get("run", 0))
    # Files written before runs could fork do not say where each began: each with the one before it.
    after = content.get("after", [run - 1] if run else [])
    recipe = Recipe.model_validate(content["recipe"])
    return Stage(int(content["start"]), recipe, run, tuple(after), tuple(content.get("shares", ())))


def overrides(recipe: Recipe, base: Recipe) -> list[str]:
    """The `section.key=value` overrides that turn `base` into `recipe`; see `recipe.load_recipe`."""
    return _differences(recipe.model_dump(mode="json"), base.model_dump(mode="json"), ())


def _differences(content: dict[str, Any], base: dict[str, Any], path: Sequence[str]) -> list[str]:
    found = []
    for key, value in content.items():
        if isinstance(value, dict):
            found += _differences(value, base[key], (*path, key))
        elif value != base[key]:
            flow = yaml.safe_dump(value, default_flow_style=True, width=10_000).removesuffix("...\n").strip()
            found.append(f"{'.'.join((*path, key))}={flow}")
    return found
