"""Where a class's logits lie: the Mahalanobis term, a candidate score for evaluation (METHOD section 4).

Lee et al., "A Simple Unified Framework for Detecting Out-of-Distribution Samples", NeurIPS 2018, eq. 2, with one
diagonal covariance a class instead of a shared full one, and logits for features. The node does not compute it.
"""

import torch
from torch import Tensor

from hybrid_seg_ros.bundle import LogitStatistics

_LEAST_VARIANCE = 1e-4


def logit_statistics(logits: Tensor, classes: Tensor, source: str) -> LogitStatistics:
    """Mean and variance of the logits of every class, over the pixels whose predicted class is the true one.

    Args:
        logits: float32[N, K].
        classes: int64[N], the true classes.
        source: the labelled set they come from.

    Returns:
        Rounded figures, ready for a manifest; classes with fewer than two such pixels count as without any.
    """
    count = logits.shape[1]
    right = logits.argmax(dim=1) == classes
    pixels, means, variances = [], [], []
    for known in range(count):
        rows = logits[right & (classes == known)].double()
        if len(rows) < 2:
            pixels.append(0)
            means.append((0.0,) * count)
            variances.append((1.0,) * count)
            continue
        variance, mean = torch.var_mean(rows, dim=0, correction=0)
        pixels.append(len(rows))
        means.append(tuple(round(value, 4) for value in mean.tolist()))
        variances.append(tuple(round(max(value, _LEAST_VARIANCE), 4) for value in variance.tolist()))
    return LogitStatistics(source=source, pixels=tuple(pixels), means=tuple(means), variances=tuple(variances))


def mahalanobis(logits: Tensor, statistics: LogitStatistics) -> Tensor:
    """Squared diagonal Mahalanobis distance to the nearest class; higher = more anomalous.

    min over c of sum_k (s_k - mean_ck)^2 / variance_ck. The nearest class, not the predicted one: a pixel between two
    known classes is near both, whichever wins. Classes without pixels are left out.

    Args:
        logits: float32[K, H, W], already upsampled.
        statistics: of the same K classes.

    Returns:
        float32[H, W].

    Raises:
        ValueError: statistics of another number of classes, or of none.
    """
    if len(logits) != len(statistics.pixels):
        raise ValueError(f"logits are of {len(logits)} classes, the statistics of {len(statistics.pixels)}")
    distances: Tensor | None = None
    for pixels, mean, variance in zip(statistics.pixels, statistics.means, statistics.variances, strict=True):
        if pixels:
            offset = logits - logits.new_tensor(mean)[:, None, None]
            distance = (offset.square() / logits.new_tensor(variance)[:, None, None]).sum(dim=0)
            distances = distance if distances is None else torch.minimum(distances, distance)
    if distances is None:
        raise ValueError(f"the statistics from {statistics.source} hold no class with pixels")
    return distances
