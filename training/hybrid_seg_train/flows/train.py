"""Pre-train or go on pre-training a flow."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch.utils.data import DataLoader

import hybrid_seg_train._torchvision  # noqa: F401  (must come before lightning)
from hybrid_seg_train.data.mixture import StreamSampler
from hybrid_seg_train.data.sources import ByteImage, DataError
from hybrid_seg_train.flows.config import FlowConfig
from hybrid_seg_train.flows.crops import RandomCrops
from hybrid_seg_train.flows.pictures import SamplePictures
from hybrid_seg_train.flows.training import FlowTraining
from hybrid_seg_train.run import CHECKPOINT, CURVE
from hybrid_seg_train.train import CurveWriter, last_checkpoint

from lightning.pytorch import Trainer, seed_everything  # isort: skip
from lightning.pytorch.callbacks import ModelCheckpoint, TQDMProgressBar  # isort: skip
from lightning.pytorch.loggers import Logger  # isort: skip

SAMPLES = "samples"
# Crops that ActNorm is initialised from: enough pixels for its means, few enough for a large flow on the CPU.
_SHOWN = 32


def train_flow(
    config: FlowConfig,
    images: Sequence[ByteImage],
    run: Path,
    *,
    iterations: int,
    batch: int = 16,
    crop: tuple[int, int] = (64, 64),
    lr: float = 1e-3,
    seed: int = 0,
    checkpoint_every: int = 500,
    sample_every: int = 500,
    log_every: int = 20,
    stop_after: int | None = None,
    workers: int = 0,
    logger: Logger | None = None,
    progress: bool = True,
) -> Path:
    """Pre-train a flow in the folder `run`, going on from its last checkpoint where there is one.

    The folder gets last.ckpt, curve.jsonl (bits/dim) and samples/<iteration>.png. A kill loses at most
    `checkpoint_every` iterations. Devices are Lightning's choice: all GPUs there are, or one CPU process.

    Args:
        config: sizes of the flow.
        images: inlier images, uint8[H, W, 3] BGR each.
        run: folder of this training; made if needed.
        iterations: how many in all.
        batch: crops an iteration, over all processes.
        crop: (height, width) of a crop, px.
        lr: Adamax's learning rate.
        seed: of weights, crops and noise.
        checkpoint_every: iterations between two checkpoints.
        sample_every: iterations between two pictures of samples.
        log_every: iterations between two points of the curve.
        stop_after: end at this iteration, before `iterations`; the next call goes on from there.
        workers: helpers of each process that prepare crops; 0 = none.
        logger: gets curve and pictures too, such as Lightning's TensorBoardLogger.
        progress: show a progress bar.

    Returns:
        Path of the last checkpoint; `load_flow` reads it.

    Raises:
        DataError: no images, or one that is smaller than a crop.
        ValueError: a crop size that the flow cannot take.
    """
    if not len(images):
        raise DataError("no images to train a flow on")
    run.mkdir(parents=True, exist_ok=True)
    seed_everything(seed, verbose=False)
    module = FlowTraining(config, lr, seed)
    crops = RandomCrops(images, crop, seed)
    checkpoint = last_checkpoint(run)
    done = 0
    if checkpoint is None:
        # Every process looks at the same crops, the first of the stream.
        first = torch.stack([crops[i] for i in range(min(batch, _SHOWN))])
        module.flow.initialize(first, generator=torch.Generator().manual_seed(seed))
    else:
        done = int(torch.load(checkpoint, map_location="cpu", weights_only=True)["global_step"])
    trainer = Trainer(
        default_root_dir=run,
        use_distributed_sampler=False,
        max_steps=iterations if stop_after is None else min(stop_after, iterations),
        max_epochs=-1,
        logger=logger if logger is not None else False,
        log_every_n_steps=log_every,
        callbacks=[
            ModelCheckpoint(
                run,
                filename=Path(CHECKPOINT).stem,
                every_n_train_steps=checkpoint_every,
                save_top_k=1,
                enable_version_counter=False,
            ),
            CurveWriter(run / CURVE, log_every),
            SamplePictures(run / SAMPLES, sample_every, crop),
            *([TQDMProgressBar(refresh_rate=10)] if progress else []),
        ],
        enable_progress_bar=progress,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )
    loader = DataLoader(
        crops,
        batch_size=batch // trainer.world_size,
        sampler=StreamSampler(
            done * batch, iterations * batch, batch=batch, rank=trainer.global_rank, processes=trainer.world_size
        ),
        num_workers=workers,
        drop_last=True,
    )
    trainer.fit(module, loader, ckpt_path=checkpoint, weights_only=True)
    trainer.save_checkpoint(run / CHECKPOINT, weights_only=False)
    return run / CHECKPOINT
