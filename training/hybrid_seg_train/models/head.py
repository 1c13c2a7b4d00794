"""The dataset-posterior head (METHOD section 1)."""

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
