"""Heads on the features that enter the closed-set classifier (METHOD section 1)."""

from torch import Tensor, nn


class PosteriorHead(nn.Sequential):
    """g(q): BatchNorm(momentum 0.01) -> ReLU -> 1x1 convolution to 2 logits; channel 1 = outlier."""

    def __init__(self, features: int) -> None:
        super().__init__(nn.BatchNorm2d(features, momentum=0.01), nn.ReLU(), nn.Conv2d(features, 2, 1))

    def forward(self, features: Tensor) -> Tensor:
        """float32[B, features, h, w], what enters the closed-set classifier -> float32[B, 2, h, w]."""
        norm, relu, classify = self
        posterior: Tensor = classify(relu(norm(features)))
        return posterior


class FeatureResidual(nn.Module):
    """q + r(q): what frozen mode lets the head change about the features, without touching the classifier's input.

    r is a bottleneck of a quarter of the features' width whose last layer starts at zero, so that the head starts on
    the features as they are.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        width = max(features // 4, 1)
        self.narrow = nn.Sequential(
            nn.Conv2d(features, width, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)
        )
        self.widen = nn.Conv2d(width, features, 1)
        nn.init.zeros_(self.widen.weight)
        nn.init.zeros_(self.widen.bias)  # type: ignore[arg-type]

    def forward(self, features: Tensor) -> Tensor:
        """float32[B, features, h, w] -> the same shape."""
        residual: Tensor = self.widen(self.narrow(features))
        return features + residual
