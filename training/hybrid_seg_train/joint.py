"""The hybrid training with a normalising flow that draws negatives and trains along (METHOD section 2)."""

from typing import cast

import numpy as np
import torch
from torch import Tensor
from torch.optim import Adamax, Optimizer
from torch.optim.lr_scheduler import LRScheduler

import hybrid_seg_train._torchvision  # noqa: F401  (must come before lightning)
from hybrid_seg_train.data.labels import OUTLIER
from hybrid_seg_train.flows.denseflow import DenseFlow
from hybrid_seg_train.flows.joint import FlowBoundary, FlowLoss, joint_flow_loss
from hybrid_seg_train.flows.paste import Pasted, draw_patch_size, draw_places, paste_samples
from hybrid_seg_train.losses import LossTerms
from hybrid_seg_train.models import OpenSetNetwork
from hybrid_seg_train.module import HybridTraining, TrainingBatch
from hybrid_seg_train.recipe import Recipe
from hybrid_seg_train.recipe.data import FlowNegativesPart

from lightning.pytorch.core.optimizer import LightningOptimizer  # isort: skip


class JointTraining(HybridTraining):
    """Samples of the flow go into the images that ask for one; the flow learns from the crops they replace and from
    how far the segmenter is from undecided on them.

    Both learn in one backward pass, with optimisers of their own: the segmentation losses never reach the flow.
    """

    def __init__(
        self,
        recipe: Recipe,
        network: OpenSetNetwork,
        coarse: tuple[tuple[int, ...], ...],
        flow: DenseFlow,
        part: FlowNegativesPart,
    ) -> None:
        super().__init__(recipe, network, coarse)
        self.automatic_optimization = False
        self.flow, self.part = flow, part

    def losses(self, batch: TrainingBatch) -> tuple[LossTerms, FlowLoss]:
        """The segmenter's loss of a batch with samples pasted, and the flow's; each has its own part's gradients."""
        images, labels, from_flow = batch
        rng, noise = self._randomness()
        pasted = self._paste(images, from_flow, rng, noise)
        labels = torch.where(pasted.mask, OUTLIER, labels)
        boundary = FlowBoundary.at(pasted.images)
        output = self.network(boundary.entrance.contiguous(memory_format=torch.channels_last))
        terms = self.loss(output, labels)
        logits, _ = self.at_labels(output.logits, labels)
        with torch.autocast(images.device.type, enabled=False):
            flow = joint_flow_loss(
                self.flow,
                pasted.saved_crops,
                logits,
                self.counted(pasted.mask),
                boundary=boundary,
                jsd_weight=self.part.jsd_weight,
                jsd_updates_segmenter=self.part.update_segmenter,
                generator=noise,
            )
        return terms, flow

    def training_step(self, batch: TrainingBatch, index: int) -> None:
        """One iteration of both."""
        segmenter, adamax = cast(list[LightningOptimizer], self.optimizers())
        segmenter.zero_grad()
        adamax.zero_grad()
        terms, flow = self.losses(batch)
        self.manual_backward(terms.total + flow.total)
        segmenter.step()
        if bool(batch[2].any()):
            # Past Lightning's wrapper, which would count a second step of the same iteration.
            adamax.optimizer.step()
            self.log("flow/bits_per_dim", flow.bits_per_dim)
            self.log("flow/jsd", flow.jsd)
        schedule = self.lr_schedulers()
        if isinstance(schedule, LRScheduler):
            schedule.step()
        self.log_terms(terms)

    def configure_optimizers(self) -> tuple[list[Optimizer], list[LRScheduler]]:
        """The recipe's optimiser for the segmenter, Adamax at a constant rate for the flow."""
        segmenter, schedule = self.optimizer_and_schedule()
        return [segmenter, Adamax(self.flow.parameters(), lr=self.part.lr)], [schedule]

    def _randomness(self) -> tuple[np.random.Generator, torch.Generator]:
        """Functions of (seed, iteration, process) alone, so that a resumed training goes on along the same curve."""
        state = np.random.SeedSequence((self.recipe.seed, self.global_step, self.global_rank))
        noise = torch.Generator(self.device).manual_seed(int(state.generate_state(1)[0]))
        return np.random.default_rng(state), noise

    def _paste(self, images: Tensor, from_flow: Tensor, rng: np.random.Generator, noise: torch.Generator) -> Pasted:
        """One sample in every image that asks for one, all of one size, each at a place of its own."""
        limits = (images.shape[2], images.shape[3])
        size = draw_patch_size(rng, limits, range(self.part.sizes[0], self.part.sizes[1] + 1, 8))
        wanted = from_flow.tolist()
        free = iter(draw_places(rng, sum(wanted), size, limits))
        places = [next(free) if asks else None for asks in wanted]
        info = self.network.info
        if not any(wanted):
            nothing = images.new_zeros(0, 3, *size)
            return paste_samples(images, nothing, places, mean=info.mean, std=info.std)
        with torch.autocast(images.device.type, enabled=False):
            samples = self.flow.sample(sum(wanted), size, generator=noise)
        return paste_samples(images, samples, places, mean=info.mean, std=info.std)
