"""Run or resume any training of this package in a folder."""

import logging
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import torch
from torch.utils.data import DataLoader, Dataset

import hybrid_seg_train._torchvision  # noqa: F401  (must come before lightning)
from hybrid_seg_train.callbacks import CurveWriter, TimeLeft
from hybrid_seg_train.layout import CHECKPOINT, CURVE, TENSORBOARD
from hybrid_seg_train.samples.sampler import StreamSampler

from lightning.pytorch import Callback, LightningModule, Trainer  # isort: skip
from lightning.pytorch.callbacks import ModelCheckpoint, TQDMProgressBar  # isort: skip
from lightning.pytorch.loggers import TensorBoardLogger  # isort: skip


# Lightning warns of what is meant to be so here.
_EXPECTED = (
    "Checkpoint directory .* exists and is not empty",
    r"Found \d+ module\(s\) in eval mode at the start of training",
    "You're resuming from a checkpoint that ended before the epoch ended",
    "The '.*dataloader' does not have many workers",
    r"The number of training batches \(\d+\) is smaller than the logging interval",
    "Using ModelCheckpoint with manual optimization",
    r"`isinstance\(treespec, LeafSpec\)` is deprecated",
)


@dataclass(frozen=True, slots=True)
class Effort:
    """How a training is carried out; nothing here changes what is trained, but for rounding.

    Attributes:
        workers: helpers of each process that prepare samples; 0 = none.
        processes: CPU processes, or GPUs, that share every batch (Lightning's DDP); None = all GPUs there are, or one
            CPU process. On a few busy cores, one process per core with one thread each is faster than one process
            with many threads.
        nodes: machines that share every batch.
        progress: show a progress bar with the minutes left.
        stop_after: end at this iteration, before the schedule does; the next call goes on from there.
        log_every: iterations between two points of the curve.
    """

    workers: int = 1
    processes: int | None = None
    nodes: int = 1
    progress: bool = True
    stop_after: int | None = None
    log_every: int = 20


class Progress(TQDMProgressBar):
    """Lightning's bar without the logger's version, which is always the same here."""

    def get_metrics(
        self, trainer: Trainer, pl_module: LightningModule
    ) -> dict[str, int | str | float | dict[str, float]]:
        """What the bar shows."""
        return {name: value for name, value in super().get_metrics(trainer, pl_module).items() if name != "v_num"}


def last_checkpoint(run: Path) -> Path | None:
    """The checkpoint a stopped training in `run` goes on from, or None."""
    checkpoint = run / CHECKPOINT
    return checkpoint if checkpoint.is_file() else None


def iterations_done(run: Path) -> int:
    """Iterations that the last checkpoint in `run` has behind it; 0 where there is none.

    Raises:
        ValueError: it holds weights alone, with which no training can go on.
    """
    checkpoint = last_checkpoint(run)
    if checkpoint is None:
        return 0
    stored = torch.load(checkpoint, map_location="cpu", weights_only=True)
    if "optimizer_states" not in stored:
        raise ValueError(
            f"{checkpoint}: a mean of runs, which has weights but no optimiser to go on with; begin a run with them:"
            f" --run NEW_RUN --set initial={run}"
        )
    return int(stored["global_step"])


def make_trainer(
    iterations: int,
    effort: Effort,
    callbacks: Sequence[Callback],
    *,
    precision: str = "32-true",
    find_unused: bool = False,
    logger: TensorBoardLogger | None = None,
) -> Trainer:
    """Lightning's Trainer as this package uses it.

    Args:
        iterations: where the schedule ends.
        effort: on what it runs.
        callbacks: beside the progress bar.
        precision: Lightning's name of it.
        find_unused: whether an iteration may leave parameters without a gradient.
        logger: gets every logged figure.
    """
    for expected in _EXPECTED:
        warnings.filterwarnings("ignore", message=expected)
    # Which devices are not there, and what else one could install.
    logging.getLogger("lightning.pytorch.utilities.rank_zero").setLevel(logging.WARNING)
    on_gpu = torch.cuda.is_available()
    processes = effort.processes or (torch.cuda.device_count() if on_gpu else 1)
    ddp = "ddp_find_unused_parameters_true" if find_unused else "ddp"
    return Trainer(
        accelerator="gpu" if on_gpu else "cpu",
        devices=processes,
        num_nodes=effort.nodes,
        strategy=ddp if processes * effort.nodes > 1 else "auto",
        use_distributed_sampler=False,
        max_steps=iterations if effort.stop_after is None else min(effort.stop_after, iterations),
        max_epochs=-1,
        precision=precision,  # type: ignore[arg-type]
        logger=logger if logger is not None else False,
        log_every_n_steps=effort.log_every,
        callbacks=[*callbacks, *([Progress(refresh_rate=10)] if effort.progress else [])],
        enable_checkpointing=any(isinstance(callback, ModelCheckpoint) for callback in callbacks),
        enable_progress_bar=effort.progress,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )


def loader(dataset: Dataset[object], batch: int, start: int, stop: int, trainer: Trainer, workers: int) -> DataLoader:  # type: ignore[type-arg]
    """This process's share of the samples of iterations start .. stop - 1."""
    return DataLoader(
        dataset,
        batch_size=batch // trainer.world_size,
        sampler=StreamSampler(
            start * batch, stop * batch, batch=batch, rank=trainer.global_rank, processes=trainer.world_size
        ),
        num_workers=workers,
        prefetch_factor=4 if workers else None,
        drop_last=True,
        pin_memory=torch.cuda.is_available(),
        worker_init_fn=_one_thread,
    )


def fit(
    module: LightningModule,
    dataset: Dataset[object],
    run: Path,
    *,
    iterations: int,
    batch: int,
    checkpoint_every: int,
    effort: Effort,
    callbacks: Sequence[Callback] = (),
    precision: str = "32-true",
    find_unused: bool = False,
) -> Path:
    """Train `module` on an endless dataset, going on from the last checkpoint in `run` where there is one.

    The folder gets last.ckpt, curve.jsonl and TensorBoard's files. A kill loses at most `checkpoint_every` iterations,
    and sample i being a function of i, the resumed training sees what it would have seen.

    Args:
        module: what is trained.
        dataset: sample i is a function of i alone.
        run: the folder.
        iterations: length of the schedule.
        batch: samples an iteration, over all processes.
        checkpoint_every: iterations between two checkpoints.
        effort: on what it runs.
        callbacks: further ones.
        precision: Lightning's name of it.
        find_unused: see `make_trainer`.

    Returns:
        Path of the last checkpoint.
    """
    run.mkdir(parents=True, exist_ok=True)
    saver = ModelCheckpoint(
        run,
        filename=Path(CHECKPOINT).stem,
        every_n_train_steps=checkpoint_every,
        save_top_k=1,
        enable_version_counter=False,
    )
    own = [saver, CurveWriter(run / CURVE, effort.log_every), TimeLeft(iterations)]
    logger = TensorBoardLogger(run, name="", version=TENSORBOARD)
    trainer = make_trainer(
        iterations, effort, [*own, *callbacks], precision=precision, find_unused=find_unused, logger=logger
    )
    samples = loader(dataset, batch, iterations_done(run), iterations, trainer, effort.workers)
    trainer.fit(module, samples, ckpt_path=last_checkpoint(run), weights_only=True)
    trainer.save_checkpoint(run / CHECKPOINT, weights_only=False)
    return run / CHECKPOINT


def _one_thread(worker: int) -> None:
    # The cores belong to the network; a worker keeps pace on one thread.
    cv2.setNumThreads(1)
