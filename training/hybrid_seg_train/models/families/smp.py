"""Every architecture of segmentation-models-pytorch."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from torch import nn

from hybrid_seg_train.models.closed_set import RGB_MEAN, RGB_STD, ClosedSetNetwork
from hybrid_seg_train.models.families.optional import require
from hybrid_seg_train.models.weights import load_weights, loading


def smp_network(
    classes: int,
    *,
    architecture: str,
    encoder: str = "resnet34",
    pretrained: bool | str = True,
    weights: Path | str | None = None,
    upsample: bool = False,
    mean: Sequence[float] = RGB_MEAN,
    std: Sequence[float] = RGB_STD,
    probe_size: Sequence[int] = (128, 128),
    options: Mapping[str, Any] | None = None,
) -> ClosedSetNetwork:
    """A network of segmentation-models-pytorch.

    The library upsamples its logits with aligned corners, which a bundle does not know; by default that last step is
    cut off, and the logits come at the classifier's stride, to be upsampled with half-pixel centres like any other's.
    The two grids differ by at most half a stride, at the image's border; a training from there adapts to it.

    Args:
        classes: K.
        architecture: unet, unetplusplus, manet, linknet, fpn, pspnet, deeplabv3, deeplabv3plus, pan, upernet,
            segformer, dpt.
        encoder: any of the library's encoders; timm's as "tu-<name>".
        pretrained: download the encoder's ImageNet weights, or those of the name given ("advprop", "ssl", ...).
        weights: local file with the weights of a whole network of this architecture and encoder, instead.
        upsample: keep the library's last upsampling: logits at the image's size.
        mean: of the input; downloaded encoder weights bring their own.
        std: likewise.
        probe_size: (H, W) of an image the network takes.
        options: further arguments of the architecture (decoder_channels, ...); an activation must not be among them.

    Raises:
        ValueError: unknown architecture or encoder.
        ModuleNotFoundError: the library is not installed.
        WeightsError: the weights cannot be downloaded or do not fit.
    """
    smp = require("segmentation_models_pytorch", "segmentation-models-pytorch")
    known = smp.MODEL_ARCHITECTURES_MAPPING
    if architecture.lower() not in known:
        raise ValueError(f"smp architecture {architecture!r} is unknown, expected one of {', '.join(known)}")
    if not encoder.startswith("tu-") and encoder not in smp.encoders.get_encoder_names():
        raise ValueError(f"smp encoder {encoder!r} is unknown; smp.encoders.get_encoder_names() lists them")
    source = ("imagenet" if pretrained is True else pretrained) if pretrained and weights is None else None
    with loading(f"smp encoder {encoder} ({source})") if source else nullcontext():
        network: nn.Module = smp.create_model(
            architecture, encoder_name=encoder, encoder_weights=source, classes=classes, **(options or {})
        )
        if source:
            statistics = smp.encoders.get_preprocessing_params(encoder, source)
            mean, std = statistics["mean"], statistics["std"]
    if not upsample:
        _cut_upsampling(network)
    closed = ClosedSetNetwork(
        network,
        classes=classes,
        backbone="encoder",
        align_corners=upsample,
        mean=mean,
        std=std,
        probe_size=probe_size,
    )
    if weights is not None:
        load_weights(network, Path(weights), classifier=closed.info.classifier)
    return closed


def _cut_upsampling(network: nn.Module) -> None:
    head: Any = network.segmentation_head
    if isinstance(head, nn.Sequential):  # convolution, upsampling, activation
        head[1] = nn.Identity()
    else:  # DPT
        head.upsampling_factor = 1
