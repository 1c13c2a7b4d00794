"""The whole flow: bijection, bound, sampling at any size, learning."""

import math
from dataclasses import replace
from functools import cache

import pytest
import torch
from torch import Tensor

from hybrid_seg_train.flows import PRESETS, DenseFlow, FlowConfig, flow_config
from hybrid_seg_train.flows.bijections import dequantize
from hybrid_seg_train.flows.coupling_network import CouplingNetwork
from hybrid_seg_train.flows.gaussian import standard_normal_log_density

TINY = PRESETS["tiny"]


def trained_like(config: FlowConfig, scale: float = 0.05, seed: int = 0) -> DenseFlow:
    """A flow whose parameters have all moved from their starts."""
    torch.manual_seed(seed)
    flow = DenseFlow(config)
    with torch.no_grad():
        for parameter in flow.parameters():
            parameter += scale * torch.randn(parameter.shape)
    return flow


def slopes(count: int, size: tuple[int, int]) -> Tensor:
    """Noisy vertical ramps of grey."""
    ramp = torch.linspace(60, 190, size[0]).view(1, 1, -1, 1)
    return (ramp + 9 * torch.randn(count, 3, *size)).round().clamp(0, 255)


@cache
def trained(name: str, steps: int = 10) -> DenseFlow:
    """A flow after some large steps on structured images; not to be changed."""
    torch.manual_seed(0)
    flow = DenseFlow(PRESETS[name])
    images = slopes(8, (16, 16))
    flow.initialize(images)
    optimizer = torch.optim.Adamax(flow.parameters(), lr=5e-3)
    for _ in range(steps):
        optimizer.zero_grad()
        flow.bits_per_dim(images).mean().backward()
        optimizer.step()
    return flow


def pixels(count: int, size: tuple[int, int], seed: int = 0) -> Tensor:
    return torch.randint(0, 256, (count, 3, *size), generator=torch.Generator().manual_seed(seed), dtype=torch.uint8)


@pytest.mark.parametrize("size", [(8, 8), (16, 24), (40, 64)])
@pytest.mark.parametrize("name", ["tiny", "small"])
def test_samples_and_latents_are_each_others_image(name: str, size: tuple[int, int]) -> None:
    flow = trained(name)
    values = dequantize(slopes(2, size))
    encoded = flow.encode(values)
    assert [z.shape[1:] for z in encoded.latents] == [torch.Size(s) for s in flow.latent_shapes(size)]
    decoded, appended = flow.decode(encoded.latents)
    assert (decoded - values).abs().max() <= 1e-3
    for block, again in zip(encoded.appended, appended, strict=True):
        assert all((a - b).abs().max() <= 1e-3 for a, b in zip(block, again, strict=True))

    latents = [torch.randn(2, *shape) for shape in flow.latent_shapes(size)]
    drawn, noise = flow.decode(latents)
    back = flow.encode(drawn, noise)
    assert all((a - b).abs().max() <= 1e-3 for a, b in zip(latents, back.latents, strict=True))


def test_the_bound_is_exact_without_noise_channels() -> None:
    flow = trained_like(FlowConfig((1, 1, 1), (2, 1, 1), 2, 8, 1, 8)).double()
    values = torch.rand(1, 3, 8, 8, dtype=torch.double) - 0.5

    def latents(x: Tensor) -> Tensor:
        return torch.cat([z.flatten() for z in flow.encode(x).latents])

    jacobian = torch.autograd.functional.jacobian(latents, values).reshape(192, 192)
    expected = torch.linalg.slogdet(jacobian).logabsdet
    encoded = flow.encode(values)
    assert encoded.log_det.item() == pytest.approx(expected.item(), abs=1e-3)
    assert encoded.log_noise.item() == 0
    assert abs(expected) > 1


def test_the_log_determinant_counts_the_noise_channels() -> None:
    flow = trained_like(TINY).double()
    values = torch.rand(1, 3, 8, 8, dtype=torch.double) - 0.5
    noise = torch.randn(1, TINY.growth, 4, 4, dtype=torch.double)

    def latents(x: Tensor, appended: Tensor) -> Tensor:
        return torch.cat([z.flatten() for z in flow.encode(x, [[appended], [], []]).latents])

    parts = torch.autograd.functional.jacobian(latents, (values, noise))
    jacobian = torch.cat([part.flatten(1) for part in parts], dim=1)
    expected = torch.linalg.slogdet(jacobian).logabsdet
    assert flow.encode(values, [[noise], [], []]).log_det.item() == pytest.approx(expected.item(), abs=1e-3)


def test_the_likelihood_of_a_fresh_flow_is_known() -> None:
    flow = DenseFlow(FlowConfig((1, 1, 1), (1, 1, 1), 1, 4, 1, 4))
    images = pixels(2, (8, 16))
    found = flow.log_likelihood(images, generator=torch.Generator().manual_seed(3))
    noise = torch.rand(images.shape, generator=torch.Generator().manual_seed(3))
    # Rotations keep the norm, so the standard normal density of the latents is that of the values.
    values = (images.float() + noise) / 256 - 0.5
    expected = standard_normal_log_density(values) - 384 * math.log(256)
    assert found.tolist() == pytest.approx(expected.tolist(), rel=1e-5)
    bits = flow.bits_per_dim(images.float(), generator=torch.Generator().manual_seed(3))
    assert bits.tolist() == pytest.approx((-expected / 384 / math.log(2)).tolist(), rel=1e-5)


def test_the_bound_lies_below_the_averaged_likelihood() -> None:
    # ln E[w] >= E[ln w]: with noise that has left its start the gap is really there.
    flow = trained_like(TINY, 0.1)
    values = (torch.rand(1, 3, 8, 8) - 0.5).expand(512, -1, -1, -1)
    encoded = flow.encode(values)
    terms = sum((standard_normal_log_density(z) for z in encoded.latents), encoded.log_det) - encoded.log_noise
    averaged = terms.logsumexp(0) - math.log(512)
    assert averaged > terms.mean() + 0.01


@pytest.mark.parametrize("size", [(8, 8), (16, 24), (40, 64)])
def test_samples_have_the_size_and_range_asked_for(size: tuple[int, int]) -> None:
    flow = trained_like(TINY)
    samples = flow.sample(2, size, generator=torch.Generator().manual_seed(0))
    assert samples.shape == (2, 3, *size)
    assert samples.dtype == torch.float32
    assert samples.min() >= 0
    assert samples.max() <= 255
    assert not torch.equal(samples, samples.round())
    same = flow.sample(2, size, generator=torch.Generator().manual_seed(0))
    assert torch.equal(same, samples)
    calm = flow.sample(2, size, temperature=0.1)
    assert calm.std() < samples.std()


def test_gradients_pass_through_sampling_into_every_coupling() -> None:
    flow = trained_like(TINY)
    flow.sample(2, (16, 16)).square().mean().backward()
    used = [name for name, p in flow.named_parameters() if ".units." in name]
    moved = [name for name, p in flow.named_parameters() if p.grad is not None and p.grad.abs().max() > 0]
    # The upper triangle's diagonal and the noise networks alone have no part in decoding.
    assert set(used) <= set(moved)


@pytest.mark.parametrize("size", [(12, 16), (16, 20), (0, 8)])
def test_sizes_that_do_not_divide_are_refused(size: tuple[int, int]) -> None:
    flow = DenseFlow(TINY)
    with pytest.raises(ValueError, match="expected multiples of 8"):
        flow.sample(1, size)
    if min(size):
        with pytest.raises(ValueError, match="expected multiples of 8"):
            flow.log_likelihood(pixels(1, size))


def test_pixels_scaled_twice_or_normalised_are_refused() -> None:
    flow = DenseFlow(TINY)
    images = pixels(1, (8, 8)).float()
    for wrong in (images * 255, images / 255 - 0.5, images * float("nan")):
        with pytest.raises(ValueError, match=r"expected 8-bit values 0\.\.255"):
            flow.bits_per_dim(wrong)
    with pytest.raises(ValueError, match=r"expected \[B, 3, height, width\]"):
        flow.bits_per_dim(images[:, :1])


def test_a_simple_distribution_is_learned() -> None:
    torch.manual_seed(0)
    flow = DenseFlow(TINY)
    rng = torch.Generator().manual_seed(1)

    def batch() -> Tensor:
        ramp = torch.linspace(60, 180, 16).view(1, 1, 16, 1)
        shift = 20 * torch.randn(8, 1, 1, 1, generator=rng)
        return (ramp + shift + 4 * torch.randn(8, 3, 16, 16, generator=rng)).round().clamp(0, 255)

    flow.initialize(batch(), generator=rng)
    optimizer = torch.optim.Adamax(flow.parameters(), lr=5e-3)
    curve = []
    for _ in range(30):
        loss = flow.bits_per_dim(batch(), generator=rng).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        curve.append(loss.item())
    assert sum(curve[-5:]) / 5 < sum(curve[:3]) / 3 - 0.3
    # No flow can beat the entropy of the pixel noise: log2(4 sqrt(2 pi e)) = 4.05 bits.
    assert min(curve) > 4.05


def test_initialisation_makes_every_actnorm_output_standard() -> None:
    flow = trained_like(TINY)
    images = (pixels(8, (16, 16)).float() * 0.3 + 40).round()
    flow.initialize(images, generator=torch.Generator().manual_seed(0))
    outputs: list[Tensor] = []
    for module in flow.modules():
        if type(module).__name__ == "ActNorm":
            module.register_forward_hook(lambda m, i, o: outputs.append(o[0]))
    flow.log_likelihood(images, generator=torch.Generator().manual_seed(0))
    assert len(outputs) == TINY.couplings
    for z in outputs:
        assert z.mean(dim=(0, 2, 3)).abs().max() < 1e-3
        assert (z.std(dim=(0, 2, 3), correction=0) - 1).abs().max() < 1e-3


def test_whitening_starts_a_flow_nearer_to_its_data() -> None:
    bits = []
    for whiten in (False, True):
        torch.manual_seed(0)
        images = slopes(8, (16, 16))
        flow = DenseFlow(replace(TINY, whiten=whiten))
        flow.initialize(images)
        bits.append(flow.bits_per_dim(images).mean().item())
    assert bits[1] < bits[0] - 0.2


def test_autocast_leaves_the_flow_in_float32() -> None:
    flow = trained_like(TINY)
    plain = flow.sample(1, (8, 8), generator=torch.Generator().manual_seed(0))
    bits = flow.bits_per_dim(plain.round(), generator=torch.Generator().manual_seed(0))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(flow.sample(1, (8, 8), generator=torch.Generator().manual_seed(0)), plain)
        assert torch.equal(flow.bits_per_dim(plain.round(), generator=torch.Generator().manual_seed(0)), bits)


def test_recomputing_activations_changes_no_gradient() -> None:
    gradients = []
    for recompute in (False, True):
        flow = trained_like(FlowConfig((2, 1), (1, 1), 2, 8, 2, 8, recompute=recompute))
        flow.bits_per_dim(pixels(2, (8, 8)), generator=torch.Generator().manual_seed(0)).mean().backward()
        gradients.append([p.grad for p in flow.parameters()])
    for one, two in zip(*gradients, strict=True):
        assert one is not None
        assert two is not None
        assert torch.allclose(one, two)


def test_configurations_have_names_and_clear_errors() -> None:
    assert flow_config("denseflow_25_6").couplings == 25
    assert flow_config({"units": [1, 1], "steps": [1, 2], "growth": 1, "width": 4, "depth": 1, "dense_growth": 4}) == (
        FlowConfig((1, 1), (1, 2), 1, 4, 1, 4)
    )
    with pytest.raises(ValueError, match="expected one of denseflow_25_6, small, tiny"):
        flow_config("big")
    with pytest.raises(ValueError, match="not a flow configuration"):
        flow_config({"unit": 3})
    with pytest.raises(ValueError, match="one number of each per block"):
        FlowConfig((1, 1), (1,), 1, 4, 1, 4)
    with pytest.raises(ValueError, match="at least 1"):
        FlowConfig((1, 1), (1, 0), 1, 4, 1, 4)


def test_the_published_flow_has_the_published_size() -> None:
    with torch.device("meta"):
        network = CouplingNetwork(6, 12, flow_config("denseflow_25_6"))
    # 25 coupling networks hold nearly all of METHOD's 36 million.
    assert 25 * sum(p.numel() for p in network.parameters()) == pytest.approx(36e6, rel=0.05)
