"""Which recipe a run followed from which iteration on: a training may go on with a changed recipe, or begin with the
weights of another run, whose stages are then its history.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from hybrid_seg_train.layout import STAGES
from hybrid_seg_train.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Stage:
    """A stretch of a training under one recipe.

    Attributes:
        start: iterations done before it.
        recipe: the recipe from there on.
        run: which run of a chain, from 0; a run that began with the weights of another counts on from that one's.
    """

    start: int
    recipe: Recipe
    run: int = 0


def record_stage(run: Path, start: int, recipe: Recipe) -> None:
    """Note in the run's folder that `recipe` is followed from iteration `start` on; the same recipe as before is not
    a new stage, and a stage that got nowhere is replaced.
    """
    recorded = read_stages(run) if start else _history(recipe)
    this = recorded[-1].run if recorded and start else (recorded[-1].run + 1 if recorded else 0)
    stages = [stage for stage in recorded if stage.run < this or stage.start < start]
    if not stages or stages[-1].recipe != recipe or stages[-1].run != this:
        stages.append(Stage(start, recipe, this))
    content = [{"start": s.start, "run": s.run, "recipe": s.recipe.model_dump(mode="json")} for s in stages]
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
    if not path.is_file():
        return []
    stages = json.loads(path.read_text())
    return [Stage(int(s["start"]), Recipe.model_validate(s["recipe"]), int(s.get("run", 0))) for s in stages]


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
