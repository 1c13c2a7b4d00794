"""Pre-train or go on pre-training a flow."""

from collections.abc import Sequence
from pathlib import Path

import torch

import hybrid_seg_train._torchvision  # noqa: F401  (must come before lightning)
from hybrid_seg_train.data.sources import ByteImage, DataError
from hybrid_seg_train.fit import Effort, fit, last_checkpoint
from hybrid_seg_train.flows.config import FlowConfig
from hybrid_seg_train.flows.crops import RandomCrops
from hybrid_seg_train.flows.pictures import SamplePictures
from hybrid_seg_train.flows.training import FlowTraining
from hybrid_seg_train.layout import SAMPLES

from lightning.pytorch import seed_everything  # isort: skip

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
    effort: Effort | None = None,
) -> Path:
    """Pre-train a flow in the folder `run`, going on from its last checkpoint where there is one.

    The folder gets what `fit` writes, bits/dim in curve and TensorBoard, and samples/<iteration>.png.

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
        effort: on what it runs; one process when None.

    Returns:
        Path of the last checkpoint; `load_flow` reads it.

    Raises:
        DataError: no images, or one that is smaller than a crop.
        ValueError: a crop size that the flow cannot take.
    """
    if not len(images):
        raise DataError("no images to train a flow on")
    seed_everything(seed, verbose=False)
    module = FlowTraining(config, lr, seed)
    crops = RandomCrops(images, crop, seed)
    if last_checkpoint(run) is None:
        # Every process looks at the same crops, the first of the stream.
        first = torch.stack([crops[i] for i in range(min(batch, _SHOWN))])
        module.flow.initialize(first, generator=torch.Generator().manual_seed(seed))
    return fit(
        module,
        crops,
        run,
        iterations=iterations,
        batch=batch,
        checkpoint_every=checkpoint_every,
        effort=effort if effort is not None else Effort(workers=0),
        callbacks=[SamplePictures(run / SAMPLES, sample_every, crop)],
    )
