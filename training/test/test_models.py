from pathlib import Path

import huggingface_hub
import pytest
import torch
from safetensors.torch import save_file

from hybrid_seg_train.models import STRIDE, WeightsError, ladder_network, output_stride, rename_ladder_weights
from hybrid_seg_train.models.backbone import BACKBONES, create_backbone, imagenet_weights
from hybrid_seg_train.models.head import PosteriorHead
from hybrid_seg_train.models.precision import MixedDepthwiseConv2d, mix_depthwise_precision

import timm  # isort: skip  (after hybrid_seg_train, which makes torchvision importable)

K = 5


@pytest.mark.parametrize("size", [(32, 32), (64, 96), (96, 160)])
def test_both_outputs_have_stride_four_for_any_multiple_of_32(size: tuple[int, int]) -> None:
    network = ladder_network(K, width=16, pretrained=False).eval()
    output = network(torch.zeros(2, 3, *size))
    height, width = size[0] // STRIDE, size[1] // STRIDE
    assert output.logits.shape == (2, K, height, width)
    assert output.posterior.shape == (2, 2, height, width)


@pytest.mark.parametrize("backbone", ["efficientnet_lite0", "resnet18"])
def test_a_detail_level_doubles_the_resolution(backbone: str) -> None:
    network = ladder_network(5, backbone=backbone, width=16, detail=8, pretrained=False).eval()
    with torch.inference_mode():
        logits, posterior = network(torch.zeros(1, 3, 64, 96))
    assert logits.shape == (1, 5, 32, 48)
    assert posterior.shape == (1, 2, 32, 48)
    assert network.joint.classifier.in_channels == 8
    assert output_stride(network) == 2


def test_the_head_is_the_papers() -> None:
    norm, relu, conv = PosteriorHead(128)
    assert isinstance(norm, torch.nn.BatchNorm2d)
    assert norm.momentum == 0.01
    assert isinstance(relu, torch.nn.ReLU)
    assert isinstance(conv, torch.nn.Conv2d)
    assert conv.kernel_size == (1, 1)
    assert conv.bias is not None
    assert sum(p.numel() for p in (*norm.parameters(), *conv.parameters())) == 514


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


def test_an_unknown_backbone_is_named_with_similar_ones() -> None:
    with pytest.raises(ValueError, match=f"'resnet1' is unknown, expected one of {BACKBONES[0]}.*similar: .*resnet18"):
        create_backbone("resnet1", pretrained=False)


def test_a_backbone_without_the_four_strides_is_refused() -> None:
    with pytest.raises(ValueError, match=r"strides \[16, 16, 16\], expected \[4, 8, 16, 32\]"):
        create_backbone("vit_tiny_patch16_224", pretrained=False)


@pytest.mark.parametrize("name", ["resnet18", "mobilenetv3_large_100"])
def test_any_timm_backbone_carries_a_ladder(name: str) -> None:
    network = ladder_network(K, backbone=name, width=16, pretrained=False).eval()
    assert network(torch.zeros(1, 3, 64, 96)).logits.shape == (1, K, 16, 24)
    assert network.info.mean == (0.485, 0.456, 0.406)


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_backbone_weights_come_from_a_local_file(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"resnet18{suffix}"
    source = timm.create_model("resnet18").state_dict()
    save_file(source, path) if suffix == ".safetensors" else torch.save(source, path)
    backbone = create_backbone("resnet18", pretrained=False, weights=path)
    assert torch.equal(backbone.state_dict()["layer4.1.conv2.weight"], source["layer4.1.conv2.weight"])


def test_weights_that_cannot_be_had_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WeightsError, match=r"none.pth: no such file; expected timm's weights of resnet18"):
        create_backbone("resnet18", pretrained=True, weights=tmp_path / "none.pth")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(WeightsError, match=r"resnet18: weights cannot be loaded .*set pretrained to false, or weights"):
        create_backbone("resnet18", pretrained=True)


@pytest.mark.parametrize("prefix", ["", "network."])
def test_weights_of_the_earlier_layout_are_renamed(prefix: str) -> None:
    network = ladder_network(K, width=16, pretrained=False)
    current = {f"{prefix}{name}": tensor for name, tensor in network.state_dict().items()}
    moves = {
        f"{prefix}network.features.": f"{prefix}features.",
        f"{prefix}network.classifier.classifier.": f"{prefix}classifier.",
        f"{prefix}network.classifier.head.": f"{prefix}posterior.",
    }
    earlier = {}
    for name, tensor in current.items():
        start = next(part for part in moves if name.startswith(part))
        earlier[moves[start] + name.removeprefix(start)] = tensor
    assert {f"{prefix}{n}" for n in ("features.pyramid.fuse.0.weight", "classifier.bias", "posterior.2.bias")} <= set(
        earlier
    )
    renamed = rename_ladder_weights(earlier)
    assert list(renamed) == list(current)
    assert all(renamed[name] is current[name] for name in current)
    assert rename_ladder_weights(current) == current


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
