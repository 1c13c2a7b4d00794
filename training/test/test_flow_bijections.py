"""Every invertible step: its inverse, its log-determinant against autograd's Jacobian, and what it does to data."""

import math

import pytest
import torch
from torch import Tensor, nn

from hybrid_seg_train.flows.bijections import (
    ActNorm,
    AffineCoupling,
    Bijection,
    Chain,
    CrossUnitCoupling,
    InvertibleConv1x1,
    Squeeze,
    dequantize,
    to_pixels,
)
from hybrid_seg_train.flows.config import PRESETS

TINY = PRESETS["tiny"]


def stirred(module: nn.Module, scale: float = 0.2, seed: int = 0) -> nn.Module:
    """`module` with every parameter moved, as training would, so that nothing is an identity."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter += scale * torch.randn(parameter.shape, generator=generator)
    return module


def make(name: str) -> Bijection:
    torch.manual_seed(1)
    bijection = {
        "squeeze": Squeeze,
        "actnorm": lambda: ActNorm(3),
        "conv1x1": lambda: InvertibleConv1x1(3),
        "coupling": lambda: AffineCoupling(3, TINY),
        "chain": lambda: Chain([ActNorm(3), InvertibleConv1x1(3), AffineCoupling(3, TINY), Squeeze()]),
    }[name]()
    stirred(bijection)
    return bijection


NAMES = ("squeeze", "actnorm", "conv1x1", "coupling", "chain")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [(8, 8), (16, 24), (40, 64)])
def test_the_inverse_undoes_it(name: str, size: tuple[int, int]) -> None:
    bijection = make(name)
    x = torch.randn(2, 3, *size)
    z, log_det = bijection(x)
    assert log_det.shape == (2,)
    assert name == "squeeze" or not torch.allclose(z.reshape(x.shape), x, atol=0.1)
    assert (bijection.inverse(z) - x).abs().max() <= 1e-4


@pytest.mark.parametrize("name", NAMES)
def test_the_log_determinant_is_that_of_the_jacobian(name: str) -> None:
    bijection = make(name).double()
    x = torch.randn(1, 3, 4, 2, dtype=torch.double)
    jacobian = torch.autograd.functional.jacobian(lambda v: bijection(v)[0], x).reshape(x.numel(), x.numel())
    expected = torch.linalg.slogdet(jacobian).logabsdet
    assert bijection(x)[1].item() == pytest.approx(expected.item(), abs=1e-5)
    assert name == "squeeze" or abs(expected) > 0.01


def test_the_log_scale_of_a_coupling_is_bounded_as_published() -> None:
    coupling = AffineCoupling(4, TINY)
    nn.init.constant_(coupling.network.leave.bias, 1.0)
    log_det = coupling(torch.randn(1, 4, 2, 2))[1]
    assert log_det.item() == pytest.approx(8 * 2 * math.tanh(0.5), rel=1e-5)
    nn.init.constant_(coupling.network.leave.bias, 1e6)
    assert coupling(torch.randn(1, 4, 2, 2))[1].item() == pytest.approx(8 * 2.0)


def test_actnorm_takes_mean_and_variance_from_the_data_it_is_shown_once() -> None:
    norm = ActNorm(5)
    data = torch.randn(4, 5, 8, 6) * torch.tensor([0.1, 1, 5, 20, 3]).view(5, 1, 1) + 7
    assert torch.equal(norm(data)[0], data)
    norm.prepare()
    z, log_det = norm(data)
    assert z.mean(dim=(0, 2, 3)).abs().max() < 1e-4
    assert (z.std(dim=(0, 2, 3), correction=0) - 1).abs().max() < 1e-4
    assert log_det[0].item() == pytest.approx(-48 * data.std(dim=(0, 2, 3), correction=0).log().sum().item(), rel=1e-4)
    before = norm.shift.clone()
    norm(data + 100)
    assert torch.equal(norm.shift, before)


def test_a_fresh_invertible_convolution_is_a_rotation() -> None:
    convolution = InvertibleConv1x1(6)
    x = torch.randn(2, 6, 3, 3)
    z, log_det = convolution(x)
    assert torch.allclose(z.norm(dim=1), x.norm(dim=1), atol=1e-4)
    assert log_det.abs().max() < 1e-4


def test_an_invertible_convolution_can_start_at_the_whitening_of_its_data() -> None:
    convolution = InvertibleConv1x1(4)
    torch.manual_seed(0)
    mixing = torch.tensor([[3.0, 0, 0, 0], [2.9, 0.5, 0, 0], [1, 2, 0.5, 0], [0, 0, 0, 1]])
    data = torch.einsum("cd,bdhw->bchw", mixing, torch.randn(4, 4, 16, 16))
    convolution.prepare()
    z, log_det = convolution(data)
    assert torch.allclose(torch.cov(z.transpose(0, 1).flatten(1)), torch.eye(4), atol=1e-2)
    expected = -0.5 * 256 * torch.linalg.slogdet(torch.cov(data.transpose(0, 1).flatten(1))).logabsdet
    assert log_det[0].item() == pytest.approx(expected.item(), rel=0.03)
    assert (convolution.inverse(z) - data).abs().max() < 1e-3
    again = convolution(2 * data)[0]
    assert torch.allclose(again, 2 * z, atol=1e-4)


def test_whitening_from_too_few_vectors_blows_nothing_up() -> None:
    convolution = InvertibleConv1x1(20)
    convolution.prepare()
    data = torch.randn(1, 20, 3, 4)
    convolution(data)
    # Unit variance in, unit variance out, for other data of the same kind.
    assert convolution(torch.randn(8, 20, 8, 8))[0].std().item() == pytest.approx(1.0, abs=0.3)


def test_cross_unit_noise_has_the_density_it_says() -> None:
    coupling = CrossUnitCoupling(3, 2)
    stirred(coupling, 0.3)
    x, earlier = torch.randn(1, 4, 2, 2), torch.randn(1, 3, 2, 2)
    z, appended, log_q = coupling(x, [earlier], generator=torch.Generator().manual_seed(0))
    mean, raw = coupling.network(earlier).chunk(2, dim=1)
    density = torch.distributions.Normal(mean, (2 * torch.tanh(raw / 2)).exp())
    assert log_q.item() == pytest.approx(density.log_prob(appended).sum().item(), rel=1e-5)
    again, _, same = coupling(x, [earlier], appended)
    assert torch.equal(again, z)
    assert same.item() == pytest.approx(log_q.item(), rel=1e-5)
    back, noise = coupling.inverse(z)
    assert torch.equal(back, x)
    assert torch.equal(noise, appended)
    draws = torch.cat([coupling(x, [earlier])[1] for _ in range(4000)])
    assert (draws.mean(dim=0) - mean[0]).abs().max() < 0.2
    assert (draws.std(dim=0) / density.stddev[0] - 1).abs().max() < 0.1


def test_dequantisation_fills_each_level_and_pixels_come_back() -> None:
    pixels = torch.arange(256, dtype=torch.uint8).repeat(3 * 4).view(1, 3, 32, 32)
    values = dequantize(pixels, torch.Generator().manual_seed(0))
    assert torch.equal(((values + 0.5) * 256).floor().to(torch.uint8), pixels)
    rest = (values + 0.5) * 256 - pixels
    assert rest.min() >= 0
    assert rest.max() <= 1
    assert rest.mean().item() == pytest.approx(0.5, abs=0.02)
    assert (to_pixels(values) - pixels).abs().max() <= 0.5


def test_pixels_beyond_the_range_are_cut_but_keep_their_gradient() -> None:
    values = torch.tensor([-3.0, 0.1, 2.0], requires_grad=True)
    pixels: Tensor = to_pixels(values)
    assert pixels.tolist() == pytest.approx([0.0, 0.6 * 256 - 0.5, 255.0], rel=1e-6)
    pixels.sum().backward()
    assert values.grad is not None
    assert values.grad.tolist() == [256.0, 256.0, 256.0]
