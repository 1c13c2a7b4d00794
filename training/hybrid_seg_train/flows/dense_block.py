"""One block of a DenseFlow: units at one resolution, joined by cross-unit couplings."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from hybrid_seg_train.flows.bijections import ActNorm, AffineCoupling, Chain, CrossUnitCoupling, InvertibleConv1x1
from hybrid_seg_train.flows.config import FlowConfig


def flow_step(channels: int, config: FlowConfig) -> list[ActNorm | InvertibleConv1x1 | AffineCoupling]:
    """ActNorm -> invertible 1x1 convolution -> affine coupling."""
    return [ActNorm(channels), InvertibleConv1x1(channels), AffineCoupling(channels, config)]


class BlockOutput(NamedTuple):
    """What a block makes of its input.

    Attributes:
        z: float32[B, outputs, H, W].
        log_det: ln |det| of the map (x, appended) -> z, float32[B].
        appended: the noise channels between its units, each float32[B, growth, H, W].
        log_noise: ln q(appended | x), float32[B].
    """

    z: Tensor
    log_det: Tensor
    appended: list[Tensor]
    log_noise: Tensor


class InvertibleDenseBlock(nn.Module):
    """Units of flow steps; between two units `growth` noise channels are appended."""

    def __init__(self, channels: int, units: int, steps: int, config: FlowConfig) -> None:
        super().__init__()
        widths = [channels + i * config.growth for i in range(units)]
        self.outputs = widths[-1]
        self.units = nn.ModuleList(
            Chain(bijection for _ in range(steps) for bijection in flow_step(width, config)) for width in widths
        )
        # Unit i is preceded by noise that depends on the inputs of units 0 .. i - 1, before their own noise: the
        # block's input, then the outputs of the units before them.
        inputs = [channels, *widths[: units - 2]]
        self.couplings = nn.ModuleList(CrossUnitCoupling(sum(inputs[: i + 1]), config.growth) for i in range(units - 1))

    def forward(
        self, x: Tensor, appended: Sequence[Tensor] | None = None, generator: torch.Generator | None = None
    ) -> BlockOutput:
        """Encode float32[B, channels, H, W]; the noise channels are drawn where `appended` does not give them."""
        earlier: list[Tensor] = []
        used: list[Tensor] = []
        log_det, log_noise = x.new_zeros(len(x)), x.new_zeros(len(x))
        for i, unit in enumerate(self.units):
            before = x
            if i:
                given = None if appended is None else appended[i - 1]
                x, noise, log_q = self.couplings[i - 1](x, earlier, given, generator)
                used.append(noise)
                log_noise = log_noise + log_q
            earlier.append(before)
            x, unit_log_det = unit(x)
            log_det = log_det + unit_log_det
        return BlockOutput(x, log_det, used, log_noise)

    def inverse(self, z: Tensor) -> tuple[Tensor, list[Tensor]]:
        """float32[B, outputs, H, W] -> x and the noise channels between the units."""
        appended: list[Tensor] = []
        for i in reversed(range(len(self.units))):
            unit = self.units[i]
            assert isinstance(unit, Chain)  # noqa: S101  (for the type checker)
            z = unit.inverse(z)
            if i:
                coupling = self.couplings[i - 1]
                assert isinstance(coupling, CrossUnitCoupling)  # noqa: S101
                z, noise = coupling.inverse(z)
                appended.insert(0, noise)
        return z, appended
