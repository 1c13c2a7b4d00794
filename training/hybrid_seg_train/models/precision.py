"""bf16 training on CPUs without the one operation that bf16 makes slower."""

import torch
from torch import Tensor, nn
from torch.nn import functional


class MixedDepthwiseConv2d(nn.Conv2d):
    """A depthwise convolution that leaves CPU autocast: computed in float32, returned in its input's type.

    The CPU backward pass of depthwise convolutions is three to five times slower in bf16 than in float32, which
    more than eats what bf16 gains elsewhere. Outside of autocast this is an ordinary Conv2d.
    """

    def forward(self, input: Tensor) -> Tensor:
        """float[B, C, H, W] -> the same type, as nn.Conv2d."""
        if not torch.is_autocast_enabled("cpu"):
            return super().forward(input)
        with torch.autocast("cpu", enabled=False):
            result = functional.conv2d(
                input.float(), self.weight.float(), self.bias, self.stride, self.padding, self.dilation, self.groups
            )
        return result.to(input.dtype)


def mix_depthwise_precision(network: nn.Module) -> None:
    """Turn every depthwise convolution of `network` into a MixedDepthwiseConv2d, in place, parameters untouched."""
    for module in network.modules():
        if type(module) is nn.Conv2d and 1 < module.groups == module.in_channels and module.padding_mode == "zeros":
            module.__class__ = MixedDepthwiseConv2d
