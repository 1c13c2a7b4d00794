"""Activation normalisation (Kingma & Dhariwal, Glow, section 3.1)."""

import torch
from torch import Tensor, nn

from hybrid_seg_train.flows.bijections.base import Bijection

_SMALLEST_STD = 1e-6


class ActNorm(Bijection):
    """z = x * exp(log_scale) + shift per channel; the identity until `prepare` has it look at data.

    After `prepare` the next forward pass sets scale and shift so that its output has zero mean and unit variance in
    every channel. That is asked for, not done silently on the first pass, so that all processes of a training can be
    made to look at the same data.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.log_scale = nn.Parameter(torch.zeros(channels, 1, 1))
        self.shift = nn.Parameter(torch.zeros(channels, 1, 1))
        self._pending = False

    def prepare(self) -> None:
        """Take scale and shift from the next input."""
        self._pending = True

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """float32[B, C, H, W] -> the same shape."""
        if self._pending:
            self._initialize(x)
        z = x * self.log_scale.exp() + self.shift
        return z, (self.log_scale.sum() * (x.shape[2] * x.shape[3])).expand(len(x))

    def inverse(self, z: Tensor) -> Tensor:
        """The same shape, un-normalised."""
        return (z - self.shift) * (-self.log_scale).exp()

    @torch.no_grad()
    def _initialize(self, x: Tensor) -> None:
        std, mean = torch.std_mean(x, dim=(0, 2, 3), keepdim=True, correction=0)
        self.log_scale.copy_(-std[0].clamp(min=_SMALLEST_STD).log())
        self.shift.copy_(-mean[0] * self.log_scale.exp())
        self._pending = False
