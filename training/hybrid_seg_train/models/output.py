"""What an open-set network returns."""

from typing import NamedTuple

from torch import Tensor


class HybridOutput(NamedTuple):
    """What the network returns, without any post-processing, at 1/s of the input's height and width.

    Attributes:
        logits: float32[B, K, H/s, W/s], closed-set logits.
        posterior: float32[B, 2, H/s, W/s], dataset-posterior logits g; channel 1 = outlier.
    """

    logits: Tensor
    posterior: Tensor
