"""The flow's base density."""

import math

from torch import Tensor


def standard_normal_log_density(z: Tensor) -> Tensor:
    """The value of ln N(z; 0, 1) for each sample: any shape [B, ...] -> [B]."""
    return -0.5 * (z.square() + math.log(2.0 * math.pi)).flatten(1).sum(dim=1)
