"""Cross-unit coupling (Grcić et al., DenseFlow, section 3.1): noise channels that depend on what came before."""

import torch
from torch import Tensor, nn

from hybrid_seg_train.flows.bijections.coupling import bounded_log_scale
from hybrid_seg_train.flows.gaussian import standard_normal_log_density


class CrossUnitCoupling(nn.Module):
    """Appends growth channels e = mean(h) + sigma(h) * noise, where h are the inputs of the block's earlier units.

    e is not a function of x alone: with q(e | x) its density, ln p(x) >= E_e [ln p(x, e) - ln q(e | x)], so the
    flow's bound subtracts the ln q that `forward` returns.
    """

    def __init__(self, earlier: int, growth: int) -> None:
        super().__init__()
        self.growth = growth
        last = nn.Conv2d(4 * earlier, 2 * growth, 1)
        self.network = nn.Sequential(nn.Conv2d(earlier, 4 * earlier, 3, padding=1), nn.ReLU(inplace=True), last)
        for parameter in last.parameters():
            nn.init.zeros_(parameter)

    def forward(
        self, x: Tensor, earlier: list[Tensor], appended: Tensor | None = None, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Append noise channels.

        Args:
            x: float32[B, C, H, W].
            earlier: inputs of the block's earlier units, each float32[B, *, H, W].
            appended: the channels to append, float32[B, growth, H, W]; drawn from q where None.
            generator: source of the noise.

        Returns:
            (float32[B, C + growth, H, W], the appended channels, ln q(appended | earlier) as float32[B]).
        """
        mean, raw = self.network(torch.cat(earlier, dim=1)).chunk(2, dim=1)
        log_scale = bounded_log_scale(raw)
        if appended is None:
            noise = torch.randn(mean.shape, generator=generator, device=x.device)
            appended = mean + log_scale.exp() * noise
        else:
            noise = (appended - mean) * (-log_scale).exp()
        log_q = standard_normal_log_density(noise) - log_scale.flatten(1).sum(dim=1)
        return torch.cat([x, appended], dim=1), appended, log_q

    def inverse(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """float32[B, C + growth, H, W] -> x and the appended channels."""
        return z[:, : -self.growth], z[:, -self.growth :]
