"""The closed-set and the hybrid training as LightningModules."""

import torch
from torch import Tensor
from torch.nn import functional
from torch.optim.lr_scheduler import LambdaLR

import hybrid_seg_train._torchvision  # noqa: F401  (must come before lightning)
from hybrid_seg_train.losses import LossTerms, hybrid_loss, inlier_loss
from hybrid_seg_train.models import ClosedSetNetwork, HybridOutput, OpenSetNetwork
from hybrid_seg_train.models.precision import mix_depthwise_precision
from hybrid_seg_train.optim import optimizer_and_schedule
from hybrid_seg_train.recipe import Recipe
from hybrid_seg_train.recipe.fit import Mode
from hybrid_seg_train.resample import at_every

from lightning.pytorch import LightningModule  # isort: skip
from lightning.pytorch.utilities.types import OptimizerLRScheduler  # isort: skip

TrainingBatch = tuple[Tensor, Tensor, Tensor]
"""Images float32[B, 3, H, W], labels int64[B, H, W], and bool[B]: whether an image's negative is to be the flow's."""


class SegmentationTraining(LightningModule):
    """One network and its optimiser; what is optimised is the subclass's."""

    mode: Mode
    network: ClosedSetNetwork | OpenSetNetwork

    def __init__(
        self, recipe: Recipe, network: ClosedSetNetwork | OpenSetNetwork, coarse: tuple[tuple[int, ...], ...]
    ) -> None:
        """Train `network` by `recipe`; label K + i of its samples stands for the union of classes `coarse[i]`."""
        super().__init__()
        self.recipe, self.coarse = recipe, coarse
        self.save_hyperparameters(
            {"mode": self.mode, "recipe": recipe.model_dump(mode="json"), "coarse": [list(row) for row in coarse]}
        )
        self.network = network
        if recipe.schedule.precision == "bf16-mixed":
            mix_depthwise_precision(self.network)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def at_labels(self, maps: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Maps float[B, C, h, w] and labels int64[B, H, W], both at every `loss.stride`-th pixel, maps in float32.

        Which of the pixels changes from iteration to iteration, so that each of them counts in its turn.
        """
        step, size = self.recipe.loss.stride, (labels.shape[1], labels.shape[2])
        if step == 1:
            return functional.interpolate(maps.float(), size=size, mode="bilinear", align_corners=False), labels
        with torch.autocast(maps.device.type, enabled=False):
            return at_every(maps.float(), size, step, self.phase()), self.counted(labels)

    def counted(self, pixels: Tensor) -> Tensor:
        """[B, H, W] -> those of its pixels that count in this iteration."""
        step, (row, column) = self.recipe.loss.stride, self.phase()
        return pixels[:, row::step, column::step]

    def phase(self) -> tuple[int, int]:
        """Row and column of the first pixel that counts in this iteration."""
        step = self.recipe.loss.stride
        return self.global_step % step, self.global_step // step % step

    def optimizer_and_schedule(self) -> tuple[torch.optim.Optimizer, LambdaLR]:
        """The recipe's, for all that is trained: the pretrained part, the open-set head, and the rest."""
        backbone, head = self.network.backbone_parameters(), []
        if isinstance(self.network, OpenSetNetwork):
            head = [*self.network.joint.head.parameters(), *self.network.joint.residual.parameters()]
        apart = {id(parameter) for parameter in (*backbone, *head)}
        others = [p for p in self.network.parameters() if p.requires_grad and id(p) not in apart]
        return optimizer_and_schedule(backbone, others, self.recipe.schedule, head)

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """The recipe's optimiser on all that may be trained; the schedule steps once an iteration."""
        optimizer, schedule = self.optimizer_and_schedule()
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


class ClosedSetTraining(SegmentationTraining):
    """Cross-entropy of the known classes alone; negative pixels count as void."""

    mode = "closed_set"
    network: ClosedSetNetwork

    def training_step(self, batch: TrainingBatch, index: int) -> Tensor:
        """One iteration."""
        logits, labels = self.at_labels(self.network(batch[0].contiguous(memory_format=torch.channels_last)), batch[1])
        loss = inlier_loss(logits, labels, self.coarse, self.recipe.loss.class_weights)
        self.log("loss/total", loss.detach(), prog_bar=True)
        return loss


class HybridTraining(SegmentationTraining):
    """The hybrid loss (METHOD section 2)."""

    mode = "hybrid"
    network: OpenSetNetwork

    def loss(self, output: HybridOutput, labels: Tensor) -> LossTerms:
        """The recipe's loss of the outputs for labels int64[B, H, W]."""
        part = self.recipe.loss
        logits, sparse = self.at_labels(output.logits, labels)
        posterior, _ = self.at_labels(output.posterior, labels)
        return hybrid_loss(
            logits,
            posterior,
            sparse,
            coarse=self.coarse,
            beta=part.beta,
            posterior_weight=part.posterior_weight,
            energy=part.energy,
            void_as_inlier=part.void_as_inlier,
            class_weights=part.class_weights,
        )

    def training_step(self, batch: TrainingBatch, index: int) -> Tensor | None:
        """One iteration."""
        terms = self.loss(self.network(batch[0].contiguous(memory_format=torch.channels_last)), batch[1])
        self.log_terms(terms)
        return terms.total

    def log_terms(self, terms: LossTerms) -> None:
        """The terms of an iteration to the curve, the logger and the progress bar."""
        for name in ("total", "inlier", "outlier", "posterior"):
            self.log(f"loss/{name}", getattr(terms, name).detach(), prog_bar=name == "total")
