import math

import pytest
import torch

from hybrid_seg_train.data.labels import CAMVID11, IDD_LITE_AS_CAMVID11, OUTLIER, VOID
from hybrid_seg_train.losses import hybrid_loss, inlier_loss, outlier_loss, posterior_loss

K = 4
COARSE = ((0,), (1, 3))


def maps(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Logits, posterior logits and labels with every kind of label in both images."""
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(2, K, 3, 5, generator=generator, dtype=torch.float64) * 2
    posterior = torch.randn(2, 2, 3, 5, generator=generator, dtype=torch.float64)
    labels = torch.tensor([0, 1, 2, 3, K, K + 1, OUTLIER, VOID, OUTLIER, 3, 2, 1, 0, VOID, OUTLIER])
    return logits, posterior, torch.stack([labels, labels.flip(0)]).reshape(2, 3, 5)


def test_every_term_is_its_plain_formula() -> None:
    logits, posterior, labels = maps()
    weights = (1.0, 0.5, 2.0, 3.0)
    inlier, mass, outlier, dataset = [], [], [], []
    for b, y, x in torch.cartesian_prod(*(torch.arange(n) for n in labels.shape)).tolist():
        label, s, g = int(labels[b, y, x]), logits[b, :, y, x].tolist(), posterior[b, :, y, x].tolist()
        total = sum(math.exp(v) for v in s)
        allowed = (label,) if label < K else COARSE[label - K] if label < K + len(COARSE) else ()
        if allowed:
            mass.append(weights[label] if label < K else 1.0)
            inlier.append(-math.log(sum(math.exp(s[k]) for k in allowed) / total))
        if label == OUTLIER:
            outlier.append(max(math.log(total), 0.0))
        if label != VOID:
            dataset.append(-math.log(math.exp(g[int(label == OUTLIER)]) / (math.exp(g[0]) + math.exp(g[1]))))
    means = [sum(values) / len(values) for values in (inlier, outlier, dataset)]
    weighted = sum(m * v for m, v in zip(mass, inlier, strict=True)) / sum(mass)
    found = inlier_loss(logits, labels, COARSE, weights)
    assert float(found) == pytest.approx(weighted)
    terms = hybrid_loss(logits, posterior, labels, coarse=COARSE, beta=0.03)
    assert [float(t) for t in (terms.inlier, terms.outlier, terms.posterior)] == pytest.approx(means)
    assert float(terms.total) == pytest.approx(means[0] + 0.03 * means[1] + 0.3 * means[2])


@pytest.mark.parametrize("energy", ["plain", "relu", "squared_hinge"])
@pytest.mark.parametrize("void_as_inlier", [False, True])
def test_gradients_equal_finite_differences(energy: str, void_as_inlier: bool) -> None:
    logits, posterior, labels = maps(1)

    def total(s: torch.Tensor, g: torch.Tensor) -> torch.Tensor:
        return hybrid_loss(s, g, labels, coarse=COARSE, energy=energy, void_as_inlier=void_as_inlier).total

    assert torch.autograd.gradcheck(total, (logits.requires_grad_(), posterior.requires_grad_()))


def test_outlier_energies_differ_only_below_zero_or_in_power() -> None:
    labels = torch.full((1, 1, 2), OUTLIER)
    low, high = torch.full((1, K, 1, 2), -5.0), torch.full((1, K, 1, 2), 1.0)
    lse = 1.0 + math.log(K)
    assert float(outlier_loss(low, labels, "plain")) == pytest.approx(-5.0 + math.log(K))
    assert float(outlier_loss(low, labels, "relu")) == float(outlier_loss(low, labels, "squared_hinge")) == 0.0
    assert float(outlier_loss(high, labels, "relu")) == pytest.approx(lse)
    assert float(outlier_loss(high, labels, "squared_hinge")) == pytest.approx(lse**2)


def test_void_counts_as_inlier_of_the_posterior_only_when_asked() -> None:
    posterior = torch.tensor([[[[3.0, 0.0]], [[0.0, 0.0]]]])
    labels = torch.tensor([[[VOID, 0]]])
    assert float(posterior_loss(posterior, labels)) == pytest.approx(math.log(2))
    certain = math.log(1 + math.exp(-3.0))
    assert float(posterior_loss(posterior, labels, void_as_inlier=True)) == pytest.approx((certain + math.log(2)) / 2)


def test_nothing_labelled_gives_zero_loss_and_zero_gradient() -> None:
    logits = torch.randn(1, K, 2, 2, requires_grad=True)
    labels = torch.full((1, 2, 2), VOID)
    loss = inlier_loss(logits, labels, COARSE) + outlier_loss(logits, labels)
    loss.backward()
    assert loss.item() == 0.0
    assert logits.grad is not None
    assert not logits.grad.any()


def test_a_coarse_label_does_not_care_which_of_its_classes_wins() -> None:
    labels = torch.full((1, 1, 1), K + 1)
    first, second = torch.zeros(2, 1, K, 1, 1, dtype=torch.float64)
    first[0, 1], second[0, 3] = 6.0, 6.0
    assert float(inlier_loss(first, labels, COARSE)) == pytest.approx(float(inlier_loss(second, labels, COARSE)))
    assert float(inlier_loss(first, labels, COARSE)) < 0.01


def test_every_coarse_class_of_idd_lite_is_made_of_known_classes() -> None:
    members = {m for row in IDD_LITE_AS_CAMVID11 for m in row}
    assert members <= set(range(len(CAMVID11)))
    assert len(IDD_LITE_AS_CAMVID11) == 7
