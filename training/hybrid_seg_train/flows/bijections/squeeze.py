"""Space to depth."""

from torch import Tensor
from torch.nn import functional

from hybrid_seg_train.flows.bijections.base import Bijection


class Squeeze(Bijection):
    """Every 2x2 patch of a channel becomes four channels; volume is kept, so the log-determinant is 0."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """float32[B, C, H, W] -> float32[B, 4C, H/2, W/2]."""
        return functional.pixel_unshuffle(x, 2), x.new_zeros(len(x))

    def inverse(self, z: Tensor) -> Tensor:
        """float32[B, 4C, H/2, W/2] -> float32[B, C, H, W]."""
        return functional.pixel_shuffle(z, 2)
