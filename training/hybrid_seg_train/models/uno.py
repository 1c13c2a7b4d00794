"""The K+1-way variant of the same group, UNO: one further logit n for "negative" beside the K known classes.

Its output keeps the shape of the hybrid one: the posterior's channels are (LSE(s), n), whose softmax is exactly the
K+1-way softmax summed over the known classes and of the negative class:

    softmax([LSE(s), n])[1] = e^n / (sum_k e^{s_k} + e^n) = P(neg | x)

Cross-entropy splits the same way: CE_{K+1} = CE_K + CE2 on an inlier, CE2 on a negative. So the hybrid loss with
beta = 0 and a posterior weight on equal footing per pixel is the K+1-way cross-entropy.
"""

import torch
from torch import Tensor, nn


class NegativeLogit(nn.Conv2d):
    """n(q): 1x1 convolution to one logit that starts at zero everywhere."""

    def __init__(self, features: int) -> None:
        super().__init__(features, 1, 1)
        nn.init.zeros_(self.weight)
        nn.init.zeros_(self.bias)  # type: ignore[arg-type]


def uno_posterior(logits: Tensor, negative: Tensor) -> Tensor:
    """float[B, K, h, w] and n float[B, 1, h, w] -> (LSE(s), n) float[B, 2, h, w]."""
    return torch.cat([torch.logsumexp(logits, dim=1, keepdim=True), negative], dim=1)


def uno_score(logits: Tensor, posterior: Tensor) -> Tensor:
    """P(neg) - max_k P(k) of the K+1-way softmax, in [-1, 1]; higher = more anomalous (METHOD section 1).

    Only n is read from the posterior: LSE(s) is taken of the logits given here, so that the score is exact after both
    maps were upsampled.

    Args:
        logits: float[..., K, H, W].
        posterior: float[..., 2, H, W] of a UNO network.

    Returns:
        float[..., H, W].
    """
    negative = posterior.select(-3, 1)
    total = torch.logaddexp(torch.logsumexp(logits, dim=-3), negative)
    return (negative - total).exp() - (logits.amax(dim=-3) - total).exp()
