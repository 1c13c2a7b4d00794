import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import mahalanobis as oracle

from hybrid_seg_ros.bundle import LogitStatistics
from hybrid_seg_train.calibration.statistics import logit_statistics, mahalanobis


def labelled(seed: int, count: int = 400, classes: int = 4) -> tuple[torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes - 1, count)  # the last class never occurs
    logits = rng.normal(size=(count, classes)) + 3 * np.eye(classes)[truth]
    return torch.from_numpy(logits.astype(np.float32)), torch.from_numpy(truth)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1000))
def test_statistics_are_mean_and_variance_of_right_pixels(seed: int) -> None:
    logits, classes = labelled(seed)
    found = logit_statistics(logits, classes, "generated")
    x, y = logits.numpy().astype(np.float64), classes.numpy()
    for known in range(4):
        rows = x[(y == known) & (x.argmax(axis=1) == known)]
        assert found.pixels[known] == len(rows)
        if len(rows):
            np.testing.assert_allclose(found.means[known], rows.mean(axis=0), atol=6e-5)
            np.testing.assert_allclose(found.variances[known], rows.var(axis=0), atol=6e-5)
        else:
            assert (set(found.means[known]), set(found.variances[known])) == ({0.0}, {1.0})


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1000))
def test_the_distance_is_scipys_to_the_nearest_class_that_was_seen(seed: int) -> None:
    statistics = logit_statistics(*labelled(seed), "generated")
    maps = torch.from_numpy(np.random.default_rng(seed).normal(scale=4, size=(4, 3, 5)).astype(np.float32))
    distance = mahalanobis(maps, statistics)
    assert distance.shape == (3, 5)
    for y, x in np.ndindex(3, 5):
        to_each = [
            oracle(maps[:, y, x].numpy(), statistics.means[c], np.diag(1 / np.array(statistics.variances[c]))) ** 2
            for c in range(3)
        ]
        assert float(distance[y, x]) == pytest.approx(min(to_each), rel=1e-4)


def test_constant_logits_and_single_pixels_do_not_divide_by_zero() -> None:
    logits = torch.tensor([[5.0, 0.0]] * 3 + [[0.0, 5.0]])
    found = logit_statistics(logits, torch.tensor([0, 0, 0, 1]), "generated")
    assert found.pixels == (3, 0)
    assert min(found.variances[0]) > 0
    assert float(mahalanobis(torch.tensor([[[5.0]], [[0.0]]]), found)) == 0.0


def test_refuses_statistics_that_do_not_fit() -> None:
    two = LogitStatistics(source="x", pixels=(0, 0), means=((0.0, 0.0),) * 2, variances=((1.0, 1.0),) * 2)
    with pytest.raises(ValueError, match="logits are of 3 classes, the statistics of 2"):
        mahalanobis(torch.zeros(3, 1, 1), two)
    with pytest.raises(ValueError, match="from x hold no class with pixels"):
        mahalanobis(torch.zeros(2, 1, 1), two)
