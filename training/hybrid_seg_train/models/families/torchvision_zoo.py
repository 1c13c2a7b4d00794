"""torchvision's segmentation networks: FCN, DeepLabV3, LR-ASPP."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from hybrid_seg_train.models.closed_set import ClosedSetNetwork
from hybrid_seg_train.models.families.optional import require
from hybrid_seg_train.models.weights import load_weights, loading

_PREFIXES = ("deeplabv3_", "fcn_", "lraspp_")


class SingleMap(nn.Module):
    """FCN or DeepLabV3 without the last upsampling: logits at the classifier's stride, 8 or 16.

    Keeps torchvision's parameter names.
    """

    def __init__(self, backbone: nn.Module, classifier: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone
        self.classifier = classifier

    def forward(self, image: Tensor) -> Tensor:
        """float32[B, 3, H, W] -> float32[B, K, H/s, W/s]."""
        logits: Tensor = self.classifier(self.backbone(image)["out"])
        return logits


class LiteASPP(nn.Module):
    """LR-ASPP with one classifier where torchvision's has two.

    torchvision adds the logits of a 1x1 convolution on the low-level map and of one on the upsampled high-level map.
    Here both maps are stacked and classified at once, which is the same sum: those stacked maps are the features q.
    """

    def __init__(self, backbone: nn.Module, head: Any) -> None:  # noqa: ANN401
        super().__init__()
        low, high = _convolution(head.low_classifier), _convolution(head.high_classifier)
        self.backbone = backbone
        self.cbr: nn.Module = head.cbr
        self.scale: nn.Module = head.scale
        self.classifier = nn.Conv2d(low.in_channels + high.in_channels, low.out_channels, 1)
        if low.bias is None or high.bias is None or self.classifier.bias is None:
            raise ValueError("LR-ASPP: expected its two classifiers to have a bias")
        with torch.no_grad():
            self.classifier.weight.copy_(torch.cat([low.weight, high.weight], dim=1))
            self.classifier.bias.copy_(low.bias + high.bias)

    def forward(self, image: Tensor) -> Tensor:
        """float32[B, 3, H, W] -> float32[B, K, H/8, W/8]."""
        maps = self.backbone(image)
        low, high = maps["low"], maps["high"]
        context = self.cbr(high) * self.scale(high)
        context = functional.interpolate(context, size=low.shape[2:], mode="bilinear", align_corners=False)
        logits: Tensor = self.classifier(torch.cat([low, context], dim=1))
        return logits


def torchvision_network(
    classes: int, *, architecture: str, pretrained: bool = False, weights: Path | str | None = None
) -> ClosedSetNetwork:
    """A network of torchvision.models.segmentation, logits at stride 8, or 16 for DeepLabV3 on MobileNetV3.

    torchvision's last upsampling (bilinear, half-pixel centres) is left to whoever reads the logits: the detector does
    the same. LR-ASPP becomes a `LiteASPP`.

    Args:
        classes: K.
        architecture: deeplabv3_resnet50, deeplabv3_resnet101, deeplabv3_mobilenet_v3_large, fcn_resnet50,
            fcn_resnet101, lraspp_mobilenet_v3_large.
        pretrained: download the backbone's ImageNet weights.
        weights: local file with torchvision's weights of the whole network (auxiliary classifiers are left out; the
            classifier starts afresh where the file's has another number of classes), instead.

    Raises:
        ValueError: unknown architecture.
        ModuleNotFoundError: torchvision is not installed.
        WeightsError: the weights cannot be downloaded or do not fit.
    """
    zoo = require("torchvision.models.segmentation", "torchvision")
    known = [name for name in dir(zoo) if name.startswith(_PREFIXES)]
    if architecture not in known:
        raise ValueError(f"torchvision architecture {architecture!r} is unknown, expected one of {', '.join(known)}")
    source = "IMAGENET1K_V1" if pretrained and weights is None else None
    options: dict[str, Any] = {"num_classes": classes, "weights": None, "weights_backbone": source}
    with loading(f"torchvision's {architecture} backbone"):
        built: Any = getattr(zoo, architecture)(**options)
    lite = architecture.startswith("lraspp_")
    if weights is not None:
        classifier = "classifier" if lite else "classifier.4"
        load_weights(built, Path(weights), classifier=classifier, ignore=("aux_classifier.",))
    network = LiteASPP(built.backbone, built.classifier) if lite else SingleMap(built.backbone, built.classifier)
    return ClosedSetNetwork(network, classes=classes, backbone="backbone")


def _convolution(module: object) -> nn.Conv2d:
    if not isinstance(module, nn.Conv2d):
        raise TypeError(f"LR-ASPP: expected a convolution as classifier, found {type(module).__name__}")
    return module
