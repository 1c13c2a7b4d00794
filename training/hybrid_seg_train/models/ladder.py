"""The project's real-time network: a pretrained backbone and a light ladder decoder (SwiftNet's idea)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from hybrid_seg_train.models.backbone import create_backbone, input_statistics
from hybrid_seg_train.models.closed_set import ClosedSetNetwork
from hybrid_seg_train.models.pooling import ConvBNReLU, PyramidPooling, SeparableConvBNReLU
from hybrid_seg_train.models.upgrade import OpenSetNetwork, upgrade

STRIDE = 4
"""The logits have 1/STRIDE of the input's height and width; half of that with a detail level."""


class DetailLevel(nn.Module):
    """One more step of the ladder, to stride 2: for poles, signs and far people, which stride 4 smears.

    This map has four times the pixels of the one before, so it gets few channels.
    """

    def __init__(self, features: int, lateral: int, width: int) -> None:
        super().__init__()
        self.reduce = ConvBNReLU(features, width)
        self.lateral = nn.Sequential(nn.Conv2d(lateral, width, 1, bias=False), nn.BatchNorm2d(width))
        self.blend = SeparableConvBNReLU(width, width)

    def forward(self, features: Tensor, detail: Tensor) -> Tensor:
        """float32[B, features, h, w] and float32[B, lateral, 2h, 2w] -> float32[B, width, 2h, 2w]."""
        up = functional.interpolate(self.reduce(features), scale_factor=2.0, mode="bilinear", align_corners=False)
        blended: Tensor = self.blend(up + self.lateral(detail))
        return blended


class LadderFeatures(nn.Module):
    """Backbone, pyramid pooling at stride 32, and one blend per stride up to 4.

    A blend upsamples bilinearly by the fixed factor 2 with half-pixel centres, which ONNX Runtime and TensorRT compute
    alike, adds the lateral 1x1 projection of the backbone's map and mixes with a 3x3 convolution, which is separable at
    the `separable` finest strides. With `detail` channels a `DetailLevel` follows.
    """

    def __init__(
        self,
        backbone: str = "efficientnet_lite0",
        *,
        width: int = 96,
        pretrained: bool = True,
        weights: Path | None = None,
        detail: int = 0,
        separable: int = 1,
    ) -> None:
        super().__init__()
        self.width = detail or width
        self.backbone = create_backbone(backbone, pretrained=pretrained, weights=weights, detail=detail > 0)
        *laterals, deepest = self.backbone.feature_info.channels()  # type: ignore[operator, union-attr]
        finest = laterals.pop(0) if detail else 0
        self.pyramid = PyramidPooling(deepest, width)
        self.laterals = nn.ModuleList(
            nn.Sequential(nn.Conv2d(channels, width, 1, bias=False), nn.BatchNorm2d(width)) for channels in laterals
        )
        # A full 3x3 at stride 4 alone would cost a third of the network's time, at stride 8 an eighth.
        self.blends = nn.ModuleList(
            SeparableConvBNReLU(width, width) if level < separable else ConvBNReLU(width, width, kernel=3)
            for level in range(len(laterals))
        )
        self.detail = DetailLevel(width, finest, detail) if detail else None

    def forward(self, image: Tensor) -> Tensor:
        """float32[B, 3, H, W], H and W multiples of 32 -> float32[B, self.width, H/s, W/s], s = 4 or 2."""
        *maps, deepest = self.backbone(image)
        finest = maps.pop(0) if self.detail is not None else None
        features: Tensor = self.pyramid(deepest)
        for level in reversed(range(len(maps))):
            features = functional.interpolate(features, scale_factor=2.0, mode="bilinear", align_corners=False)
            features = self.blends[level](features + self.laterals[level](maps[level]))
        return features if self.detail is None else self.detail(features, finest)


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
    detail: int = 0,
    separable: int = 1,
) -> ClosedSetNetwork:
    """The ladder network for `classes` known classes.

    Args:
        classes: K.
        backbone: see `backbone.create_backbone`.
        width: channels of the decoder.
        pretrained: see `backbone.create_backbone`.
        weights: see `backbone.create_backbone`.
        detail: channels of one more level at stride 2; 0: the logits are at stride 4.
        separable: how many of the levels at strides 4, 8 and 16 mix with separable convolutions, finest first.
    """
    features = LadderFeatures(
        backbone,
        width=width,
        pretrained=pretrained,
        weights=None if weights is None else Path(weights),
        detail=detail,
        separable=separable,
    )
    mean, std = input_statistics(backbone)
    return ClosedSetNetwork(
        LadderNetwork(features, features.width, classes),
        classes=classes,
        classifier="classifier",
        backbone="features.backbone",
        mean=mean,
        std=std,
    )


def ladder_network(classes: int, **options: Any) -> OpenSetNetwork:  # noqa: ANN401
    """The ladder network with its hybrid head; `options` as `closed_ladder`."""
    return upgrade(closed_ladder(classes, **options))


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
