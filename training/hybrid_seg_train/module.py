"""The hybrid training as a LightningModule."""

import math

import torch
from torch import Tensor
from torch.nn import functional

import hybrid_seg_train._torchvision  # noqa: F401  (must come before lightning)
from hybrid_seg_train.data.labels import CAMVID11, IDD_LITE_AS_CAMVID11
from hybrid_seg_train.losses import LossTerms, hybrid_loss
from hybrid_seg_train.models import STRIDE, HybridOutput, OpenSetNetwork, ladder_network
from hybrid_seg_train.models.precision import mix_depthwise_precision
from hybrid_seg_train.recipe import Recipe

from lightning.pytorch import LightningModule  # isort: skip
from lightning.pytorch.utilities.types import OptimizerLRScheduler  # isort: skip


def learning_rate_factor(iteration: int, *, iterations: int, warmup: int) -> float:
    """Linear warm-up to 1, then half a cosine to 0 at `iterations`."""
    if iteration < warmup:
        return (iteration + 1) / (warmup + 1)
    progress = (iteration - warmup) / max(iterations - warmup, 1)
    return 0.5 * (1.0 + math.cos(math.pi * min(progress, 1.0)))


class HybridTraining(LightningModule):
    """One network, the hybrid loss, AdamW; joint training: the network is open-set from its first step."""

    def __init__(self, recipe: Recipe) -> None:
        super().__init__()
        self.recipe = recipe
        self.save_hyperparameters({"recipe": recipe.model_dump(mode="json")})
        self.network: OpenSetNetwork = ladder_network(
            len(CAMVID11),
            backbone=recipe.network.backbone,
            width=recipe.network.width,
            pretrained=recipe.network.pretrained,
        )
        if recipe.schedule.precision == "bf16-mixed":
            mix_depthwise_precision(self.network)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, image: Tensor) -> HybridOutput:
        """float32[B, 3, H, W] -> HybridOutput at stride 4."""
        output: HybridOutput = self.network(image.contiguous(memory_format=torch.channels_last))
        return output

    def loss(self, output: HybridOutput, labels: Tensor) -> LossTerms:
        """The recipe's loss at every `loss.stride`-th pixel of labels int64[B, H, W]."""
        part = self.recipe.loss
        logits, posterior = (
            functional.interpolate(x.float(), scale_factor=STRIDE / part.stride, mode="bilinear", align_corners=False)
            for x in output
        )
        return hybrid_loss(
            logits,
            posterior,
            labels[:, :: part.stride, :: part.stride],
            coarse=IDD_LITE_AS_CAMVID11,
            beta=part.beta,
            posterior_weight=part.posterior_weight,
            energy=part.energy,
            void_as_inlier=part.void_as_inlier,
            class_weights=part.class_weights,
        )

    def training_step(self, batch: tuple[Tensor, Tensor], index: int) -> Tensor:
        """One iteration on (float32[B, 3, H, W], int64[B, H, W])."""
        terms = self.loss(self(batch[0]), batch[1])
        for name in ("total", "inlier", "outlier", "posterior"):
            self.log(f"loss/{name}", getattr(terms, name).detach(), prog_bar=name == "total")
        return terms.total

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """AdamW with a smaller rate for the backbone; the schedule steps once an iteration."""
        part = self.recipe.schedule
        backbone = self.network.backbone_parameters()
        members = {id(p) for p in backbone}
        others = [p for p in self.network.parameters() if p.requires_grad and id(p) not in members]
        groups = [{"params": others, "lr": part.lr}, {"params": backbone, "lr": part.lr * part.backbone_lr_factor}]
        optimizer = torch.optim.AdamW(groups, weight_decay=part.weight_decay)
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda i: learning_rate_factor(i, iterations=part.iterations, warmup=part.warmup)
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}
