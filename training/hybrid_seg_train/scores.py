"""Anomaly scores of full-size logits (METHOD section 1); the PyTorch twin of hybrid_seg_ros.detector.reference."""

import torch
from torch import Tensor

from hybrid_seg_ros.bundle import ScoreKind


def anomaly_scores(logits: Tensor, posterior: Tensor) -> dict[ScoreKind, Tensor]:
    """Every score the bundle schema knows, higher = more anomalous.

    Args:
        logits: float32[K, H, W], closed-set logits, already upsampled.
        posterior: float32[2, H, W], dataset-posterior logits, already upsampled; channel 1 = outlier.

    Returns:
        Score name -> float32[H, W].
    """
    likelihood = torch.logsumexp(logits, dim=0)
    log_class = logits - likelihood
    outlier = torch.log_softmax(posterior, dim=0)[1]
    return {
        "msp": 1.0 - log_class.amax(dim=0).exp(),
        "max_logit": -logits.amax(dim=0),
        "entropy": -(log_class.exp() * log_class).sum(dim=0),
        "energy": -likelihood,
        "posterior": outlier,
        "hybrid": outlier - likelihood,
    }
