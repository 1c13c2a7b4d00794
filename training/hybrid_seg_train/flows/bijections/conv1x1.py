"""Invertible 1x1 convolution (Kingma & Dhariwal, Glow, section 3.2)."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from hybrid_seg_train.flows.bijections.base import Bijection


class InvertibleConv1x1(Bijection):
    """A learned C x C mixing of channels, W = P L (U + diag(s)) (Glow, equation 10), a random rotation at the start.

    P and the signs of s stay as drawn; ln |s| is learned, so W can never become singular, its log-determinant is
    the sum of ln |s|, and its inverse is two triangular solves.
    """

    permutation: Tensor
    sign: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        rotation = nn.init.orthogonal_(torch.empty(channels, channels))
        permutation, lower, upper = torch.linalg.lu(rotation)
        diagonal = upper.diagonal()
        self.register_buffer("permutation", permutation)
        self.register_buffer("sign", diagonal.sign())
        self.log_diagonal = nn.Parameter(diagonal.abs().log())
        self.lower = nn.Parameter(lower.tril(-1))
        self.upper = nn.Parameter(upper.triu(1))

    def _factors(self) -> tuple[Tensor, Tensor]:
        lower = self.lower.tril(-1) + torch.eye(len(self.sign), device=self.sign.device)
        return lower, self.upper.triu(1) + torch.diag(self.sign * self.log_diagonal.exp())

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """float32[B, C, H, W] -> the same shape."""
        lower, upper = self._factors()
        weight = self.permutation @ lower @ upper
        log_det = self.log_diagonal.sum() * (x.shape[2] * x.shape[3])
        return functional.conv2d(x, weight[:, :, None, None]), log_det.expand(len(x))

    def inverse(self, z: Tensor) -> Tensor:
        """The same shape, un-mixed."""
        lower, upper = self._factors()
        inverse = torch.linalg.solve_triangular(lower, self.permutation.mT, upper=False, unitriangular=True)
        inverse = torch.linalg.solve_triangular(upper, inverse, upper=True)
        return functional.conv2d(z, inverse[:, :, None, None])
