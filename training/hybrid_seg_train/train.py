"""Run or resume a closed-set training, a hybrid one, or that of a flow."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lightning_utilities.core.rank_zero import rank_zero_only
from torch import nn
from torch.utils.data import Dataset

import hybrid_seg_train._torchvision  # noqa: F401  (must come before lightning)
from hybrid_seg_train.callbacks import Validation
from hybrid_seg_train.data.lazy import LazySequence
from hybrid_seg_train.data.sources import ByteImage, Example
from hybrid_seg_train.evaluate import evaluate_closed_set
from hybrid_seg_train.fit import Effort, fit, iterations_done
from hybrid_seg_train.flows.checkpoint import load_flow
from hybrid_seg_train.flows.config import flow_config
from hybrid_seg_train.flows.pictures import SamplePictures
from hybrid_seg_train.flows.train import train_flow
from hybrid_seg_train.joint import JointTraining
from hybrid_seg_train.layout import CACHE, SAMPLES
from hybrid_seg_train.module import ClosedSetTraining, HybridTraining, SegmentationTraining
from hybrid_seg_train.networks import checkpoint_of, closed_network, open_network, take_weights
from hybrid_seg_train.recipe import Recipe
from hybrid_seg_train.recipe.fit import FlowPart, Mode
from hybrid_seg_train.samples.build import build_mixture, known_classes, read_source
from hybrid_seg_train.stages import record_stage

from lightning.pytorch import Callback, LightningModule, seed_everything  # isort: skip


def build_training(
    recipe: Recipe, mode: Mode, data: Path, run: Path, *, keep: bool = True, progress: bool = True
) -> tuple[SegmentationTraining, Dataset[object]]:
    """What is trained, and on which samples.

    Args:
        recipe: everything that decides it.
        mode: closed-set, or hybrid.
        data: the data root.
        run: the training's folder; one with a checkpoint needs no start and no pretrained weights any more.
        keep: keep drawn scenes and what scanning negatives found in the folder, for the next start.
        progress: show progress bars.

    Raises:
        DataError: a set is not as expected.
        FileNotFoundError: what the recipe starts from is not there.
        ValueError: see `networks.closed_network` and `networks.open_network`.
    """
    seed_everything(recipe.seed, verbose=False)
    fresh, cache = not iterations_done(run), run / CACHE if keep else None
    if mode == "closed_set":
        closed = closed_network(recipe, weights=fresh)
        _take_initial(closed, recipe, fresh)
        mixture, coarse = build_mixture(
            recipe,
            data,
            mean=closed.info.mean,
            std=closed.info.std,
            cache=cache,
            negatives=False,
            progress=progress,
        )
        return ClosedSetTraining(recipe, closed, coarse), mixture
    opened = open_network(recipe, weights=fresh)
    _take_initial(opened, recipe, fresh)
    mixture, coarse = build_mixture(
        recipe, data, mean=opened.info.mean, std=opened.info.std, cache=cache, progress=progress
    )
    part = recipe.negatives.flow
    if part is None:
        return HybridTraining(recipe, opened, coarse), mixture
    return JointTraining(recipe, opened, coarse, load_flow(checkpoint_of(part.start)), part), mixture


@rank_zero_only
def _say(text: str) -> None:
    print(text, flush=True)


def _take_initial(network: nn.Module, recipe: Recipe, fresh: bool) -> None:
    if fresh and recipe.initial is not None:
        taken, tensors = take_weights(network, recipe.initial)
        _say(f"{recipe.initial}: {taken} of the network's {tensors} tensors start from there")


def train(recipe: Recipe, mode: Mode, data: Path, run: Path, effort: Effort | None = None) -> Path:
    """Train `recipe` in the folder `run`, going on from its last checkpoint where there is one.

    The recipe may be changed on resume, all but the network; the run's folder keeps which one was in force when.

    Args:
        recipe: what to train.
        mode: closed-set, or hybrid.
        data: the data root.
        run: folder for checkpoints, the curve and pictures; made if needed.
        effort: on what it runs.

    Returns:
        Path of the last checkpoint.

    Raises:
        DataError, FileNotFoundError, ValueError: see `build_training`.
    """
    effort = effort or Effort()
    run.mkdir(parents=True, exist_ok=True)
    module, mixture = build_training(recipe, mode, data, run, progress=effort.progress)
    rank_zero_only(record_stage)(run, iterations_done(run), recipe)
    part = recipe.schedule
    callbacks: list[Callback] = []
    if part.validate_every:
        callbacks.append(Validation(_measure(recipe, data), part.validate_every, run, "val/miou"))
    joint = isinstance(module, JointTraining)
    if joint:
        callbacks.append(SamplePictures(run / SAMPLES, part.checkpoint_every, (64, 64)))
    return fit(
        module,
        mixture,
        run,
        iterations=part.iterations,
        batch=part.batch,
        checkpoint_every=part.checkpoint_every,
        effort=effort,
        callbacks=callbacks,
        precision=part.precision,
        find_unused=joint,
    )


@dataclass(frozen=True)
class Pictures(LazySequence[ByteImage]):
    """The pictures of labelled sets, one after the other, without their labels."""

    sets: Sequence[Sequence[Example]]

    def __len__(self) -> int:
        return sum(len(one) for one in self.sets)

    def item(self, place: int) -> ByteImage:
        """Picture `place`, counted over all sets."""
        for one in self.sets:
            if place < len(one):
                return one[place].image
            place -= len(one)
        raise IndexError(place)


def flow_pictures(recipe: Recipe, data: Path, *, progress: bool = True) -> Pictures:
    """The inlier images that a recipe's flow learns: those of all its sources.

    Raises:
        DataError: a set is not as expected.
    """
    return Pictures([read_source(part, recipe, data, progress=progress) for part in recipe.sources])


def train_flow_recipe(recipe: Recipe, data: Path, run: Path, effort: Effort | None = None) -> Path:
    """Pre-train the recipe's flow in the folder `run`, going on from its last checkpoint where there is one.

    Args:
        recipe: its `flow` and `sources` say which, on what.
        data: the data root.
        run: folder for checkpoints, the curve and pictures of samples; made if needed.
        effort: on what it runs.

    Returns:
        Path of the last checkpoint.

    Raises:
        DataError: a set is not as expected.
        ValueError: the recipe has no flow.
    """
    part, effort = flow_part(recipe), effort or Effort()
    run.mkdir(parents=True, exist_ok=True)
    rank_zero_only(record_stage)(run, iterations_done(run), recipe)
    return train_flow(
        flow_config(part.model),
        flow_pictures(recipe, data, progress=effort.progress),
        run,
        iterations=part.iterations,
        batch=part.batch,
        crop=(part.crop, part.crop),
        lr=part.lr,
        seed=recipe.seed,
        checkpoint_every=part.checkpoint_every,
        sample_every=part.picture_every,
        effort=effort,
    )


def flow_part(recipe: Recipe) -> FlowPart:
    """The recipe's flow.

    Raises:
        ValueError: it has none.
    """
    if recipe.flow is None:
        raise ValueError(f"{recipe.name}: has no section `flow`, expected one with model and iterations")
    return recipe.flow


def _measure(recipe: Recipe, data: Path) -> Callable[[LightningModule], Mapping[str, float]]:
    """MIoU on the recipe's validation set."""
    lazy = recipe.validation.model_copy(update={"in_memory": False})
    examples, names = read_source(lazy, recipe, data, progress=False), known_classes(recipe).names

    def measure(module: LightningModule) -> Mapping[str, float]:
        network = module.get_submodule("network")
        found = evaluate_closed_set(network, examples, names, recipe.evaluation.inputs[0], progress=False)
        return {"val/miou": found.miou}

    return measure
