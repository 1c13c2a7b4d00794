"""Invertible 1x1 convolution (Kingma & Dhariwal, Glow, section 3.2)."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from hybrid_seg_train.flows.bijections.base import Bijection

# Directions with less of the largest variance than this are not amplified further: float32 could not undo it.
_SMALLEST_VARIANCE = 1e-5


class InvertibleConv1x1(Bijection):
    """A learned C x C mixing of channels, W = P L (U + diag(s)) (Glow, equation 10), a random rotation at the start.

    P and the signs of s stay as drawn; ln |s| is learned, so W can never become singular, its log-determinant is
    the sum of ln |s|, and its inverse is two triangular solves. After `prepare` the next forward pass puts the
    whitening of its input before the rotation, so that its output has unit covariance.
    """

    permutation: Tensor
    sign: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("permutation", torch.empty(channels, channels))
        self.register_buffer("sign", torch.empty(channels))
        self.log_diagonal = nn.Parameter(torch.empty(channels))
        self.lower = nn.Parameter(torch.empty(channels, channels))
        self.upper = nn.Parameter(torch.empty(channels, channels))
        self._set(nn.init.orthogonal_(torch.empty(channels, channels)))
        self._pending = False

    def prepare(self) -> None:
        """Take the whitening from the next input."""
        self._pending = True

    @torch.no_grad()
    def _set(self, weight: Tensor) -> None:
        permutation, lower, upper = torch.linalg.lu(weight)
        diagonal = upper.diagonal()
        self.permutation.copy_(permutation)
        self.sign.copy_(diagonal.sign())
        self.log_diagonal.copy_(diagonal.abs().log())
        self.lower.copy_(lower.tril(-1))
        self.upper.copy_(upper.triu(1))

    @torch.no_grad()
    def _whiten(self, x: Tensor) -> None:
        vectors = x.transpose(0, 1).flatten(1)
        covariance = torch.cov(vectors)
        channels, count = vectors.shape
        # From few vectors some directions seem to have no variance and would be blown up: trust the covariance
        # in so far as there are more vectors than channels, else the mean variance.
        doubt = min(1.0, (channels / count) ** 2)
        isotropic = covariance.diagonal().mean() * torch.eye(channels, device=x.device)
        variances, directions = torch.linalg.eigh(torch.lerp(covariance, isotropic, doubt))
        variances = variances.clamp(min=_SMALLEST_VARIANCE * float(variances[-1]))
        lower, upper = self._factors()
        self._set(self.permutation @ lower @ upper @ (directions * variances.rsqrt()) @ directions.mT)
        self._pending = False

    def _factors(self) -> tuple[Tensor, Tensor]:
        lower = self.lower.tril(-1) + torch.eye(len(self.sign), device=self.sign.device)
        return lower, self.upper.triu(1) + torch.diag(self.sign * self.log_diagonal.exp())

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """float32[B, C, H, W] -> the same shape."""
        if self._pending:
            self._whiten(x)
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
