"""Pasting and the joint loss: the JSD's gradient reaches the flow, and crops are scaled once."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.spatial.distance import jensenshannon
from torch import Tensor, nn

from hybrid_seg_train.flows import (
    PATCH_SIDES,
    PRESETS,
    DenseFlow,
    FlowBoundary,
    draw_patch_size,
    draw_places,
    joint_flow_loss,
    jsd_to_uniform,
    paste_samples,
)

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
SIZE, PLACES = (8, 16), [(3, 5), None, (24, 16)]


def normalise(pixels: Tensor) -> Tensor:
    return (pixels.float() / 255 - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)


def photos() -> Tensor:
    return torch.randint(0, 256, (3, 3, 32, 32), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


def segmenter() -> nn.Module:
    """A small network with batch statistics, 5 classes, sure of itself."""
    torch.manual_seed(2)
    network = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 5, 1))
    with torch.no_grad():
        network[3].weight.mul_(4)
    return network


def tiny_flow() -> DenseFlow:
    torch.manual_seed(1)
    flow = DenseFlow(PRESETS["tiny"])
    flow.initialize(photos())
    return flow


def latents() -> torch.Generator:
    return torch.Generator().manual_seed(7)


@given(hnp.arrays(np.float64, (4, 7), elements=st.floats(-30, 30)))
def test_jsd_is_the_squared_jensen_shannon_distance(values: np.ndarray) -> None:
    logits = torch.from_numpy(values).T.reshape(1, 7, 2, 2)
    mask = torch.tensor([[[True, False], [True, True]]])
    rows = torch.softmax(torch.from_numpy(values), 1).numpy()[[0, 2, 3]]
    # SciPy's root is NaN where two equal distributions differ by a rounding error below zero.
    expected = np.mean([np.nan_to_num(jensenshannon(row, np.full(7, 1 / 7))) ** 2 for row in rows])
    assert jsd_to_uniform(logits, mask).item() == pytest.approx(expected, abs=1e-5)


def test_jsd_of_the_certain_and_of_the_clueless() -> None:
    mask = torch.ones(1, 2, 2, dtype=torch.bool)
    assert jsd_to_uniform(torch.zeros(1, 9, 2, 2), mask).item() == pytest.approx(0, abs=1e-6)
    sure = torch.zeros(1, 2, 2, 2)
    sure[:, 0] = 1000.0
    # KL of (1, 0) and of (1/2, 1/2) to their mixture (3/4, 1/4), by hand.
    by_hand = 0.5 * math.log(4 / 3) + 0.5 * (0.5 * math.log(2 / 3) + 0.5 * math.log(2))
    sure.requires_grad_()
    divergence = jsd_to_uniform(sure, mask)
    assert divergence.item() == pytest.approx(by_hand, rel=1e-5)
    divergence.backward()
    assert sure.grad is not None
    assert torch.isfinite(sure.grad).all()


def test_jsd_of_no_pixel_is_zero() -> None:
    logits = torch.randn(1, 3, 2, 2, requires_grad=True)
    jsd_to_uniform(logits, torch.zeros(1, 2, 2, dtype=torch.bool)).backward()
    assert logits.grad is not None
    assert logits.grad.abs().max() == 0


@given(st.integers(16, 300), st.integers(16, 300), st.integers(0, 1000))
def test_patches_lie_inside_and_have_the_published_sides(height: int, width: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    size = draw_patch_size(rng, (height, width))
    assert set(size) <= set(PATCH_SIDES)
    for top, left in draw_places(rng, 5, size, (height, width)):
        assert 0 <= top <= height - size[0]
        assert 0 <= left <= width - size[1]


def test_all_sides_and_the_outermost_places_are_drawn() -> None:
    rng = np.random.default_rng(0)
    drawn = {side for _ in range(400) for side in draw_patch_size(rng, (216, 300))}
    assert drawn == set(range(16, 217, 8))
    assert set(draw_places(rng, 200, (16, 16), (17, 18))) == {(t, x) for t in range(2) for x in range(3)}
    with pytest.raises(ValueError, match="no patch"):
        draw_patch_size(rng, (15, 300))


def test_samples_are_pasted_where_they_belong_and_nowhere_else() -> None:
    samples = 255 * torch.rand(2, 3, *SIZE)
    images = normalise(photos())
    before = images.clone()
    pasted = paste_samples(images, samples, PLACES, mean=MEAN, std=STD)
    assert torch.equal(images, before)
    expected = torch.zeros(3, 32, 32, dtype=torch.bool)
    expected[0, 3:11, 5:21] = expected[2, 24:32, 16:32] = True
    assert torch.equal(pasted.mask, expected)
    outside = ~expected[:, None].expand_as(images)
    assert torch.equal(pasted.images[outside], images[outside])
    assert torch.allclose(pasted.images[0, :, 3:11, 5:21], normalise(samples[0]), atol=1e-5)
    assert torch.allclose(pasted.images[2, :, 24:32, 16:32], normalise(samples[1]), atol=1e-5)


def test_saved_crops_are_the_original_pixels_scaled_once() -> None:
    pasted = paste_samples(normalise(photos()), torch.zeros(2, 3, *SIZE), PLACES, mean=MEAN, std=STD)
    original = torch.stack([photos()[0, :, 3:11, 5:21], photos()[2, :, 24:32, 16:32]])
    assert torch.equal(pasted.saved_crops, original.float())
    flow = tiny_flow()
    saved, truth = (flow.bits_per_dim(x, generator=latents()) for x in (pasted.saved_crops, original))
    assert torch.equal(saved, truth)
    with pytest.raises(ValueError, match="scale by 255 once only"):
        flow.bits_per_dim(255 * pasted.saved_crops)


@pytest.mark.parametrize("places", [[(0, 0)], [(0, 0), None, None], [(25, 0), None, (0, 0)], [(0, 0), None, (0, 17)]])
def test_pasting_outside_or_out_of_step_is_refused(places: list[tuple[int, int] | None]) -> None:
    with pytest.raises(ValueError, match=r"expected a place or None|leaves its image"):
        paste_samples(normalise(photos()), torch.zeros(2, 3, *SIZE), places, mean=MEAN, std=STD)


def pasted_jsd(flow: DenseFlow, network: nn.Module) -> Tensor:
    """The JSD of the flow's samples of always the same latents, through pasting and the network."""
    samples = flow.sample(2, SIZE, generator=latents())
    pasted = paste_samples(normalise(photos()), samples, PLACES, mean=MEAN, std=STD)
    return jsd_to_uniform(network(pasted.images), pasted.mask)


def test_the_jsd_alone_trains_the_flow() -> None:
    flow, network = tiny_flow(), segmenter().eval()
    optimizer = torch.optim.Adamax(flow.parameters(), lr=1e-3)
    before = pasted_jsd(flow, network)
    before.backward()
    reached = [p for p in flow.parameters() if p.grad is not None and p.grad.abs().max() > 0]
    assert len(reached) > 10
    optimizer.step()
    assert pasted_jsd(flow, network) < before


def test_rounded_samples_would_not_train_the_flow() -> None:
    flow = tiny_flow()
    samples = flow.sample(2, SIZE, generator=latents()).round()
    pasted = paste_samples(normalise(photos()), samples, PLACES, mean=MEAN, std=STD)
    jsd_to_uniform(segmenter()(pasted.images), pasted.mask).backward()
    assert all(p.grad is None or p.grad.abs().max() == 0 for p in flow.parameters())


def joint_step(jsd_updates_segmenter: bool, jsd_weight: float) -> tuple[DenseFlow, nn.Module, float]:
    """Gradients of segmentation-like loss plus L_flow after one backward pass."""
    flow, network = tiny_flow(), segmenter()
    pasted = paste_samples(normalise(photos()), flow.sample(2, SIZE, generator=latents()), PLACES, mean=MEAN, std=STD)
    boundary = FlowBoundary.at(pasted.images)
    logits = network(boundary.entrance)
    loss = joint_flow_loss(
        flow, pasted.saved_crops, logits, pasted.mask, boundary=boundary, generator=latents(),
        jsd_weight=jsd_weight, jsd_updates_segmenter=jsd_updates_segmenter,
    )  # fmt: skip
    assert loss.total.item() == pytest.approx(loss.bits_per_dim.item() + jsd_weight * loss.jsd.item(), rel=1e-5)
    (logits.logsumexp(1).mean() + loss.total).backward()
    return flow, network, loss.jsd.item()


def gradients(module: nn.Module) -> list[Tensor]:
    return [torch.zeros_like(p) if p.grad is None else p.grad.clone() for p in module.parameters()]


@pytest.mark.parametrize("updates", [False, True])
def test_each_side_gets_the_gradients_of_its_own_losses(updates: bool) -> None:
    weight = 3.0
    flow, network, value = joint_step(updates, weight)

    # The oracle: plain autograd of each loss by itself, through the uncut graph.
    other, judge = tiny_flow(), segmenter()
    jsd = pasted_jsd(other, judge)
    assert jsd.item() == pytest.approx(value, rel=1e-5)
    (weight * jsd).backward()
    by_jsd = gradients(judge)
    crops = torch.stack([photos()[0, :, 3:11, 5:21], photos()[2, :, 24:32, 16:32]])
    other.bits_per_dim(crops, generator=latents()).mean().backward()
    for found, expected in zip(gradients(flow), gradients(other), strict=True):
        assert torch.allclose(found, expected, rtol=1e-3, atol=1e-5)

    judge.zero_grad()
    samples = tiny_flow().sample(2, SIZE, generator=latents()).detach()
    images = paste_samples(normalise(photos()), samples, PLACES, mean=MEAN, std=STD).images
    judge(images).logsumexp(1).mean().backward()
    for found, own, extra in zip(gradients(network), gradients(judge), by_jsd, strict=True):
        assert torch.allclose(found, own + extra * updates, rtol=1e-3, atol=1e-5)
    assert max(float(extra.abs().max()) for extra in by_jsd) > 1e-3


def test_the_segmenter_is_run_once_a_step() -> None:
    network = joint_step(False, 0.03)[1]
    norm = network[1]
    assert isinstance(norm, nn.BatchNorm2d)
    assert norm.num_batches_tracked is not None
    assert norm.num_batches_tracked.item() == 1


def test_a_batch_without_samples_has_no_flow_loss() -> None:
    flow, network = tiny_flow(), segmenter()
    pasted = paste_samples(normalise(photos()), flow.sample(0, SIZE), [None] * 3, mean=MEAN, std=STD)
    assert torch.equal(pasted.images, normalise(photos()))
    boundary = FlowBoundary.at(pasted.images)
    loss = joint_flow_loss(flow, pasted.saved_crops, network(boundary.entrance), pasted.mask, boundary=boundary)
    loss.total.backward()
    assert loss.total.item() == 0
    assert all(not g.any() for g in gradients(flow) + gradients(network))
