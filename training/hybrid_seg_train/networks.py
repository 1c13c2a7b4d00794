"""From a recipe to its network, and from a checkpoint back to both."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from hybrid_seg_train.layout import CHECKPOINT
from hybrid_seg_train.models import (
    ClosedSetNetwork,
    OpenSetNetwork,
    closed_set_network,
    rename_ladder_weights,
    upgrade,
)
from hybrid_seg_train.recipe import Recipe
from hybrid_seg_train.recipe.fit import Mode, NetworkPart
from hybrid_seg_train.samples.build import known_classes

_NETWORK = "network."
"""Prefix of the network's weights in a training's checkpoint."""


@dataclass(frozen=True, slots=True)
class Trained:
    """A checkpoint.

    Attributes:
        network: with the checkpoint's weights, in evaluation mode.
        recipe: what it was trained by.
        iterations: how far.
        mode: which training it was.
    """

    network: ClosedSetNetwork | OpenSetNetwork
    recipe: Recipe
    iterations: int
    mode: Mode

    @property
    def open_set(self) -> OpenSetNetwork:
        """The network, where it is open-set.

        Raises:
            ValueError: it is closed-set.
        """
        if not isinstance(self.network, OpenSetNetwork):
            raise ValueError(
                f"{self.recipe.name} is a closed-set network, expected an open-set one; make it one with:"
                " hybrid-seg-train hybrid --config RECIPE --set start=RUN --run NEW_RUN"
            )
        return self.network


def closed_network(recipe: Recipe, *, weights: bool = True) -> ClosedSetNetwork:
    """The recipe's closed-set network.

    Args:
        recipe: what is built.
        weights: start from pretrained weights where the recipe says so; else from random ones.

    Raises:
        ValueError: unknown family or option.
        WeightsError: pretrained weights cannot be had.
    """
    part = recipe.network
    return closed_set_network(part.family, classes=len(known_classes(recipe)), **_options(part, weights=weights))


def open_network(recipe: Recipe, *, weights: bool = True) -> OpenSetNetwork:
    """The recipe's open-set network: its `start` upgraded, or a new closed-set network where it names none.

    Args:
        recipe: what is built.
        weights: read the start, or pretrained weights; else random ones, for a checkpoint that follows.

    Raises:
        FileNotFoundError: the start is not there.
        ValueError: the start knows other classes; see also `closed_network`.
    """
    head, frozen = recipe.network.head, recipe.network.frozen
    if not weights or recipe.start is None:
        return upgrade(closed_network(recipe, weights=weights), head=head, frozen=frozen)
    started = load_checkpoint(checkpoint_of(recipe.start))
    if not isinstance(started.network, ClosedSetNetwork):
        raise ValueError(f"{recipe.start}: is open-set already, expected the run of a closed-set training")
    found, expected = known_classes(started.recipe).names, known_classes(recipe).names
    if found != expected:
        raise ValueError(f"{recipe.start}: knows {', '.join(found)}; {recipe.name} needs {', '.join(expected)}")
    started.network.requires_grad_(True)
    return upgrade(started.network.train(), head=head, frozen=frozen)


def take_weights(network: nn.Module, run: str) -> tuple[int, int]:
    """Take over what another run learned, for a network that is alike in part: all weights whose name and shape agree.

    Args:
        network: changed in place.
        run: run folder or checkpoint, of whatever network and classes.

    Returns:
        How many of the network's tensors were taken, and how many it has.

    Raises:
        FileNotFoundError: there is no checkpoint.
        ValueError: nothing agrees.
    """
    own, found = network.state_dict(), load_checkpoint(checkpoint_of(run)).network.state_dict()
    taken = {name: tensor for name, tensor in found.items() if name in own and own[name].shape == tensor.shape}
    if not taken:
        raise ValueError(f"{run}: no weight has the name and shape of one of this network's")
    network.load_state_dict(taken, strict=False)
    return len(taken), len(own)


def checkpoint_of(run_or_file: str | Path) -> Path:
    """The checkpoint file of a run's folder, or the file itself."""
    path = Path(run_or_file)
    return path / CHECKPOINT if path.is_dir() or not path.suffix else path


def load_checkpoint(path: Path) -> Trained:
    """Read a training's checkpoint; nothing in it is executed.

    Raises:
        FileNotFoundError: there is none.
        ValueError: not a checkpoint of this package's trainings.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f"{path}: no checkpoint; make one with: hybrid-seg-train closed-set|hybrid --config RECIPE"
            f" --run {path.parent}"
        )
    stored = torch.load(path, map_location="cpu", weights_only=True)
    try:
        settings = stored["hyper_parameters"]
        recipe = Recipe.model_validate(settings["recipe"])
        weights, iterations = stored["state_dict"], int(stored["global_step"])
    except (KeyError, TypeError) as error:
        raise ValueError(f"{path}: expected a hybrid-seg-train checkpoint, entry {error} is missing") from error
    mode: Mode = settings.get("mode", "hybrid")
    build = open_network if mode == "hybrid" else closed_network
    network = build(recipe, weights=False)
    network.load_state_dict(_network_weights(weights))
    return Trained(network.eval(), recipe, iterations, mode)


def _network_weights(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The network's own part of a training's weights, by the network's names."""
    renamed = rename_ladder_weights(weights)
    return {name.removeprefix(_NETWORK): tensor for name, tensor in renamed.items() if name.startswith(_NETWORK)}


def _options(part: NetworkPart, *, weights: bool) -> dict[str, Any]:
    """Arguments of the family's function."""
    own = part.model_dump(include={"backbone", "width", "detail", "separable", "pretrained"})
    options = {**(own if part.family == "ladder" else {}), **part.options}
    if not weights and part.family in ("ladder", "smp", "torchvision"):
        options = {**{key: value for key, value in options.items() if key != "weights"}, "pretrained": False}
    return options
