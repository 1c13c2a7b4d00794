"""Optimiser and learning-rate schedule of a recipe."""

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

from hybrid_seg_train.recipe.fit import SchedulePart


def learning_rate_factor(iteration: int, *, iterations: int, warmup: int, end: float = 0.0) -> float:
    """Linear warm-up to 1, then half a cosine to `end` at `iterations`.

    Args:
        iteration: iterations done.
        iterations: length of the schedule.
        warmup: iterations of the warm-up.
        end: what the cosine ends at, as a share of the full rate; 1 = constant.
    """
    if iteration < warmup:
        return (iteration + 1) / (warmup + 1)
    progress = min((iteration - warmup) / max(iterations - warmup, 1), 1.0)
    return end + (1.0 - end) * 0.5 * (1.0 + math.cos(math.pi * progress))


def optimizer_and_schedule(
    backbone: Iterable[nn.Parameter],
    others: Iterable[nn.Parameter],
    part: SchedulePart,
    head: Iterable[nn.Parameter] = (),
) -> tuple[torch.optim.Optimizer, LambdaLR]:
    """Adam or AdamW with rates of their own for backbone and head; the schedule steps once an iteration.

    Args:
        backbone: the pretrained part's parameters; their rate is `backbone_lr_factor` of the others'.
        others: everything else that is trained.
        part: the recipe's schedule.
        head: the open-set head's; their rate is `head_lr_factor` of the others'.
    """
    groups: list[dict[str, Any]] = [
        {"params": list(others), "lr": part.lr},
        {"params": list(backbone), "lr": part.lr * part.backbone_lr_factor},
        {"params": list(head), "lr": part.lr * part.head_lr_factor},
    ]
    kind = torch.optim.AdamW if part.optimizer == "adamw" else torch.optim.Adam
    optimizer = kind([g for g in groups if g["params"]], eps=part.eps, weight_decay=part.weight_decay)
    end = 1.0 if part.decay == "constant" else part.lr_end / part.lr

    def factor(iteration: int) -> float:
        return learning_rate_factor(iteration, iterations=part.iterations, warmup=part.warmup, end=end)

    return optimizer, LambdaLR(optimizer, factor)
