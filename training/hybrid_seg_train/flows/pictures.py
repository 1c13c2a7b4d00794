"""Pictures of a flow's samples while it trains."""

import math
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

import hybrid_seg_train._torchvision  # noqa: F401  (must come before lightning)
from hybrid_seg_train.data.sources import ByteImage
from hybrid_seg_train.flows.denseflow import DenseFlow

from lightning.pytorch import Callback, LightningModule, Trainer  # isort: skip
from lightning.pytorch.utilities.types import STEP_OUTPUT  # isort: skip

_GAP = 2


def sample_grid(samples: Tensor) -> ByteImage:
    """float32[N, 3, h, w] in 0..255 -> one RGB picture uint8[H, W, 3] of near-square rows, white between."""
    tiles = samples.detach().cpu().round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
    count, height, width, _ = tiles.shape
    columns = math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    picture = np.full((rows * (height + _GAP) + _GAP, columns * (width + _GAP) + _GAP, 3), 255, np.uint8)
    for i, tile in enumerate(tiles):
        top, left = (_GAP + (i // columns) * (height + _GAP), _GAP + (i % columns) * (width + _GAP))
        picture[top : top + height, left : left + width] = tile
    return picture


class SamplePictures(Callback):
    """Draws samples of the same latents every `every` iterations: <folder>/<iteration>.png and the logger's images.

    Loggers whose experiment has `add_image`, as TensorBoard's, get the picture too.
    """

    def __init__(self, folder: Path, every: int, size: tuple[int, int], count: int = 16) -> None:
        self.folder, self.every, self.size, self.count = folder, every, size, count

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: STEP_OUTPUT, batch: object, batch_idx: int
    ) -> None:
        """Draw after the iterations whose turn it is."""
        flow = pl_module.flow
        if trainer.global_step % self.every or not trainer.is_global_zero or not isinstance(flow, DenseFlow):
            return
        generator = torch.Generator(pl_module.device).manual_seed(0)
        with torch.no_grad():
            picture = sample_grid(flow.sample(self.count, self.size, generator=generator))
        self.folder.mkdir(parents=True, exist_ok=True)
        if not cv2.imwrite(str(self.folder / f"{trainer.global_step:07d}.png"), picture[..., ::-1]):
            raise OSError(f"{self.folder}: the samples' picture could not be written; is there room on the disk?")
        for logger in trainer.loggers:
            add_image = getattr(getattr(logger, "experiment", None), "add_image", None)
            if add_image is not None:
                add_image("samples", picture, trainer.global_step, dataformats="HWC")
