"""Anomaly scores of full-size logits (METHOD section 1); the PyTorch twin of hybrid_seg_ros.detector.reference."""

from typing import Literal

import torch
from torch import Tensor

from hybrid_seg_train.models import HeadKind, uno_score

Cue = Literal["msp", "max_logit", "entropy", "energy", "posterior", "hybrid", "uno", "mahalanobis"]
"""The bundle schema's scores; UNO's, which only networks with that head have; and the distance of logits, for which
the network has to be calibrated.
"""

CLOSED_SET_CUES: tuple[Cue, ...] = ("msp", "max_logit", "entropy", "energy")
"""Those that need no head."""


def anomaly_scores(logits: Tensor, posterior: Tensor | None, head: HeadKind = "hybrid") -> dict[Cue, Tensor]:
    """Every score that the network gives, higher = more anomalous.

    Args:
        logits: float32[K, H, W], closed-set logits, already upsampled.
        posterior: float32[2, H, W], dataset-posterior logits, already upsampled; channel 1 = outlier. None for a
            closed-set network.
        head: what the posterior comes from.

    Returns:
        Score name -> float32[H, W].
    """
    likelihood = torch.logsumexp(logits, dim=0)
    log_class = logits - likelihood
    scores: dict[Cue, Tensor] = {
        "msp": 1.0 - log_class.amax(dim=0).exp(),
        "max_logit": -logits.amax(dim=0),
        "entropy": -(log_class.exp() * log_class).sum(dim=0),
        "energy": -likelihood,
    }
    if posterior is None:
        return scores
    outlier = torch.log_softmax(posterior, dim=0)[1]
    scores |= {"posterior": outlier, "hybrid": outlier - likelihood}
    return {**scores, "uno": uno_score(logits, posterior)} if head == "uno" else scores
