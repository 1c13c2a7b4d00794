"""Any network becomes open-set, and its closed-set logits stay what they were."""

import copy
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.parallel import DistributedDataParallel

from hybrid_seg_train.losses import hybrid_loss
from hybrid_seg_train.models import (
    ClassifierError,
    ClosedSetNetwork,
    HybridOutput,
    OpenSetNetwork,
    closed_set_network,
    ladder_network,
    output_stride,
    uno_score,
    upgrade,
)
from hybrid_seg_train.models.head import PosteriorHead

K, WIDTH = 5, 12
IMAGE = torch.randn(2, 3, 64, 96, generator=torch.Generator().manual_seed(1))


class Own(nn.Module):
    """A user's network with dropout, batch norm, an auxiliary convolution to K, and something behind its classifier."""

    def __init__(self, behind: nn.Module | None = None, classifier: nn.Module | None = None) -> None:
        super().__init__()
        self.trunk = nn.Sequential(
            nn.Conv2d(3, WIDTH, 3, stride=4, padding=1), nn.BatchNorm2d(WIDTH), nn.ReLU(), nn.Dropout(0.5)
        )
        self.auxiliary = nn.Conv2d(WIDTH, K, 1)
        self.score = nn.Conv2d(WIDTH, K, 3, padding=1) if classifier is None else classifier
        self.behind = nn.Identity() if behind is None else behind

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """As torchvision's networks."""
        features = self.trunk(image)
        return {"aux": self.auxiliary(features), "out": self.behind(self.score(features))}


class Upsampled(nn.Module):
    """Bilinear upsampling by a fixed factor."""

    def __init__(self, *, align_corners: bool) -> None:
        super().__init__()
        self.align_corners = align_corners

    def forward(self, x: Tensor) -> Tensor:
        return functional.interpolate(x, scale_factor=4.0, mode="bilinear", align_corners=self.align_corners)


class Contiguous(nn.Module):
    """Hands a tensor on as it is, but takes nothing else."""

    def forward(self, x: Tensor) -> Tensor:
        return x.contiguous()


def trained(network: nn.Module) -> nn.Module:
    """Batch norms that do something, as after a training."""
    generator = torch.Generator().manual_seed(2)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            assert module.running_mean is not None
            assert module.running_var is not None
            module.running_mean.uniform_(-0.2, 0.2, generator=generator)
            module.running_var.uniform_(0.5, 1.5, generator=generator)
    return network


def logits_and_labels(network: OpenSetNetwork) -> tuple[HybridOutput, Tensor]:
    output = network(IMAGE)
    labels = torch.zeros(2, *output.logits.shape[2:], dtype=torch.int64)
    labels[:, 4:8] = 254
    return output, labels


def step(network: OpenSetNetwork, optimizer: torch.optim.Optimizer) -> None:
    output, labels = logits_and_labels(network)
    optimizer.zero_grad()
    hybrid_loss(*output, labels).total.backward()
    optimizer.step()


@pytest.mark.parametrize("head", ["hybrid", "uno"])
@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize(
    "behind",
    [None, Upsampled(align_corners=False), Upsampled(align_corners=True), Contiguous()],
    ids=["nothing", "half-pixel", "aligned", "contiguous"],
)
def test_logits_are_the_closed_ones_bit_for_bit_and_the_network_stays_untouched(
    head: str, frozen: bool, behind: nn.Module | None
) -> None:
    own = trained(Own(behind))
    before = copy.deepcopy(own.state_dict())
    opened = upgrade(own, classifier="score", head=head, frozen=frozen)  # type: ignore[arg-type]
    assert opened.training
    opened.eval()
    with torch.inference_mode():
        logits, posterior = opened(IMAGE)
        assert torch.equal(logits, own.eval()(IMAGE)["out"])
    assert posterior.shape == (2, 2, *logits.shape[2:])
    assert all(torch.equal(tensor, before[name]) for name, tensor in own.state_dict().items())
    assert isinstance(own.score, nn.Conv2d)
    assert all(p.requires_grad for p in own.parameters())


def test_the_posterior_is_the_head_on_what_enters_the_classifier() -> None:
    own = trained(Own(Upsampled(align_corners=False)))
    opened = upgrade(own, classifier="score").eval()
    own.eval()
    with torch.inference_mode():
        expected = own.behind(opened.joint.head(own.trunk(IMAGE)))
        assert torch.equal(opened(IMAGE).posterior, expected)
    assert isinstance(opened.joint.head, PosteriorHead)


@pytest.mark.parametrize(
    ("classifier", "size"),
    [
        (nn.ConvTranspose2d(WIDTH, K, 2, stride=2), (32, 48)),
        (nn.Conv2d(WIDTH, K, 3), (14, 22)),
        (nn.Conv2d(WIDTH, K, 3, padding="same"), (16, 24)),
        (nn.Conv2d(WIDTH, K, 1, stride=2), (8, 12)),
    ],
)
def test_a_classifier_may_change_the_size(classifier: nn.Module, size: tuple[int, int]) -> None:
    own = Own(classifier=classifier)
    opened = upgrade(own, classifier="score").eval()
    with torch.inference_mode():
        logits, posterior = opened(IMAGE)
        assert torch.equal(logits, own.eval()(IMAGE)["out"])
    assert logits.shape[2:] == posterior.shape[2:] == size


def test_the_last_convolution_that_runs_is_the_classifier_by_default() -> None:
    assert upgrade(Own()).info.classifier == "score"
    assert ClosedSetNetwork(Own(), classes=K).info.classifier == "score"


def test_gradient_of_the_posterior_reaches_the_shared_features() -> None:
    for network in (ladder_network(K, width=16, pretrained=False), upgrade(Own(), classifier="score")):
        network(IMAGE).posterior.square().sum().backward()
        first = next(network.network.parameters())
        assert first.grad is not None
        assert first.grad.abs().sum() > 0


@pytest.mark.parametrize("head", ["hybrid", "uno"])
def test_frozen_training_moves_the_head_and_never_a_bit_of_the_logits(head: str) -> None:
    opened = upgrade(trained(Own()), classifier="score", head=head, frozen=True)  # type: ignore[arg-type]
    state = copy.deepcopy(opened.state_dict())
    with torch.inference_mode():
        before = opened.eval()(IMAGE)
    opened.train()
    optimizer = torch.optim.AdamW([p for p in opened.parameters() if p.requires_grad], lr=1e-2)
    for _ in range(4):
        step(opened, optimizer)
    with torch.inference_mode():
        in_training = opened(IMAGE).logits
        after = opened.eval()(IMAGE)
    assert torch.equal(in_training, before.logits)
    assert torch.equal(after.logits, before.logits)
    assert not torch.equal(after.posterior, before.posterior)
    changed = {name for name, tensor in opened.state_dict().items() if not torch.equal(tensor, state[name])}
    assert all(name.startswith(("network.score.head.", "network.score.residual.")) for name in changed)
    assert {"network.score.residual.widen.weight", "network.score.residual.narrow.0.weight"} <= changed
    assert any(name.startswith("network.score.head.") for name in changed)
    assert opened.backbone_parameters() == []


def test_hybrid_training_lowers_its_loss() -> None:
    torch.manual_seed(0)
    opened = upgrade(Own(), classifier="score")
    optimizer = torch.optim.AdamW(opened.parameters(), lr=1e-2)
    losses = []
    for _ in range(12):
        output, labels = logits_and_labels(opened)
        losses.append(hybrid_loss(*output, labels).posterior.item())
        step(opened, optimizer)
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("frozen", [False, True])
def test_distributed_training_finds_a_gradient_for_every_parameter(frozen: bool, tmp_path: Path) -> None:
    opened = upgrade(closed_set_network("ladder", classes=K, width=16, pretrained=False), frozen=frozen)
    torch.distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/meet", rank=0, world_size=1)
    try:
        parallel = DistributedDataParallel(opened)
        for _ in range(2):  # a parameter without gradient is an error at the second pass
            output = parallel(IMAGE)
            (output.logits.square().sum() + output.posterior.square().sum()).backward()
    finally:
        torch.distributed.destroy_process_group()
    assert all(p.grad is not None for p in opened.parameters() if p.requires_grad)


def test_unos_posterior_is_the_k_plus_one_softmax() -> None:
    opened = upgrade(trained(Own()), classifier="score", head="uno").eval()
    nn.init.normal_(opened.joint.head.weight)
    captured: list[Tensor] = []
    opened.joint.head.register_forward_hook(lambda _module, _in, out: captured.append(out))
    with torch.inference_mode():
        logits, posterior = opened(IMAGE)
    all_ways = torch.cat([logits, captured[0]], dim=1).double().softmax(dim=1)
    torch.testing.assert_close(posterior.double().softmax(dim=1)[:, 1], all_ways[:, K], rtol=1e-5, atol=1e-7)
    expected = all_ways[:, K] - all_ways[:, :K].amax(dim=1)
    torch.testing.assert_close(uno_score(logits, posterior).double(), expected, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(uno_score(logits[0], posterior[0]).double(), expected[0], rtol=1e-5, atol=1e-6)


def test_unos_cross_entropy_is_the_sum_of_both_terms() -> None:
    logits, negative = torch.randn(1, K, 4, 4), torch.randn(1, 1, 4, 4)
    posterior = torch.cat([logits.logsumexp(1, keepdim=True), negative], 1)
    labels = torch.randint(0, K + 1, (1, 4, 4))
    both = functional.cross_entropy(torch.cat([logits, negative], 1), labels, reduction="sum")
    known = functional.cross_entropy(logits, torch.where(labels < K, labels, -100), reduction="sum")
    dataset = functional.cross_entropy(posterior, (labels == K).long(), reduction="sum")
    torch.testing.assert_close(both, known + dataset)


@pytest.mark.parametrize(
    "behind",
    [nn.Softmax(dim=1), nn.LogSoftmax(dim=1), nn.Conv2d(K, K, 1), nn.BatchNorm2d(K), nn.GroupNorm(1, K)],
    ids=lambda module: type(module).__name__,
)
def test_what_mixes_channels_behind_the_classifier_is_an_error(behind: nn.Module) -> None:
    with pytest.raises(ClassifierError, match=r"Own: the upgrade would change its logits.*'score'.*take a softmax"):
        upgrade(Own(behind), classifier="score")


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("clasifier", "there is no module of that name"),
        ("trunk.0", "it has 12 outputs"),
        ("trunk", "it is a Sequential"),
    ],
)
def test_a_wrong_classifier_is_told_the_candidates(name: str, found: str) -> None:
    with pytest.raises(ClassifierError, match=f"'{name}' .*{found}.*: auxiliary, score$"):
        upgrade(Own(), classifier=name)


def test_a_wrong_number_of_classes_and_a_wrong_backbone_are_told() -> None:
    with pytest.raises(ClassifierError, match=r"it has 5 outputs.*none; is the number of classes 7\?"):
        ClosedSetNetwork(Own(), classes=7)
    with pytest.raises(ValueError, match="no module is called 'encoder'; its parts are trunk, auxiliary, score, "):
        ClosedSetNetwork(Own(), classes=K, classifier="score", backbone="encoder")
    with pytest.raises(ClassifierError, match="the network's classifier is 'score', not 'auxiliary'"):
        upgrade(ClosedSetNetwork(Own(), classes=K, classifier="score"), classifier="auxiliary")


def test_the_output_stride_is_measured_and_the_mode_kept() -> None:
    closed = ClosedSetNetwork(Own(), classes=K, classifier="score", backbone="trunk")
    assert output_stride(closed) == 4
    assert closed.training
    assert len(closed.backbone_parameters()) == 4
    assert output_stride(upgrade(Own(Upsampled(align_corners=False)), classifier="score")) == 1
    with pytest.raises(ValueError, match="logits of 16x24 for an image of 62x96: not one whole stride"):
        output_stride(closed, (62, 96))
