"""Networks of every family: upgraded bit for bit, exported, with their weights from local files."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from hybrid_seg_train.models import WeightsError, closed_set_network, output_stride, upgrade
from hybrid_seg_train.models.families.optional import require
from hybrid_seg_train.models.weights import load_weights, read_weights
from hybrid_seg_train.onnx_export import INPUT, export_onnx

K = 5
SEGFORMER = {
    "model_type": "segformer",
    "hidden_sizes": [8, 16, 24, 32],
    "depths": [1, 1, 1, 1],
    "num_attention_heads": [1, 1, 2, 2],
    "decoder_hidden_size": 16,
}
UPERNET = {
    "model_type": "upernet",
    "hidden_size": 16,
    "backbone_config": {
        "model_type": "resnet", "embedding_size": 8, "hidden_sizes": [8, 16, 16, 16], "depths": [1, 1, 1, 1],
        "layer_type": "basic", "out_features": ["stage1", "stage2", "stage3", "stage4"],
    },
}  # fmt: skip
SMP_STRIDES = {
    "unet": 1, "unetplusplus": 1, "manet": 1, "linknet": 1, "fpn": 4, "pspnet": 8, "deeplabv3": 8, "deeplabv3plus": 4,
    "pan": 4, "upernet": 4, "segformer": 4,
}  # fmt: skip


def own_network(classes: int, width: int = 8) -> nn.Module:
    """What a recipe's `factory` names."""
    return nn.Sequential(nn.Conv2d(3, width, 3, 2, 1), nn.BatchNorm2d(width), nn.ReLU(), nn.Conv2d(width, classes, 1))


def not_a_network(classes: int) -> int:
    return classes


def options(family: str, name: str) -> dict[str, Any]:
    if family == "smp":
        return {"architecture": name, "encoder": "mobilenet_v2", "pretrained": False}
    if family == "torchvision":
        return {"architecture": name}
    return {"config": {"segformer": SEGFORMER, "upernet": UPERNET}.get(name, {"model_type": name})}


CASES = [
    *(("smp", name, stride) for name, stride in SMP_STRIDES.items()),
    ("torchvision", "deeplabv3_mobilenet_v3_large", 16),
    ("torchvision", "lraspp_mobilenet_v3_large", 8),
    ("huggingface", "segformer", 4),
    ("huggingface", "upernet", 1),
    ("huggingface", "mobilenet_v2", 32),
]


@pytest.mark.parametrize(("family", "name", "stride"), CASES, ids=lambda value: str(value))
def test_an_upgrade_keeps_every_familys_logits_bit_for_bit(family: str, name: str, stride: int) -> None:
    torch.manual_seed(0)
    closed = closed_set_network(family, classes=K, **options(family, name)).eval()
    opened = upgrade(closed)
    image = torch.randn(1, 3, 128, 160)
    with torch.inference_mode():
        logits, posterior = opened(image)
        assert torch.equal(logits, closed(image))
    assert logits.shape == (1, K, 128 // stride, 160 // stride)
    assert posterior.shape == (1, 2, 128 // stride, 160 // stride)
    assert 0 < len(opened.backbone_parameters()) < len(list(opened.parameters()))


@pytest.mark.parametrize(
    ("family", "name"), [("smp", "fpn"), ("torchvision", "lraspp_mobilenet_v3_large"), ("huggingface", "segformer")]
)
def test_an_upgraded_network_exports_to_onnx_for_other_sizes_too(family: str, name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    opened = upgrade(closed_set_network(family, classes=K, **options(family, name))).eval()
    assert_onnx_agrees(opened, tmp_path / "model.onnx")


def assert_onnx_agrees(network: nn.Module, path: Path) -> None:
    export_onnx(network, path)
    image = torch.randn(1, 3, 96, 160)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    with torch.inference_mode():
        for found, expected in zip(session.run(None, {INPUT: image.numpy()}), network(image), strict=True):
            scale = float(expected.abs().max())
            assert scale > 0
            assert np.abs(found - expected.numpy()).max() <= 1e-4 * scale


def test_a_network_with_its_upsampling_kept_exports_too(tmp_path: Path) -> None:
    torch.manual_seed(0)
    closed = closed_set_network("smp", classes=K, **options("smp", "fpn"), upsample=True).eval()
    assert closed.info.align_corners
    opened = upgrade(closed)
    assert output_stride(opened, (128, 128)) == 1
    assert_onnx_agrees(opened, tmp_path / "model.onnx")


def test_cutting_smps_upsampling_is_all_that_differs() -> None:
    torch.manual_seed(0)
    cut = closed_set_network("smp", classes=K, **options("smp", "deeplabv3plus")).eval()
    kept = closed_set_network("smp", classes=K, **options("smp", "deeplabv3plus"), upsample=True).eval()
    kept.load_state_dict(cut.state_dict())
    image = torch.randn(1, 3, 64, 96)
    with torch.inference_mode():
        expected = functional.interpolate(cut(image), scale_factor=4.0, mode="bilinear", align_corners=True)
        torch.testing.assert_close(kept(image), expected)


@pytest.mark.parametrize("name", ["deeplabv3_mobilenet_v3_large", "lraspp_mobilenet_v3_large"])
def test_torchvisions_weights_give_torchvisions_logits(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    zoo = require("torchvision.models.segmentation", "torchvision")
    original = getattr(zoo, name)(num_classes=K, weights=None, weights_backbone=None, **aux(name)).eval()
    save_file(original.state_dict(), tmp_path / "weights.safetensors")
    closed = closed_set_network("torchvision", classes=K, architecture=name, weights=tmp_path / "weights.safetensors")
    image = torch.randn(1, 3, 64, 96)
    with torch.inference_mode():
        logits = closed.eval()(image)
        upsampled = functional.interpolate(logits, size=(64, 96), mode="bilinear", align_corners=False)
        torch.testing.assert_close(upsampled, original(image)["out"], rtol=1e-4, atol=1e-5)


def aux(name: str) -> dict[str, bool]:
    return {"aux_loss": True} if name.startswith("deeplab") else {}


def test_huggingface_weights_come_from_a_local_folder(tmp_path: Path) -> None:
    torch.manual_seed(0)
    first = closed_set_network("huggingface", classes=K, config=SEGFORMER).eval()
    first.network.save_pretrained(tmp_path / "segformer")  # type: ignore[operator]
    again = closed_set_network("huggingface", classes=K, folder=tmp_path / "segformer").eval()
    image = torch.randn(1, 3, 64, 96)
    with torch.inference_mode():
        assert torch.equal(first(image), again(image))
    wider = closed_set_network("huggingface", classes=K + 2, folder=tmp_path / "segformer").eval()
    with torch.inference_mode():
        assert wider(image).shape[1] == K + 2
    shared = [n for n, t in wider.state_dict().items() if "classifier" not in n]
    assert len(shared) > 50
    assert all(torch.equal(wider.state_dict()[n], first.state_dict()[n]) for n in shared)
    (tmp_path / "segformer" / "model.safetensors").unlink()
    with pytest.raises(WeightsError, match=r"segformer: expected config.json and model.safetensors"):
        closed_set_network("huggingface", classes=K, folder=tmp_path / "segformer")


def test_a_users_own_network_by_import_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "my_networks", sys.modules[__name__])
    weights = own_network(K, width=6).state_dict()
    torch.save({"state_dict": {f"module.{name}": tensor for name, tensor in weights.items()}}, tmp_path / "own.pth")
    closed = closed_set_network(
        "custom",
        classes=K,
        factory="my_networks:own_network",
        classifier="3",
        backbone="0",
        options={"width": 6},
        weights=tmp_path / "own.pth",
        mean=[0.5, 0.5, 0.5],
    )
    assert torch.equal(closed.network.state_dict()["0.weight"], weights["0.weight"])
    assert closed.info.mean == (0.5, 0.5, 0.5)
    assert_onnx_agrees(upgrade(closed).eval(), tmp_path / "own.onnx")


def test_weights_for_other_classes_leave_the_classifier_and_others_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_file(own_network(19).state_dict(), path)
    network = own_network(K)
    classifier = network.state_dict()["3.weight"].clone()
    load_weights(network, path, classifier="3")
    assert torch.equal(network.state_dict()["3.weight"], classifier)
    assert torch.equal(network.state_dict()["0.weight"], read_weights(path)["0.weight"])
    with pytest.raises(WeightsError, match=r"w.safetensors: .*3.weight is \(19, 8, 1, 1\), expected \(5, 8, 1, 1\)"):
        load_weights(own_network(K), path)
    with pytest.raises(WeightsError, match=r"2.weight is missing; .*3.weight is unknown"):
        load_weights(nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Conv2d(8, 19, 1)), path)


class Payload:
    """Code that would run if a file were unpickled."""

    def __reduce__(self) -> tuple[Callable[..., None], tuple[str]]:
        return (print, ("ran",))


def test_a_weights_file_cannot_run_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({"state_dict": Payload()}, tmp_path / "bad.pth")
    with pytest.raises(WeightsError, match=r"bad.pth: not readable as weights alone.*save it as .safetensors"):
        read_weights(tmp_path / "bad.pth")
    assert "ran" not in capsys.readouterr().out
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(WeightsError, match=r"list.pth: expected a dictionary of tensors, found list"):
        read_weights(tmp_path / "list.pth")


@pytest.mark.parametrize(
    ("family", "given", "message"),
    [
        ("smpp", {}, "family 'smpp' is unknown, expected one of ladder, smp, torchvision, huggingface, custom"),
        ("ladder", {"depth": 3}, "family 'ladder' has no option depth; it has backbone, width, pretrained, weights"),
        ("smp", {"architecture": "segnet"}, "architecture 'segnet' is unknown, expected one of unet, "),
        ("smp", {"architecture": "unet", "encoder": "x"}, "smp encoder 'x' is unknown"),
        ("torchvision", {"architecture": "unet"}, "'unet' is unknown, expected one of deeplabv3_mobilenet_v3_large, "),
        ("huggingface", {}, "needs either config .* or folder"),
        ("huggingface", {"config": {"model_type": "bert"}}, "model_type 'bert': no semantic segmentation network"),
        ("huggingface", {"config": {"model_type": "no"}}, "model_type 'no': no semantic segmentation network"),
        ("custom", {"factory": "nowhere"}, "'nowhere': expected package.module:callable"),
        ("custom", {"factory": "no.where:x"}, "'no.where:x': No module named"),
        ("custom", {"factory": "math:pi"}, "pi is not callable"),
    ],
)
def test_errors_say_what_was_expected(family: str, given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        closed_set_network(family, classes=K, **given)


def test_a_factory_that_makes_no_module_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "my_networks", sys.modules[__name__])
    with pytest.raises(ValueError, match=r"my_networks:not_a_network made a int, expected a torch\.nn\.Module"):
        closed_set_network("custom", classes=K, factory="my_networks:not_a_network")


def test_a_missing_library_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "segmentation_models_pytorch", None)
    with pytest.raises(ModuleNotFoundError, match=r'pip install "hybrid-seg-train\[zoo\]"'):
        closed_set_network("smp", classes=K, architecture="unet")


def test_a_network_that_returns_no_logits_is_told() -> None:
    class Odd(nn.Module):
        def forward(self, image: Tensor) -> dict[str, Tensor]:
            return {"mask": image}

    with pytest.raises(TypeError, match=r"entries \['mask'\], expected 'out' or 'logits'"):
        upgrade(Odd())
