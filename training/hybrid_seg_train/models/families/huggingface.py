"""Hugging Face's semantic segmentation networks: SegFormer, UPerNet, MobileNetV2, MobileViT, DPT, ..."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import nn

from hybrid_seg_train.models.closed_set import PROBE_SIZE, RGB_MEAN, RGB_STD, ClosedSetNetwork
from hybrid_seg_train.models.families.optional import require
from hybrid_seg_train.models.weights import WeightsError, loading


def huggingface_network(
    classes: int,
    *,
    config: Mapping[str, Any] | None = None,
    folder: Path | str | None = None,
    backbone: str | None = None,
    mean: Sequence[float] = RGB_MEAN,
    std: Sequence[float] = RGB_STD,
    probe_size: Sequence[int] = PROBE_SIZE,
) -> ClosedSetNetwork:
    """A network of transformers' AutoModelForSemanticSegmentation; nothing is downloaded, no remote code runs.

    SegFormer gives logits at stride 4. UPerNet and DPT upsample theirs to the image's size, which makes a bundle
    slow.

    Args:
        classes: K.
        config: the configuration, with "model_type" (segformer, upernet, mobilenet_v2, mobilevit, ...): untrained.
        folder: or a local folder as `save_pretrained` writes it, config.json and model.safetensors. A classifier for
            another number of classes starts afresh.
        backbone: dotted name of the pretrained part; None takes the model's own base.
        mean: of the input, RGB, of 0..1 values, as in the folder's preprocessor_config.json.
        std: likewise.
        probe_size: (H, W) of an image the network takes; some take one size only.

    Raises:
        ValueError: neither or both of config and folder; a model_type that segments nothing.
        ModuleNotFoundError: transformers is not installed.
        WeightsError: the folder holds no weights of such a network as safetensors.
    """
    transformers = require("transformers", "transformers")
    if (config is None) == (folder is None):
        raise ValueError("a huggingface network needs either config (with model_type) or folder")
    if config is not None:
        network = _untrained(transformers, dict(config), classes)
    else:
        network = _trained(transformers, Path(str(folder)), classes)
    if backbone is None:
        bases = (getattr(network, "base_model_prefix", ""), "backbone")
        backbone = next((name for name in bases if name and hasattr(network, name)), "")
    return ClosedSetNetwork(network, classes=classes, backbone=backbone, mean=mean, std=std, probe_size=probe_size)


def _untrained(transformers: Any, config: dict[str, Any], classes: int) -> nn.Module:  # noqa: ANN401
    kind = config.pop("model_type", None)
    try:
        made = transformers.AutoConfig.for_model(kind, **{**config, "num_labels": classes, **_plain_output(kind)})
        network: nn.Module = transformers.AutoModelForSemanticSegmentation.from_config(made)
    except ValueError as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"huggingface model_type {kind!r}: no semantic segmentation network ({reason})") from error
    return network


def _trained(transformers: Any, folder: Path, classes: int) -> nn.Module:  # noqa: ANN401
    if not (folder / "config.json").is_file() or not any(folder.glob("*.safetensors")):
        raise WeightsError(f"{folder}: expected config.json and model.safetensors, as save_pretrained writes them")
    with loading(str(folder)):
        kind = transformers.AutoConfig.from_pretrained(folder, local_files_only=True).model_type
        network, report = transformers.AutoModelForSemanticSegmentation.from_pretrained(
            folder,
            num_labels=classes,
            ignore_mismatched_sizes=True,
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
            **_plain_output(kind),
        )
    odd = [name for name in report["missing_keys"] if "classifier" not in name]
    odd += [str(entry[0]) for entry in report["mismatched_keys"] if "classifier" not in str(entry[0])]
    if odd:
        raise WeightsError(f"{folder}: missing or of another shape: {', '.join(sorted(odd)[:5])}")
    made: nn.Module = network
    return made


def _plain_output(kind: str | None) -> dict[str, Any]:
    """No auxiliary head: its parameters would get no gradient, which distributed training does not allow."""
    return {"use_auxiliary_head": False} if kind in ("upernet", "beit", "data2vec-vision", "dpt") else {}
