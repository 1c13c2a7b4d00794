"""The flow's loss in joint training: bits/dim of inlier crops + 0.03 * JSD at pasted pixels (METHOD section 2)."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from hybrid_seg_train.flows.denseflow import DenseFlow


def jsd_to_uniform(logits: Tensor, mask: Tensor) -> Tensor:
    """Jensen-Shannon divergence between softmax(logits) and the uniform distribution, mean over masked pixels.

    Low where the network cannot tell what it sees: the flow learns to draw at the border of the inliers.

    Args:
        logits: float[B, K, H, W].
        mask: bool[B, H, W], true on pasted pixels.

    Returns:
        Scalar, nats, within [0, ln 2]; 0 (with a gradient of 0) where the mask is empty.
    """
    log_p = functional.log_softmax(logits.float(), dim=1)
    log_u = torch.full_like(log_p, -math.log(logits.shape[1]))
    log_mixture = torch.logaddexp(log_p, log_u) - math.log(2.0)
    divergence = 0.5 * (log_p.exp() * (log_p - log_mixture) + log_u.exp() * (log_u - log_mixture)).sum(dim=1)
    return (divergence * mask).sum() / mask.sum().clamp(min=1)


@dataclass(frozen=True)
class FlowBoundary:
    """Where the flow ends and the segmenter begins, so that each gets the gradients of its own losses only.

    The segmenter is run once, on `entrance`: the pasted images cut off from the flow. Its own losses then cannot reach
    the flow, and what the flow shall learn from is carried across by `carry`. A second forward pass, which would
    also update batch statistics twice, is not needed, and any module will do.

    Attributes:
        pasted: float32[B, 3, H, W], differentiable in the flow's parameters.
        entrance: the same values without the flow's graph, wanting a gradient.
    """

    pasted: Tensor
    entrance: Tensor

    @classmethod
    def at(cls, pasted: Tensor) -> "FlowBoundary":
        """A boundary at a batch of pasted images."""
        return cls(pasted, pasted.detach().requires_grad_())

    def carry(self, value: Tensor) -> Tensor:
        """A scalar equal to `value` that is a function of the flow's parameters only.

        Costs one backward pass from `value` to the entrance, without the parameters' gradients. The graph of `value`
        is kept for the segmenter's own backward pass.

        Args:
            value: a scalar computed from the segmenter's outputs for `entrance`.
        """
        (gradient,) = torch.autograd.grad(value, self.entrance, retain_graph=True)
        # Zero, but with the gradient of `value` with respect to the pasted images.
        tangent = ((self.pasted - self.pasted.detach()) * gradient).sum()
        return value.detach() + tangent


@dataclass(frozen=True, slots=True)
class FlowLoss:
    """The weighted sum and its unweighted terms; each a scalar tensor."""

    total: Tensor
    bits_per_dim: Tensor
    jsd: Tensor


def joint_flow_loss(
    flow: DenseFlow,
    saved_crops: Tensor,
    logits: Tensor,
    mask: Tensor,
    *,
    boundary: FlowBoundary,
    jsd_weight: float = 0.03,
    jsd_updates_segmenter: bool = True,
    generator: torch.Generator | None = None,
) -> FlowLoss:
    """METHOD's L_flow, to be added to the segmentation losses before one common backward pass.

    Args:
        flow: the flow that drew the samples.
        saved_crops: float32[N, 3, h, w] in 0..255, as `paste_samples` gives them; may be none.
        logits: float[B, K, H, W] of the network for `boundary.entrance`.
        mask: bool[B, H, W], true on pasted pixels.
        boundary: between the flow and the network.
        jsd_weight: weight of the JSD.
        jsd_updates_segmenter: whether the JSD's gradient also goes into the segmenter's parameters.
        generator: source of the bound's noise.

    Returns:
        The loss; where no sample was pasted it is zero.
    """
    if not len(saved_crops):
        nothing = (logits.sum() * 0.0).float()
        return FlowLoss(nothing, nothing.detach(), nothing.detach())
    bits = flow.bits_per_dim(saved_crops, generator=generator).mean()
    jsd = jsd_to_uniform(logits, mask)
    total = bits + jsd_weight * boundary.carry(jsd)
    if jsd_updates_segmenter:
        # The entrance is a leaf, so this part ends there: the flow does not get the JSD twice.
        total = total + jsd_weight * (jsd - jsd.detach())
    return FlowLoss(total, bits.detach(), jsd.detach())
