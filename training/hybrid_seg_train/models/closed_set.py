"""Any closed-set segmentation network behind one interface."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from hybrid_seg_train.models.classifier import ClassifierError, check_classifier, find_classifier, probe_image

# The ImageNet statistics of torchvision, and of whoever trains like it.
RGB_MEAN = (0.485, 0.456, 0.406)
RGB_STD = (0.229, 0.224, 0.225)

# (H, W) of an image that nearly every network takes.
PROBE_SIZE = (64, 96)


@dataclass(frozen=True, slots=True)
class NetworkInfo:
    """What one has to know about a segmentation network beside its weights.

    Attributes:
        classes: K, number of known classes.
        classifier: dotted name of the convolution that turns features into logits.
        backbone: dotted name of the pretrained part; "" where there is none.
        align_corners: grid on which the logits are to be upsampled; False = half-pixel centres, all that bundles know.
        mean: of the input's channels, RGB, of 0..1 values.
        std: likewise.
        probe_size: (H, W) of an input that the network takes; for the probes made of it.
    """

    classes: int
    classifier: str
    backbone: str = ""
    align_corners: bool = False
    mean: tuple[float, float, float] = RGB_MEAN
    std: tuple[float, float, float] = RGB_STD
    probe_size: tuple[int, int] = PROBE_SIZE


class ClosedSetNetwork(nn.Module):
    """A segmentation network of any origin: normalised RGB image in, K-channel logits out.

    Args:
        network: returns logits, or a mapping with "out" or "logits", an object with `.logits`, or a sequence that
            begins with them.
        classes: K.
        classifier: dotted name of the classifier in `network`; None takes the last convolution that runs.
        backbone: dotted name of the pretrained part, which usually learns at a lower rate; "" for none.
        align_corners: see `NetworkInfo`.
        mean: see `NetworkInfo`.
        std: see `NetworkInfo`.
        probe_size: see `NetworkInfo`.

    Raises:
        ClassifierError: `classifier` is not a 2-D convolution to K channels.
        ValueError: there is no module called `backbone`.
    """

    def __init__(
        self,
        network: nn.Module,
        *,
        classes: int,
        classifier: str | None = None,
        backbone: str = "",
        align_corners: bool = False,
        mean: Sequence[float] = RGB_MEAN,
        std: Sequence[float] = RGB_STD,
        probe_size: Sequence[int] = PROBE_SIZE,
    ) -> None:
        super().__init__()
        height, width = probe_size
        if classifier is None:
            # On a copy: a forward pass in evaluation mode must not leave the caller's network in that mode.
            classifier = find_classifier(copy.deepcopy(network).eval(), classes, probe_image((height, width)))
        check_classifier(network, classifier, classes)
        if backbone and backbone not in dict(network.named_modules()):
            parts = ", ".join(name for name, _ in network.named_children())
            raise ValueError(f"{type(network).__name__}: no module is called {backbone!r}; its parts are {parts}")
        (red, green, blue), (red_std, green_std, blue_std) = mean, std
        self.network = network
        self.info = NetworkInfo(
            classes=classes,
            classifier=classifier,
            backbone=backbone,
            align_corners=align_corners,
            mean=(red, green, blue),
            std=(red_std, green_std, blue_std),
            probe_size=(height, width),
        )

    def forward(self, image: Tensor) -> Tensor:
        """float32[B, 3, H, W] -> logits float32[B, K, H/s, W/s]."""
        return logits_of(self.network, image)

    def backbone_parameters(self) -> list[nn.Parameter]:
        """The trainable parameters of the pretrained part, for a lower learning rate; none where it has none."""
        return parameters_of(self.network, self.info.backbone)


def as_closed_set(network: nn.Module, classifier: str | None = None) -> ClosedSetNetwork:
    """A network as ClosedSetNetwork; the number of classes of a plain module is that of its logits.

    Raises:
        ClassifierError: see `ClosedSetNetwork`; also where a ClosedSetNetwork knows another classifier.
    """
    if not isinstance(network, ClosedSetNetwork):
        with torch.inference_mode():
            logits = logits_of(copy.deepcopy(network).eval(), probe_image(PROBE_SIZE))
        return ClosedSetNetwork(network, classes=logits.shape[1], classifier=classifier)
    if classifier not in (None, network.info.classifier):
        raise ClassifierError(f"the network's classifier is {network.info.classifier!r}, not {classifier!r}")
    return network


def logits_of(network: nn.Module, image: Tensor) -> Tensor:
    """The logits a network of any origin returns for an image.

    Raises:
        TypeError: it returns something else.
    """
    logits = first_output(network(image))
    if not isinstance(logits, Tensor):
        raise TypeError(f"{type(network).__name__} returned {type(logits).__name__}, expected logits")
    return logits


def first_output(returned: object) -> object:
    """The logits in what a segmentation network returns; see `ClosedSetNetwork`."""
    if isinstance(returned, Mapping):
        found = next((returned[key] for key in ("out", "logits") if key in returned), None)
        if found is None:
            raise TypeError(f"the network returned the entries {sorted(returned)}, expected 'out' or 'logits'")
        return found
    if hasattr(returned, "logits"):
        return returned.logits
    return returned[0] if isinstance(returned, (tuple, list)) else returned


def parameters_of(network: nn.Module, name: str) -> list[nn.Parameter]:
    """Trainable parameters of the module called `name`; none for ""."""
    return [p for p in network.get_submodule(name).parameters() if p.requires_grad] if name else []


def output_stride(network: nn.Module, size: tuple[int, int] = PROBE_SIZE) -> int:
    """How many times smaller than the image a network's logits are, measured on an image of `size` (H, W).

    Raises:
        ValueError: the two axes differ, or a side is no whole number of output cells.
    """
    was_training = network.training
    with torch.inference_mode():
        logits = logits_of(network.eval(), probe_image(size))
    network.train(was_training)
    height, width = logits.shape[2:]
    stride = size[0] // height
    if (height * stride, width * stride) != size:
        raise ValueError(f"logits of {height}x{width} for an image of {size[0]}x{size[1]}: not one whole stride")
    return stride
