"""What a command would do and how long it would take, without doing it."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
from torch import nn
from torch.utils.data import Dataset

import hybrid_seg_train._torchvision  # noqa: F401  (must come before lightning)
from hybrid_seg_train.callbacks import TimeLeft
from hybrid_seg_train.data.labelled_set import LabelledSet, check
from hybrid_seg_train.fit import Effort, iterations_done, loader, make_trainer
from hybrid_seg_train.flows.config import flow_config
from hybrid_seg_train.flows.crops import RandomCrops
from hybrid_seg_train.flows.training import FlowTraining
from hybrid_seg_train.infer import Predictor
from hybrid_seg_train.networks import Trained
from hybrid_seg_train.recipe import Recipe
from hybrid_seg_train.recipe.data import SourcePart
from hybrid_seg_train.samples.build import known_classes, read_source
from hybrid_seg_train.train import build_training, flow_part, flow_pictures

from lightning.pytorch import LightningModule  # isort: skip

TIMED_ITERATIONS = 4


def dry_run(recipe: Recipe, mode: Literal["closed_set", "hybrid", "flow"], data: Path, run: Path) -> str:
    """What a training would do, after a look at its data and a few timed iterations; nothing is kept.

    Args:
        recipe: what would be trained.
        mode: which training.
        data: the data root.
        run: folder it would be trained in.

    Raises:
        DataError: a set is not as expected.
        FileNotFoundError: what the recipe starts from is not there.
        ValueError: the recipe does not fit.
    """
    on_disk = tuple(part.model_copy(update={"in_memory": False}) for part in recipe.sources)
    lazy = recipe.model_copy(update={"sources": on_disk})
    lines = [f"{recipe.name}: {mode.replace('_', '-')} training, seed {recipe.seed}"]
    lines += [_source(part, lazy, data) for part in (*on_disk, recipe.validation)]
    module: LightningModule
    samples: Dataset[object]
    if mode == "flow":
        part = flow_part(recipe)
        module = FlowTraining(flow_config(part.model), part.lr, recipe.seed)
        samples = RandomCrops(flow_pictures(lazy, data, progress=False), (part.crop, part.crop), recipe.seed)
        iterations, batch, precision = part.iterations, part.batch, "32-true"
    else:
        schedule = recipe.schedule
        module, samples = build_training(lazy, mode, data, run, keep=False, progress=False)
        iterations, batch, precision = schedule.iterations, schedule.batch, schedule.precision
        lines.append(f"classes: {', '.join(known_classes(recipe).names)}")
    lines.append(f"{_millions(module)} parameters, {batch} samples an iteration, {precision}")
    pace = seconds_per_iteration(module, samples, batch, precision=precision)
    return "\n  ".join([*lines, training_estimate(pace, iterations, run)])


def _source(part: SourcePart, recipe: Recipe, data: Path) -> str:
    """One line on a labelled set; a few of its images are decoded."""
    if part.reader == "scenes":
        return f"scenes: {part.seeds[1] - part.seeds[0]} generated ones, drawn at the first start"
    source = read_source(part, recipe, data, progress=False)
    if not isinstance(source, LabelledSet):
        raise TypeError(f"{part.reader}: expected a labelled set, found {type(source).__name__}")
    seen = check(source)
    sizes = ", ".join(f"{w}x{h}" for w, h in seen.sizes[:3])
    return f"{seen.name}: {seen.images} images of {sizes}; {seen.checked} of them decoded and found as expected"


def seconds_per_iteration(
    module: LightningModule, dataset: Dataset[object], batch: int, *, precision: str = "32-true"
) -> float:
    """Mean time of a few real iterations in one process; the first, which also starts everything, does not count.

    Args:
        module: what would be trained; it is changed by these iterations.
        dataset: its samples.
        batch: samples an iteration.
        precision: Lightning's name of it.
    """
    clock = TimeLeft(TIMED_ITERATIONS)
    effort = Effort(workers=0, processes=1, progress=False)
    trainer = make_trainer(TIMED_ITERATIONS, effort, [clock], precision=precision)
    trainer.fit(module, loader(dataset, batch, 0, TIMED_ITERATIONS, trainer, workers=0))
    if clock.seconds_per_iteration is None:
        raise RuntimeError("no iteration was timed")
    return clock.seconds_per_iteration


def training_estimate(pace: float, iterations: int, run: Path) -> str:
    """One sentence: iterations, those already done, and the time the rest takes at `pace` seconds each."""
    done = min(iterations_done(run), iterations)
    return (
        f"{iterations} iterations, {done} of them done; {pace:.2f} s each in one process:"
        f" about {in_words(pace * (iterations - done))} to go"
    )


def measuring_estimate(trained: Trained, images: Mapping[str, tuple[int, tuple[int, int]]]) -> str:
    """What running the network on several sets takes; the network is timed once at each input size.

    Args:
        trained: the checkpoint.
        images: set -> how many images, and the network input (width, height).
    """
    lines, total, pace = [f"{trained.recipe.name}: {_millions(trained.network)} parameters"], 0.0, {}
    for name, (count, size) in images.items():
        if size not in pace:
            pace[size] = _seconds_per_image(trained, size)
        total += count * pace[size]
        lines.append(f"{name}: {count} images at {size[0]}x{size[1]}, {pace[size] * 1e3:.0f} ms each")
    return "\n  ".join([*lines, f"about {in_words(total)} in all"])


def _seconds_per_image(trained: Trained, size: tuple[int, int]) -> float:
    predict, image = Predictor(trained.network, size), np.zeros((size[1], size[0], 3), np.uint8)
    predict(image)
    start = time.perf_counter()
    predict(image)
    return time.perf_counter() - start


def _millions(network: nn.Module) -> str:
    return f"{sum(p.numel() for p in network.parameters()) / 1e6:.2f} M"


def in_words(seconds: float) -> str:
    """A duration for people: '50 s', '12 min', '3 h 20 min', '2 d 4 h'."""
    minutes, hours = round(seconds / 60), round(seconds / 3600)
    if seconds < 90:
        return f"{seconds:.0f} s"
    if minutes < 60:
        return f"{minutes} min"
    if hours < 48:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{hours // 24} d {hours % 24} h"
