"""The parts of a recipe that say what is fitted, and how."""

from typing import Any, Literal

from pydantic import Field

from hybrid_seg_train.recipe.part import Part

Mode = Literal["closed_set", "hybrid"]
"""Which of the two trainings of a segmentation network."""


class NetworkPart(Part):
    """The closed-set network and what makes it open-set; see `models.closed_set_network` and `models.upgrade`."""

    family: str = Field(default="ladder", description="ladder, smp, torchvision, huggingface or custom")
    backbone: str = Field(default="efficientnet_lite0", description="ladder only")
    width: int = Field(default=96, ge=8, description="ladder only: channels of the decoder")
    detail: int = Field(
        default=0, ge=0, description="ladder only: channels of one more level at stride 2, for thin things; 0: none"
    )
    separable: int = Field(
        default=1, ge=1, le=3, description="ladder only: how many of its levels, finest first, are separable"
    )
    pretrained: bool = Field(default=True, description="ladder only: start from ImageNet weights")
    options: dict[str, Any] = Field(default_factory=dict, description="the other families' own arguments")
    head: Literal["hybrid", "uno"] = Field(default="hybrid", description="dataset posterior, or the K+1-way logit")
    frozen: bool = Field(default=False, description="leave the closed-set network untouched")


class LossPart(Part):
    """Weights and forms; see `losses.hybrid_loss`."""

    beta: float = Field(default=0.03, ge=0, description="weight of the outlier likelihood")
    posterior_weight: float | None = Field(default=None, ge=0, description="10 beta if None")
    energy: Literal["plain", "relu", "squared_hinge"] = Field(
        default="relu", description="its form: unbounded as published, or bounded at zero"
    )
    void_as_inlier: bool = Field(
        default=False, description="count void as inlier of the posterior, as published; else leave it out"
    )
    class_weights: tuple[float, ...] | None = Field(
        default=None, description="of the known classes' cross-entropy; all 1 if none"
    )
    stride: Literal[1, 2, 4] = Field(default=2, description="the loss is taken at every stride-th pixel")


class SchedulePart(Part):
    """Adam with linear warm-up, then cosine decay or none."""

    iterations: int = Field(ge=1, description="optimiser steps")
    batch: int = Field(default=8, ge=1, description="samples a step, over all processes")
    optimizer: Literal["adamw", "adam"] = Field(default="adamw", description="with decoupled weight decay or without")
    eps: float = Field(default=1e-8, gt=0, description="of the optimiser")
    lr: float = Field(default=4e-4, gt=0, description="highest learning rate")
    decay: Literal["cosine", "constant"] = Field(default="cosine", description="after the warm-up")
    lr_end: float = Field(default=0.0, ge=0, description="what the cosine ends at")
    backbone_lr_factor: float = Field(default=0.25, gt=0, description="the pretrained part's rate, relative")
    head_lr_factor: float = Field(
        default=1.0, gt=0, description="the open-set head's rate, relative: high where it is new and the rest is not"
    )
    weight_decay: float = Field(default=1e-4, ge=0, description="of the optimiser")
    warmup: int = Field(default=100, ge=0, description="iterations of linear warm-up")
    checkpoint_every: int = Field(default=100, ge=1, description="iterations that a kill may cost")
    validate_every: int = Field(default=0, ge=0, description="iterations between measurements of mIoU; 0: none")
    precision: Literal["32-true", "bf16-mixed"] = Field(default="bf16-mixed", description="Lightning's name of it")


class FlowPart(Part):
    """Pre-training of the normalising flow; see `flows.train`."""

    model: str = Field(default="small", description="tiny, small or denseflow_25_6")
    iterations: int = Field(ge=1, description="optimiser steps")
    batch: int = Field(default=16, ge=1, description="crops a step")
    crop: int = Field(default=64, ge=8, multiple_of=8, description="side of the crops, px")
    lr: float = Field(default=1e-3, gt=0, description="Adamax's rate")
    checkpoint_every: int = Field(default=100, ge=1, description="iterations that a kill may cost")
    picture_every: int = Field(default=200, ge=1, description="iterations between pictures of samples")
