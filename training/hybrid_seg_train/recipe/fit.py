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
    pretrained: bool = Field(default=True, description="ladder only: start from ImageNet weights")
    options: dict[str, Any] = Field(default_factory=dict, description="the other families' own arguments")
    head: Literal["hybrid", "uno"] = "hybrid"
    frozen: bool = Field(default=False, description="leave the closed-set network untouched")


class LossPart(Part):
    """Weights and forms; see `losses.hybrid_loss`."""

    beta: float = Field(default=0.03, ge=0)
    posterior_weight: float | None = Field(default=None, ge=0, description="10 beta if None")
    energy: Literal["plain", "relu", "squared_hinge"] = "relu"
    void_as_inlier: bool = False
    class_weights: tuple[float, ...] | None = None
    stride: Literal[1, 2, 4] = Field(default=2, description="the loss is taken at every stride-th pixel")


class SchedulePart(Part):
    """Adam with linear warm-up, then cosine decay or none."""

    iterations: int = Field(ge=1)
    batch: int = Field(default=8, ge=1)
    optimizer: Literal["adamw", "adam"] = "adamw"
    eps: float = Field(default=1e-8, gt=0)
    lr: float = Field(default=4e-4, gt=0)
    decay: Literal["cosine", "constant"] = "cosine"
    lr_end: float = Field(default=0.0, ge=0, description="what the cosine ends at")
    backbone_lr_factor: float = Field(default=0.25, gt=0)
    weight_decay: float = Field(default=1e-4, ge=0)
    warmup: int = Field(default=100, ge=0)
    checkpoint_every: int = Field(default=100, ge=1)
    validate_every: int = Field(default=0, ge=0, description="iterations between measurements of mIoU; 0: none")
    precision: Literal["32-true", "bf16-mixed"] = "bf16-mixed"


class FlowPart(Part):
    """Pre-training of the normalising flow; see `flows.train`."""

    model: str = Field(default="small", description="small or 25-6")
    iterations: int = Field(ge=1)
    batch: int = Field(default=16, ge=1)
    crop: int = Field(default=64, ge=8, multiple_of=8, description="side of the crops, px")
    lr: float = Field(default=1e-3, gt=0)
    checkpoint_every: int = Field(default=100, ge=1)
    picture_every: int = Field(default=200, ge=1)
