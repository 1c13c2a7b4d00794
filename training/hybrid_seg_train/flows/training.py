"""Pre-training of a flow as a LightningModule."""

from dataclasses import asdict

import numpy as np
import torch
from torch import Tensor

import hybrid_seg_train._torchvision  # noqa: F401  (must come before lightning)
from hybrid_seg_train.flows.config import FlowConfig
from hybrid_seg_train.flows.denseflow import DenseFlow

from lightning.pytorch import LightningModule  # isort: skip


class FlowTraining(LightningModule):
    """Maximum likelihood of crops with Adamax; METHOD: 1e-3 on 64x64 crops of traffic scenes.

    The noise of iteration i is a function of (seed, i, process), so a resumed training goes on along the same curve.
    """

    def __init__(self, config: FlowConfig, lr: float = 1e-3, seed: int = 0) -> None:
        super().__init__()
        self.lr, self.seed = lr, seed
        self.save_hyperparameters({"config": asdict(config), "lr": lr, "seed": seed})
        self.flow = DenseFlow(config)

    def forward(self, crops: Tensor) -> Tensor:
        """uint8[B, 3, h, w] -> bits/dim float32[B], with this iteration's noise."""
        state = np.random.SeedSequence((self.seed, self.global_step, self.global_rank)).generate_state(1)
        generator = torch.Generator(crops.device).manual_seed(int(state[0]))
        return self.flow.bits_per_dim(crops, generator=generator)

    def training_step(self, batch: Tensor, index: int) -> Tensor:
        """One iteration on uint8[B, 3, h, w]."""
        bits: Tensor = self(batch).mean()
        self.log("loss/bits_per_dim", bits.detach(), prog_bar=True)
        return bits

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Adamax at a constant rate."""
        return torch.optim.Adamax(self.parameters(), lr=self.lr)
