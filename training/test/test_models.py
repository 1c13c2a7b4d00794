import pytest
import torch

from hybrid_seg_train.models import STRIDE, ladder_network
from hybrid_seg_train.models.backbone import BACKBONES, create_backbone, imagenet_weights
from hybrid_seg_train.models.head import PosteriorHead
from hybrid_seg_train.models.precision import MixedDepthwiseConv2d, mix_depthwise_precision

K = 5


@pytest.mark.parametrize("size", [(32, 32), (64, 96), (96, 160)])
def test_both_outputs_have_stride_four_for_any_multiple_of_32(size: tuple[int, int]) -> None:
    network = ladder_network(K, width=16, pretrained=False).eval()
    output = network(torch.zeros(2, 3, *size))
    height, width = size[0] // STRIDE, size[1] // STRIDE
    assert output.logits.shape == (2, K, height, width)
    assert output.posterior.shape == (2, 2, height, width)


def test_the_head_leaves_the_closed_set_logits_bit_for_bit() -> None:
    network = ladder_network(K, width=16, pretrained=False).eval()
    image = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        alone = network.classifier(network.features(image))
        assert torch.equal(network(image).logits, alone)


def test_the_head_is_the_papers() -> None:
    norm, relu, conv = PosteriorHead(128)
    assert isinstance(norm, torch.nn.BatchNorm2d)
    assert norm.momentum == 0.01
    assert isinstance(relu, torch.nn.ReLU)
    assert isinstance(conv, torch.nn.Conv2d)
    assert conv.kernel_size == (1, 1)
    assert conv.bias is not None
    assert sum(p.numel() for p in (*norm.parameters(), *conv.parameters())) == 514


def test_the_posteriors_gradient_reaches_the_shared_features() -> None:
    network = ladder_network(K, width=16, pretrained=False)
    network(torch.rand(2, 3, 64, 64)).posterior.sum().backward()
    first = next(network.features.parameters())
    assert first.grad is not None
    assert first.grad.abs().sum() > 0


def test_context_reaches_every_pixel() -> None:
    network = ladder_network(K, width=16, pretrained=False).eval()
    image = torch.rand(1, 3, 64, 512, requires_grad=True)
    network(image).logits[0, 0, 0, 0].backward()
    assert image.grad is not None
    assert image.grad[..., -32:].abs().sum() > 0


def test_pretrained_weights_are_loaded_name_by_name() -> None:
    backbone = create_backbone("efficientnet_lite0", pretrained=True)
    weights = imagenet_weights("efficientnet_lite0")
    assert torch.equal(backbone.state_dict()["conv_stem.weight"], weights["conv_stem.weight"])
    assert torch.equal(backbone.state_dict()["blocks.6.0.bn3.running_var"], weights["blocks.6.0.bn3.running_var"])
    norms = [m for m in backbone.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert {norm.eps for norm in norms} == {1e-3}


def test_an_unknown_backbone_is_named() -> None:
    with pytest.raises(ValueError, match="'resnet' is unknown, expected one of " + BACKBONES[0]):
        create_backbone("resnet", pretrained=False)


def test_mixed_depthwise_precision_changes_nothing_outside_autocast() -> None:
    torch.manual_seed(0)
    network = ladder_network(K, width=16, pretrained=False).eval()
    image = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        before = network(image)
        mix_depthwise_precision(network)
        after = network(image)
    assert sum(isinstance(m, MixedDepthwiseConv2d) for m in network.modules()) > 10
    assert torch.equal(before.logits, after.logits)


def test_mixed_depthwise_precision_keeps_the_input_type_and_is_at_least_as_exact_as_bf16() -> None:
    torch.manual_seed(0)
    plain = torch.nn.Sequential(torch.nn.Conv2d(8, 8, 5, padding=2, groups=8))
    image = torch.randn(1, 8, 16, 16)
    exact = plain(image)
    with torch.autocast("cpu", torch.bfloat16):
        rounded = plain(image.bfloat16())
        mix_depthwise_precision(plain)
        mixed = plain(image.bfloat16())
    assert mixed.dtype == torch.bfloat16
    assert (mixed - exact).abs().mean() <= (rounded - exact).abs().mean() * 1.01
