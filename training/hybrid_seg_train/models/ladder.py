"""The project's real-time network: a pretrained backbone and a light ladder decoder (SwiftNet's idea)."""

from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional

from hybrid_seg_train.models.backbone import create_backbone
from hybrid_seg_train.models.head import PosteriorHead
from hybrid_seg_train.models.pooling import ConvBNReLU, PyramidPooling, SeparableConvBNReLU

STRIDE = 4
"""Both outputs have 1/STRIDE of the input's height and width."""


class HybridOutput(NamedTuple):
    """What the network returns, both at stride 4 and without any post-processing.

    Attributes:
        logits: float32[B, K, H/4, W/4], closed-set logits s.
        posterior: float32[B, 2, H/4, W/4], dataset-posterior logits g; channel 1 = outlier.
    """

    logits: Tensor
    posterior: Tensor


class LadderFeatures(nn.Module):
    """Backbone, pyramid pooling at stride 32, and one blend per stride up to 4.

    A blend upsamples bilinearly by the fixed factor 2 with half-pixel centres, which ONNX Runtime and TensorRT compute
    alike, adds the lateral 1x1 projection of the backbone's map and mixes with a 3x3 convolution (separable at stride
    4).
    """

    def __init__(self, backbone: str = "efficientnet_lite0", *, width: int = 96, pretrained: bool = True) -> None:
        super().__init__()
        self.width = width
        self.backbone = create_backbone(backbone, pretrained=pretrained)
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


class HybridNetwork(nn.Module):
    """Features, the closed-set classifier on them, and the posterior head on the same features.

    The head only reads: removing it leaves the closed-set logits unchanged bit for bit.
    """

    def __init__(self, features: nn.Module, width: int, classes: int) -> None:
        super().__init__()
        self.features = features
        self.classifier = nn.Conv2d(width, classes, 1)
        self.posterior = PosteriorHead(width)

    def forward(self, image: Tensor) -> HybridOutput:
        """float32[B, 3, H, W], normalised, H and W multiples of 32 -> HybridOutput at stride 4."""
        features = self.features(image)
        return HybridOutput(self.classifier(features), self.posterior(features))


def ladder_network(
    classes: int, *, backbone: str = "efficientnet_lite0", width: int = 96, pretrained: bool = True
) -> HybridNetwork:
    """The ladder network with its hybrid head, for `classes` known classes."""
    return HybridNetwork(LadderFeatures(backbone, width=width, pretrained=pretrained), width, classes)
