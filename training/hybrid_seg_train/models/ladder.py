"""The project's real-time network: a pretrained backbone and a light ladder decoder (SwiftNet's idea)."""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor, nn
from torch.nn import functional

from hybrid_seg_train.models.backbone import create_backbone, input_statistics
from hybrid_seg_train.models.closed_set import ClosedSetNetwork
from hybrid_seg_train.models.pooling import ConvBNReLU, PyramidPooling, SeparableConvBNReLU
from hybrid_seg_train.models.upgrade import OpenSetNetwork, upgrade

STRIDE = 4
"""The logits have 1/STRIDE of the input's height and width."""


class LadderFeatures(nn.Module):
    """Backbone, pyramid pooling at stride 32, and one blend per stride up to 4.

    A blend upsamples bilinearly by the fixed factor 2 with half-pixel centres, which ONNX Runtime and TensorRT compute
    alike, adds the lateral 1x1 projection of the backbone's map and mixes with a 3x3 convolution (separable at stride
    4).
    """

    def __init__(
        self,
        backbone: str = "efficientnet_lite0",
        *,
        width: int = 96,
        pretrained: bool = True,
        weights: Path | None = None,
    ) -> None:
        super().__init__()
        self.width = width
        self.backbone = create_backbone(backbone, pretrained=pretrained, weights=weights)
        *laterals, deepest = self.backbone.feature_info.channels()  # type: ignore[operator, union-attr]
        self.pyramid = PyramidPooling(deepest, width)
        self.laterals = nn.ModuleList(
            nn.Sequential(nn.Conv2d(channels, width, 1, bias=False), nn.BatchNorm2d(width)) for channels in laterals
        )
        # A full 3x3 at stride 4 alone would cost a third of the network's time.
        self.blends = nn.ModuleList(
            SeparableConvBNReLU(width, width) if level == 0 else ConvBNReLU(width, width, kernel=3)
            for level in range(len(laterals))
        )

    def forward(self, image: Tensor) -> Tensor:
        """float32[B, 3, H, W], H and W multiples of 32 -> float32[B, width, H/4, W/4]."""
        *maps, deepest = self.backbone(image)
        features: Tensor = self.pyramid(deepest)
        for level in reversed(range(len(maps))):
            features = functional.interpolate(features, scale_factor=2.0, mode="bilinear", align_corners=False)
            features = self.blends[level](features + self.laterals[level](maps[level]))
        return features


class LadderNetwork(nn.Module):
    """Features and the closed-set classifier on them."""

    def __init__(self, features: nn.Module, width: int, classes: int) -> None:
        super().__init__()
        self.features = features
        self.classifier = nn.Conv2d(width, classes, 1)

    def forward(self, image: Tensor) -> Tensor:
        """float32[B, 3, H, W], normalised, H and W multiples of 32 -> logits float32[B, K, H/4, W/4]."""
        logits: Tensor = self.classifier(self.features(image))
        return logits


def closed_ladder(
    classes: int,
    *,
    backbone: str = "efficientnet_lite0",
    width: int = 96,
    pretrained: bool = True,
    weights: Path | str | None = None,
) -> ClosedSetNetwork:
    """The ladder network for `classes` known classes; see `backbone.create_backbone` for the other arguments."""
    features = LadderFeatures(
        backbone, width=width, pretrained=pretrained, weights=None if weights is None else Path(weights)
    )
    mean, std = input_statistics(backbone)
    return ClosedSetNetwork(
        LadderNetwork(features, width, classes),
        classes=classes,
        classifier="classifier",
        backbone="features.backbone",
        mean=mean,
        std=std,
    )


def ladder_network(
    classes: int, *, backbone: str = "efficientnet_lite0", width: int = 96, pretrained: bool = True
) -> OpenSetNetwork:
    """The ladder network with its hybrid head, for `classes` known classes."""
    return upgrade(closed_ladder(classes, backbone=backbone, width=width, pretrained=pretrained))


def rename_ladder_weights(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights of a ladder network under today's names.

    Up to version 0.1 the network held `features`, `classifier` and `posterior` itself; now the closed-set network
    keeps its own names and the head sits at its classifier.

    Args:
        weights: of a network or of a whole training (whose names begin with "network."), of either layout.

    Returns:
        The same tensors in the same order; weights of today's layout, or of another network, as they are.
    """
    prefix = next((p for p in ("", "network.") if f"{p}posterior.0.weight" in weights), None)
    if prefix is None:
        return dict(weights)
    moves = {"features.": "features.", "classifier.": "classifier.classifier.", "posterior.": "classifier.head."}
    renamed = {}
    for name, tensor in weights.items():
        old = next((part for part in moves if name.startswith(prefix + part)), None)
        new = f"{prefix}network.{moves[old]}{name[len(prefix) + len(old) :]}" if old else name
        renamed[new] = tensor
    return renamed
