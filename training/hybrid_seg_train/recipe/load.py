"""A recipe, whole, and how it is read from a file and changed for one run."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, ValidationError

from hybrid_seg_train.recipe.data import CropPart, LightPart, NegativesPart, SourcePart
from hybrid_seg_train.recipe.fit import FlowPart, LossPart, NetworkPart, SchedulePart
from hybrid_seg_train.recipe.measure import CalibrationPart, EvaluationPart, ExportPart
from hybrid_seg_train.recipe.part import Part

RECIPES = Path(__file__).parent.parent / "recipes"


class RecipeError(ValueError):
    """A recipe cannot be read or says something unknown; the message names the file and the entry."""


class Recipe(Part):
    """One training, and how its result is calibrated, measured and exported.

    `start` names the run that a hybrid training upgrades: without it the network is open-set from its first step.
    `hold_out` names classes that stay unknown: void in training, the anomaly when they are evaluated.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_.-]*$", description="lower-case identifier")
    description: str = Field(default="", description="one line for people")
    seed: int = Field(default=0, description="of everything random")
    classes: str = Field(default="camvid11", description="label space of the known classes: a name or a .yaml file")
    hold_out: tuple[str, ...] = Field(default=(), description="classes of it that stay unknown")
    start: str | None = Field(default=None, description="run folder or checkpoint of a closed-set training")
    initial: str | None = Field(default=None, description="run whose weights are taken where name and shape agree")
    network: NetworkPart = Field(default=NetworkPart(), description="what is trained")
    sources: tuple[SourcePart, ...] = Field(min_length=1, description="labelled sets to train on")
    validation: SourcePart = Field(description="labelled set to choose and calibrate on")
    crop: CropPart = Field(default=CropPart(), description="geometry of the samples")
    light: LightPart = Field(default=LightPart(), description="colours of the samples")
    negatives: NegativesPart = Field(default=NegativesPart(), description="what is pasted as unknown")
    loss: LossPart = Field(default=LossPart(), description="what is minimised")
    schedule: SchedulePart = Field(description="how")
    flow: FlowPart | None = Field(default=None, description="for `hybrid-seg-train flow`")
    calibration: CalibrationPart = Field(default=CalibrationPart(), description="for `hybrid-seg-train calibrate`")
    evaluation: EvaluationPart = Field(default=EvaluationPart(), description="for `hybrid-seg-train evaluate`")
    export: ExportPart = Field(default=ExportPart(), description="for `hybrid-seg-train export`")


def load_recipe(name_or_path: str, overrides: tuple[str, ...] = ()) -> Recipe:
    """The recipe of a shipped name (recipes/<name>.yaml) or of a file, with `section.key=value` overrides.

    A file may say `base: NAME` to start from another recipe (a shipped name, or a file beside it); its own sections
    then replace the base's entry by entry.

    Raises:
        RecipeError: no such recipe, not YAML, an unknown key, or a value of the wrong kind.
    """
    path = _find(name_or_path)
    try:
        content = _read(path, ())
        for override in overrides:
            _apply(content, override)
        return Recipe.model_validate(content)
    except (yaml.YAMLError, ValueError) as error:
        raise RecipeError(f"{path}: {error}") from error


def changed(recipe: Recipe, overrides: tuple[str, ...]) -> Recipe:
    """The recipe with `section.key=value` overrides.

    Raises:
        RecipeError: an unknown key or a value of the wrong kind.
    """
    content = recipe.model_dump(mode="json")
    try:
        for override in overrides:
            _apply(content, override)
        return Recipe.model_validate(content)
    except (yaml.YAMLError, ValidationError, ValueError) as error:
        raise RecipeError(f"{recipe.name}: {error}") from error


def _find(name_or_path: str, beside: Path | None = None) -> Path:
    if name_or_path.endswith((".yaml", ".yml")):
        path = (beside / name_or_path) if beside else Path(name_or_path)
    else:
        path = RECIPES / f"{name_or_path}.yaml"
    if not path.is_file():
        shipped = ", ".join(sorted(p.stem for p in RECIPES.glob("*.yaml")))
        raise RecipeError(f"{name_or_path}: no such recipe; expected a .yaml file or one of: {shipped}")
    return path


def _read(path: Path, seen: tuple[Path, ...]) -> dict[str, Any]:
    content = yaml.safe_load(path.read_text())
    if not isinstance(content, dict):
        raise RecipeError(f"{path}: expected a recipe's sections, found {type(content).__name__}")
    base = content.pop("base", None)
    if base is None:
        return content
    if path in seen:
        raise RecipeError(f"{path}: is its own base")
    return _merged(_read(_find(str(base), path.parent), (*seen, path)), content)


def _merged(base: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for key, value in change.items():
        both_sections = isinstance(value, dict) and isinstance(base.get(key), dict)
        result[key] = _merged(base[key], value) if both_sections else value
    return result


def _apply(content: dict[str, Any], override: str) -> None:
    key, equals, value = override.partition("=")
    *sections, last = key.split(".")
    if not equals or not last:
        raise ValueError(f"override {override!r}: expected section.key=value")
    for section in sections:
        if content.get(section) is None:
            content[section] = {}
        content = content[section]
        if not isinstance(content, dict):
            raise ValueError(f"override {override!r}: {section} is not a section")
    content[last] = yaml.safe_load(value)
