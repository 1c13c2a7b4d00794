"""Affine coupling (Dinh et al., Real NVP) with METHOD's bounded scale."""

import torch
from torch import Tensor

from hybrid_seg_train.flows.bijections.base import Bijection
from hybrid_seg_train.flows.config import FlowConfig
from hybrid_seg_train.flows.coupling_network import CouplingNetwork


def bounded_log_scale(raw: Tensor) -> Tensor:
    """2 tanh(raw / 2): the identity near 0, within (-2, 2) everywhere, so that no step can blow its input up."""
    return 2.0 * torch.tanh(raw / 2.0)


class AffineCoupling(Bijection):
    """The second half of the channels is scaled and shifted by a network of the first half, which stays as it is."""

    def __init__(self, channels: int, config: FlowConfig) -> None:
        super().__init__()
        changed = channels // 2
        self.split = (channels - changed, changed)
        self.network = CouplingNetwork(channels - changed, 2 * changed, config)

    def _scale_and_shift(self, kept: Tensor) -> tuple[Tensor, Tensor]:
        raw, shift = self.network(kept).chunk(2, dim=1)
        return bounded_log_scale(raw), shift

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """float32[B, C, H, W] -> the same shape."""
        kept, changed = x.split(self.split, dim=1)
        log_scale, shift = self._scale_and_shift(kept)
        return torch.cat([kept, changed * log_scale.exp() + shift], dim=1), log_scale.flatten(1).sum(dim=1)

    def inverse(self, z: Tensor) -> Tensor:
        """The same shape."""
        kept, changed = z.split(self.split, dim=1)
        log_scale, shift = self._scale_and_shift(kept)
        return torch.cat([kept, (changed - shift) * (-log_scale).exp()], dim=1)
