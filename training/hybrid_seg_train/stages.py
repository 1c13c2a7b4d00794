"""Which recipe a run followed from which iteration on: a training may go on with a changed recipe."""

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
    """

    start: int
    recipe: Recipe


def record_stage(run: Path, start: int, recipe: Recipe) -> None:
    """Note in the run's folder that `recipe` is followed from iteration `start` on; the same recipe as before is not
    a new stage, and a stage that got nowhere is replaced.
    """
    stages = [stage for stage in read_stages(run) if stage.start < start]
    if not stages or stages[-1].recipe != recipe:
        stages.append(Stage(start, recipe))
    content = [{"start": stage.start, "recipe": stage.recipe.model_dump(mode="json")} for stage in stages]
    (run / STAGES).write_text(json.dumps(content, indent=1) + "\n")


def read_stages(run: Path) -> list[Stage]:
    """The stages of a run, first to last; empty where none was recorded."""
    path = run / STAGES
    if not path.is_file():
        return []
    return [Stage(int(s["start"]), Recipe.model_validate(s["recipe"])) for s in json.loads(path.read_text())]


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
