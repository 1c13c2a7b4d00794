"""Finding the convolution that turns features into class logits."""

from typing import TypeAlias

import torch
from torch import Tensor, nn

Classifier: TypeAlias = nn.Conv2d | nn.ConvTranspose2d


class ClassifierError(ValueError):
    """The classifier cannot be found, is no convolution to K classes, or something behind it mixes channels."""


def probe_image(size: tuple[int, int]) -> Tensor:
    """Random image float32[1, 3, H, W] of `size` (H, W), always the same; torch's own random state stays as it is."""
    return torch.randn(1, 3, *size, generator=torch.Generator().manual_seed(0))


def find_classifier(network: nn.Module, classes: int, image: Tensor) -> str:
    """Name of the last convolution that runs.

    Raises:
        ClassifierError: it has not `classes` outputs.
    """
    order: list[str] = []
    hooks = [
        module.register_forward_hook(lambda _module, _in, _out, name=name: order.append(name))
        for name, module in network.named_modules()
        if isinstance(module, Classifier)
    ]
    with torch.inference_mode():
        network(image)
    for hook in hooks:
        hook.remove()
    if not order:
        raise ClassifierError(f"{type(network).__name__}: no convolution runs in it, so it has no classifier")
    check_classifier(network, order[-1], classes)
    return order[-1]


def check_classifier(network: nn.Module, name: str, classes: int) -> Classifier:
    """The convolution called `name` in `network`.

    Raises:
        ClassifierError: there is none of that name, it is no convolution, or it has not `classes` outputs.
    """
    module = dict(network.named_modules()).get(name)
    if module is None:
        found = "there is no module of that name"
    elif not isinstance(module, Classifier):
        found = f"it is a {type(module).__name__}"
    elif module.out_channels != classes:
        found = f"it has {module.out_channels} outputs"
    else:
        return module
    names = [n for n, m in network.named_modules() if isinstance(m, Classifier) and m.out_channels == classes]
    candidates = ", ".join(names) if names else f"none; is the number of classes {classes}?"
    raise ClassifierError(
        f"{type(network).__name__}: expected the classifier {name!r} to be a 2-D convolution to {classes} classes, but "
        f"{found}. Convolutions to {classes} channels: {candidates}"
    )
