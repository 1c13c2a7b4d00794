"""Run or resume a training."""

import json
from pathlib import Path

import cv2
import torch
from torch.utils.data import DataLoader

import hybrid_seg_train._torchvision  # noqa: F401  (must come before lightning)
from hybrid_seg_train.data.build import build_mixture
from hybrid_seg_train.data.mixture import StreamSampler
from hybrid_seg_train.module import HybridTraining
from hybrid_seg_train.recipe import Recipe
from hybrid_seg_train.run import CHECKPOINT, CURVE
from hybrid_seg_train.stages import record_stage

from lightning.pytorch import Callback, LightningModule, Trainer, seed_everything  # isort: skip
from lightning.pytorch.callbacks import ModelCheckpoint, TQDMProgressBar  # isort: skip
from lightning.pytorch.utilities.types import STEP_OUTPUT  # isort: skip


class CurveWriter(Callback):
    """Appends one JSON line per `every` iterations to <run>/curve.jsonl: iteration, learning rate, loss terms."""

    def __init__(self, path: Path, every: int) -> None:
        self.path, self.every = path, every

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: STEP_OUTPUT, batch: object, batch_idx: int
    ) -> None:
        """Write the line of the iteration that just ended."""
        if trainer.global_step % self.every or not trainer.is_global_zero:
            return
        terms = {k: round(float(v), 5) for k, v in trainer.callback_metrics.items() if k.startswith("loss/")}
        line = {"iteration": trainer.global_step, "lr": trainer.optimizers[0].param_groups[0]["lr"], **terms}
        with self.path.open("a") as file:
            file.write(json.dumps(line) + "\n")


def last_checkpoint(run: Path) -> Path | None:
    """The checkpoint a stopped training in `run` goes on from, or None."""
    checkpoint = run / CHECKPOINT
    return checkpoint if checkpoint.is_file() else None


def _one_thread(worker: int) -> None:
    # The cores belong to the network; a worker keeps pace on one thread.
    cv2.setNumThreads(1)


def train(
    recipe: Recipe,
    data: Path,
    run: Path,
    *,
    workers: int = 1,
    processes: int = 1,
    progress: bool = True,
    stop_after: int | None = None,
    log_every: int = 20,
) -> Path:
    """Train `recipe` in the folder `run`, going on from its last checkpoint where there is one.

    A kill loses at most `schedule.checkpoint_every` iterations. The recipe may be changed on resume, all but the
    network; the run's folder keeps which one was in force when.

    Args:
        recipe: what to train.
        data: the data root.
        run: folder for checkpoints and the curve; made if needed.
        workers: helpers of each process that prepare samples; 0 = none.
        processes: CPU processes that share every batch (Lightning's DDP). On a few busy cores, one process per core
            with one thread each is faster than one process with many threads.
        progress: show a progress bar.
        stop_after: end at this iteration, before the schedule does; the next call goes on from there.
        log_every: iterations between two points of the curve.

    Returns:
        Path of the last checkpoint.

    Raises:
        DataError: a data set is not as expected.
    """
    run.mkdir(parents=True, exist_ok=True)
    seed_everything(recipe.seed, verbose=False)
    part = recipe.schedule
    module = HybridTraining(recipe)
    checkpoint = last_checkpoint(run)
    done = int(torch.load(checkpoint, map_location="cpu", weights_only=True)["global_step"]) if checkpoint else 0
    saver = ModelCheckpoint(
        run,
        filename=Path(CHECKPOINT).stem,
        every_n_train_steps=part.checkpoint_every,
        save_top_k=1,
        enable_version_counter=False,
    )
    trainer = Trainer(
        default_root_dir=run,
        accelerator="cpu" if processes > 1 else "auto",
        devices=processes if processes > 1 else "auto",
        strategy="ddp" if processes > 1 else "auto",
        use_distributed_sampler=False,
        max_steps=part.iterations if stop_after is None else min(stop_after, part.iterations),
        max_epochs=-1,
        precision=part.precision,
        logger=False,
        callbacks=[
            saver,
            CurveWriter(run / CURVE, log_every),
            *([TQDMProgressBar(refresh_rate=10)] if progress else []),
        ],
        enable_progress_bar=progress,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )
    if trainer.is_global_zero:
        record_stage(run, done, recipe)
    loader = DataLoader(
        build_mixture(recipe, data, run / "scenes"),
        batch_size=part.batch // processes,
        sampler=StreamSampler(
            done * part.batch,
            part.iterations * part.batch,
            batch=part.batch,
            rank=trainer.global_rank,
            processes=processes,
        ),
        num_workers=workers,
        prefetch_factor=4 if workers else None,
        drop_last=True,
        worker_init_fn=_one_thread,
    )
    trainer.fit(module, loader, ckpt_path=checkpoint, weights_only=True)
    trainer.save_checkpoint(run / CHECKPOINT, weights_only=False)
    return run / CHECKPOINT
