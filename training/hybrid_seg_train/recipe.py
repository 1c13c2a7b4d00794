"""Recipes: everything that decides what a training does, as one YAML file."""

from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

RECIPES = Path(__file__).parent / "recipes"


class RecipeError(ValueError):
    """A recipe cannot be read or says something unknown; the message names the file and the entry."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class NetworkPart(_Part):
    """The ladder network."""

    backbone: str = "efficientnet_lite0"
    width: int = Field(default=96, ge=8)
    pretrained: bool = True


class SourcePart(_Part):
    """One data set of the mixture."""

    reader: Literal["camvid", "idd_lite", "scenes"]
    path: str = Field(default="", description="folder below the data root")
    split: str = "train"
    weight: float = Field(gt=0)
    scale: float = Field(default=1.0, gt=0)
    from_iteration: int = Field(default=0, ge=0)
    seeds: tuple[int, int] = Field(default=(1000, 1300), description="scenes only: first and last + 1 scene seed")


class CropPart(_Part):
    """Crops; see `data.augment.CropRecipe`."""

    width: int = 448
    height: int = 320
    scales: tuple[float, float] = (0.5, 2.0)
    rare: tuple[int, ...] = ()
    rare_share: float = Field(default=0.0, ge=0, le=1)


class LightPart(_Part):
    """Photometric augmentation; see `data.augment.LightRecipe`."""

    color: float = 0.8
    night: float = 0.12
    blur: float = 0.2
    noise: float = 0.2


class NegativesPart(_Part):
    """Pasted objects; see `negatives.paste.PasteRecipe`."""

    path: str = Field(
        default="negatives/coco128_seg", description="folder below the data root; empty: nothing is pasted"
    )
    count: tuple[int, int] = (1, 3)
    sides: tuple[float, float] = (12.0, 220.0)
    ground_share: float = 0.5
    blend_share: float = 0.5
    known_share: float = Field(default=0.0, ge=0, le=1)


class LossPart(_Part):
    """Weights and forms; see `losses.hybrid_loss`."""

    beta: float = 0.03
    posterior_weight: float | None = None
    energy: Literal["plain", "relu", "squared_hinge"] = "relu"
    void_as_inlier: bool = False
    class_weights: tuple[float, ...] | None = None
    stride: Literal[1, 2, 4] = Field(default=2, description="the loss is taken at every stride-th pixel")


class SchedulePart(_Part):
    """AdamW with linear warm-up and cosine decay to zero."""

    iterations: int = Field(ge=1)
    batch: int = Field(default=8, ge=1)
    lr: float = Field(default=4e-4, gt=0)
    backbone_lr_factor: float = Field(default=0.25, gt=0)
    weight_decay: float = Field(default=1e-4, ge=0)
    warmup: int = Field(default=100, ge=0)
    checkpoint_every: int = Field(default=100, ge=1)
    precision: Literal["32-true", "bf16-mixed"] = "bf16-mixed"


class Recipe(_Part):
    """One training, whole."""

    name: str
    seed: int = 0
    network: NetworkPart = NetworkPart()
    sources: tuple[SourcePart, ...] = Field(min_length=1)
    validation: SourcePart
    crop: CropPart = CropPart()
    light: LightPart = LightPart()
    negatives: NegativesPart = NegativesPart()
    loss: LossPart = LossPart()
    schedule: SchedulePart


def load_recipe(name_or_path: str, overrides: tuple[str, ...] = ()) -> Recipe:
    """The recipe of a shipped name (recipes/<name>.yaml) or of a file, with `section.key=value` overrides.

    Raises:
        RecipeError: no such recipe, not YAML, an unknown key, or a value of the wrong kind.
    """
    path = Path(name_or_path) if name_or_path.endswith((".yaml", ".yml")) else RECIPES / f"{name_or_path}.yaml"
    if not path.is_file():
        shipped = ", ".join(sorted(p.stem for p in RECIPES.glob("*.yaml")))
        raise RecipeError(f"{name_or_path}: no such recipe; expected a .yaml file or one of: {shipped}")
    try:
        content = yaml.safe_load(path.read_text())
        for override in overrides:
            _apply(content, override)
        return Recipe.model_validate(content)
    except (yaml.YAMLError, ValueError) as error:
        raise RecipeError(f"{path}: {error}") from error


def _apply(content: dict[str, Any], override: str) -> None:
    key, equals, value = override.partition("=")
    *sections, last = key.split(".")
    if not equals or not last:
        raise ValueError(f"override {override!r}: expected section.key=value")
    for section in sections:
        content = content.setdefault(section, {})
        if not isinstance(content, dict):
            raise ValueError(f"override {override!r}: {section} is not a section")
    content[last] = yaml.safe_load(value)
