"""The network inside a coupling: a residual dense block between two 1x1 convolutions."""

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from hybrid_seg_train.flows.config import FlowConfig


class DenseLayer(nn.Module):
    """1x1 convolution, ReLU, 3x3 convolution, ReLU; its output is appended to its input."""

    def __init__(self, channels: int, growth: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(channels, channels, 1),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels, growth, 3, padding=1),
            nn.ReLU(inplace=True),
        )

    def forward(self, x: Tensor) -> Tensor:
        """float32[B, C, H, W] -> float32[B, C + growth, H, W]."""
        return torch.cat([x, self.layers(x)], dim=1)


class GatedConv1x1(nn.Module):
    """a + b * sigmoid(c) of three 1x1 convolutions."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(inputs, 3 * outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        """float32[B, inputs, H, W] -> float32[B, outputs, H, W]."""
        a, b, c = self.convolution(x).chunk(3, dim=1)
        gated: Tensor = a + b * torch.sigmoid(c)
        return gated


class CouplingNetwork(nn.Module):
    """Any channels in, any channels out, same size; zero at the start, so that a fresh coupling is the identity."""

    def __init__(self, inputs: int, outputs: int, config: FlowConfig) -> None:
        super().__init__()
        widths = [config.width + i * config.dense_growth for i in range(config.depth + 1)]
        self.enter = nn.Conv2d(inputs, config.width, 1)
        self.dense = nn.Sequential(
            *(DenseLayer(width, config.dense_growth) for width in widths[:-1]), GatedConv1x1(widths[-1], config.width)
        )
        self.leave = nn.Conv2d(config.width, outputs, 1)
        nn.init.zeros_(self.leave.weight)
        if self.leave.bias is not None:
            nn.init.zeros_(self.leave.bias)
        self.recompute = config.recompute

    def forward(self, x: Tensor) -> Tensor:
        """float32[B, inputs, H, W] -> float32[B, outputs, H, W]."""
        if self.recompute and torch.is_grad_enabled():
            recomputed: Tensor = checkpoint(self._network, x, use_reentrant=False, preserve_rng_state=False)
            return recomputed
        return self._network(x)

    def _network(self, x: Tensor) -> Tensor:
        x = self.enter(x)
        result: Tensor = self.leave(x + self.dense(x))
        return result
