"""The hybrid loss (METHOD section 2): closed-set CE, outlier likelihood, dataset posterior."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from hybrid_seg_train.data.labels import OUTLIER, VOID

OutlierEnergy = Literal["plain", "relu", "squared_hinge"]


@dataclass(frozen=True, slots=True)
class LossTerms:
    """The three unweighted terms and their weighted sum; each a scalar tensor."""

    total: Tensor
    inlier: Tensor
    outlier: Tensor
    posterior: Tensor


def set_log_probabilities(logits: Tensor, coarse: Sequence[Sequence[int]]) -> Tensor:
    """Log-probabilities of the K fine classes and, behind them, of every coarse class as the union of fine ones.

    Args:
        logits: float32[B, K, H, W].
        coarse: for each coarse class the ids of its fine classes.

    Returns:
        float32[B, K + len(coarse), H, W].
    """
    fine = functional.log_softmax(logits, dim=1)
    unions = [torch.logsumexp(fine[:, list(members)], dim=1, keepdim=True) for members in coarse]
    return torch.cat([fine, *unions], dim=1)


def inlier_loss(
    logits: Tensor, labels: Tensor, coarse: Sequence[Sequence[int]] = (), class_weights: Sequence[float] | None = None
) -> Tensor:
    """Weighted mean over labelled inlier pixels of -ln P(label | x).

    For a coarse label that is -ln of the sum of its fine classes' probabilities.

    Args:
        logits: float32[B, K, H, W].
        labels: int64[B, H, W]: fine ids 0..K-1, coarse class c as K + c, OUTLIER, VOID.
        coarse: for each coarse class the ids of its fine classes.
        class_weights: weight of each fine class's pixels; 1 for all when None. Coarse pixels weigh 1.

    Returns:
        Scalar; 0 (with a gradient of 0) where no pixel is labelled.
    """
    classes = logits.shape[1]
    known = labels < classes + len(coarse)
    has_coarse = (known & (labels >= classes)).flatten(1).any(dim=1)
    weights = torch.ones(classes + len(coarse), dtype=logits.dtype, device=logits.device)
    if class_weights is not None:
        weights[:classes] = weights.new_tensor(class_weights)
    total = logits.sum() * 0.0
    for chosen, sets in ((~has_coarse, ()), (has_coarse, coarse)):
        if bool(chosen.any()):
            target = torch.where(known[chosen], labels[chosen], VOID)
            log_probability = set_log_probabilities(logits[chosen], sets)
            weight = weights[: classes + len(sets)]
            total = total + functional.nll_loss(log_probability, target, weight, ignore_index=VOID, reduction="sum")
    mass = weights[torch.where(known, labels, 0)][known].sum()
    return total / mass.clamp(min=torch.finfo(mass.dtype).tiny)


def outlier_loss(logits: Tensor, labels: Tensor, energy: OutlierEnergy = "relu") -> Tensor:
    """Mean over negative pixels of LSE(s): pushes the data likelihood down where the data is not.

    "plain" is the published form, which is unbounded below; "relu" and "squared_hinge" stop pushing at LSE = 0.

    Args:
        logits: float32[B, K, H, W].
        labels: int64[B, H, W]; only OUTLIER pixels count.
        energy: the form of the term.

    Returns:
        Scalar; 0 where no pixel is negative.
    """
    negative = labels == OUTLIER
    likelihood = torch.logsumexp(logits, dim=1)
    if energy == "relu":
        likelihood = functional.relu(likelihood)
    elif energy == "squared_hinge":
        likelihood = functional.relu(likelihood).square()
    return (likelihood * negative).sum() / negative.sum().clamp(min=1)


def posterior_loss(posterior: Tensor, labels: Tensor, *, void_as_inlier: bool = False) -> Tensor:
    """Mean over pixels of CE2(g, o) with o = 1 on negatives.

    Args:
        posterior: float32[B, 2, H, W].
        labels: int64[B, H, W].
        void_as_inlier: count void pixels as o = 0, as the authors' code does; otherwise leave them out.

    Returns:
        Scalar.
    """
    target = (labels == OUTLIER).long()
    if not void_as_inlier:
        target = torch.where(labels == VOID, VOID, target)
    counted = (target != VOID).sum().clamp(min=1)
    return functional.cross_entropy(posterior, target, ignore_index=VOID, reduction="sum") / counted


def hybrid_loss(
    logits: Tensor,
    posterior: Tensor,
    labels: Tensor,
    *,
    coarse: Sequence[Sequence[int]] = (),
    beta: float = 0.03,
    posterior_weight: float | None = None,
    energy: OutlierEnergy = "relu",
    void_as_inlier: bool = False,
    class_weights: Sequence[float] | None = None,
) -> LossTerms:
    """The whole loss: inlier + beta * outlier + 10 beta * posterior.

    Args:
        logits: float32[B, K, H, W] at the labels' size.
        posterior: float32[B, 2, H, W].
        labels: int64[B, H, W]: fine ids, K + coarse ids, OUTLIER, VOID.
        coarse: for each coarse class the ids of its fine classes.
        beta: weight of the outlier term.
        posterior_weight: weight of the posterior term; 10 * beta when None, as published.
        energy: form of the outlier term.
        void_as_inlier: see `posterior_loss`.
        class_weights: see `inlier_loss`; none as published.
    """
    inlier = inlier_loss(logits, labels, coarse, class_weights)
    outlier = outlier_loss(logits, labels, energy)
    dataset = posterior_loss(posterior, labels, void_as_inlier=void_as_inlier)
    weight = 10.0 * beta if posterior_weight is None else posterior_weight
    return LossTerms(inlier + beta * outlier + weight * dataset, inlier, outlier, dataset)
