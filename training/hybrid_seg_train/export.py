"""Checkpoint -> bundle directory, parity-checked (DESIGN: the bundle)."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from hybrid_seg_ros.bundle import (
    Bundle,
    ClassInfo,
    Golden,
    NetworkInput,
    NetworkOutputs,
    Provenance,
    Score,
    image_to_tensor,
    write_bundle,
)
from hybrid_seg_train.calibrate import Calibration
from hybrid_seg_train.data.label_space import KnownClass
from hybrid_seg_train.data.labels import CAMVID11
from hybrid_seg_train.data.sources import ByteImage
from hybrid_seg_train.infer import OpenNetwork, input_spec
from hybrid_seg_train.model_card import model_card
from hybrid_seg_train.models import OpenSetNetwork, output_stride
from hybrid_seg_train.networks import Trained
from hybrid_seg_train.onnx_export import LOGITS, POSTERIOR, export_onnx
from hybrid_seg_train.parity import (
    FP16_LIMITS,
    FP32_LIMITS,
    ExportError,
    Parity,
    measure_parity,
    parity_scenes,
    require_parity,
)
from hybrid_seg_train.recipe.measure import CardPart
from hybrid_seg_train.stages import Stage

INPUT_SIZE = (480, 352)
"""Default network input (width, height) of the shipped bundle, px."""

DEFAULT_OPERATING_POINT = "best_f1"

MOST_STATISTICS = 64
"""Statistics of more classes stay out of the manifest: they grow with the square, and only evaluation reads them."""


def export_bundle(
    trained: Trained,
    calibration: Calibration,
    evaluation: dict[str, Any] | None,
    out: Path,
    *,
    classes: Sequence[KnownClass] = CAMVID11,
    size: tuple[int, int] = INPUT_SIZE,
    operating_point: str = DEFAULT_OPERATING_POINT,
    facts: CardPart,
    description: str = "",
    commit: str = "",
    curve: Sequence[Mapping[str, float]] = (),
    stages: Sequence[Stage] = (),
) -> Bundle:
    """Write the bundle of a trained network, replacing what is at `out`.

    Args:
        trained: the checkpoint.
        calibration: operating points, confidence and statistics found for it.
        evaluation: its figures (see `evaluate.evaluate`), or None for an interim bundle without any.
        out: the bundle directory.
        classes: the known classes, in the order of the logits.
        size: default network input (width, height).
        operating_point: name of the threshold used unless told otherwise.
        facts: data sets, terms and limits, for manifest and model card.
        description: one line for people.
        commit: commit of the code that trained it.
        curve: the training curve, for the model card.
        stages: the recipes it followed, for the model card; none: the checkpoint's from the start.

    Raises:
        ExportError: an exported file drifts from PyTorch, or the network is of a kind that bundles cannot say.
        BundleError: what was made is no valid bundle.
    """
    network = trained.open_set
    _require_sayable(network, classes)
    spec = input_spec(size, network)
    scenes = parity_scenes(size)
    with tempfile.TemporaryDirectory() as folder:
        full, half = Path(folder) / "model.onnx", Path(folder) / "model.fp16.onnx"
        parities: dict[str, Parity] = {}
        for file, limits in ((full, FP32_LIMITS), (half, FP16_LIMITS)):
            export_onnx(network, file, half=file is half)
            parities[file.name] = measure_parity(network, file, scenes, spec, calibration.kind)
            require_parity(parities[file.name], file.name, limits)
        card = model_card(trained, calibration, evaluation, parities, curve, stages, classes=classes, facts=facts)
        return write_bundle(
            out,
            name=trained.recipe.name,
            description=description or f"Open-set road segmentation, {len(classes)} known classes",
            files={full.name: full, half.name: half, "MODEL_CARD.md": card.encode()},
            golden=golden(network, scenes[0].image, spec),
            network_input=spec,
            network_outputs=NetworkOutputs(
                logits=LOGITS, posterior=POSTERIOR, stride=output_stride(network), align_corners=False
            ),
            classes=class_table(classes),
            score=Score(
                kind=calibration.kind,
                operating_points=calibration.operating_points,
                default=operating_point,
                temperature=calibration.temperature,
                confidence_table=calibration.confidence_table,
                statistics=calibration.statistics if len(classes) <= MOST_STATISTICS else None,
            ),
            training=Provenance(
                datasets=[f"{d.name}: {d.use}" for d in facts.datasets],
                licenses=[f"{d.name}: {d.license}" for d in facts.datasets],
                seed=trained.recipe.seed,
                recipe=trained.recipe.name,
                commit=commit,
                metrics=headline_metrics(evaluation, calibration),
            ),
            overwrite=True,
        )


def class_table(classes: Sequence[KnownClass]) -> list[ClassInfo]:
    """Known classes in the manifest's form."""
    return [
        ClassInfo(id=i, name=c.name, color=c.color, drivable=c.drivable, obstacle=c.obstacle)
        for i, c in enumerate(classes)
    ]


def golden(network: OpenNetwork, image: ByteImage, spec: NetworkInput) -> Golden:
    """The parity test of a bundle: the network's outputs for an image at a network input size."""
    tensor = torch.from_numpy(image_to_tensor(image, spec))
    with torch.inference_mode():
        output = network(tensor)
    return Golden(image, output.logits[0].contiguous().numpy(), output.posterior[0].contiguous().numpy())


def headline_metrics(evaluation: dict[str, Any] | None, calibration: Calibration) -> dict[str, float]:
    """Flat figures in 0..1 for the manifest: mIoU, components, and AP and FPR95 of every cue on every set."""
    metrics = {"calibration_ece_before": calibration.ece_before, "calibration_ece_after": calibration.ece_after}
    for kind, pixel in calibration.scores.items():
        metrics[f"calibration_{kind}_ap"] = pixel.average_precision
        metrics[f"calibration_{kind}_fpr95"] = pixel.fpr95
    measured = evaluation or {}
    for name, closed in measured.get("closed_set", {}).items():
        metrics[f"{name}_miou"] = closed["miou"]
    for name, closed in measured.get("closed_set_before", {}).items():
        metrics[f"{name}_miou_before"] = closed["miou"]
    for name, kinds in measured.get("anomaly", {}).items():
        for kind, values in kinds.items():
            metrics[f"{name}_{kind}_ap"] = values["average_precision"]
            metrics[f"{name}_{kind}_fpr95"] = values["fpr95"]
            metrics[f"{name}_{kind}_auroc"] = values["auroc"]
    for name, components in measured.get("components", {}).items():
        for key in ("mean_siou", "mean_ppv", "mean_f1"):
            metrics[f"{name}_component_{key}"] = components[key]
    return {key: round(value, 4) for key, value in metrics.items()}


def _require_sayable(network: OpenSetNetwork, classes: Sequence[KnownClass]) -> None:
    if network.info.classes != len(classes):
        raise ExportError(f"the network has {network.info.classes} logits, expected {len(classes)}, one a known class")
    if network.info.align_corners:
        raise ExportError(
            "the network's logits are upsampled with align_corners=True; a bundle's with half-pixel centres. Have the"
            " network upsample them itself, so that nothing is left to do"
        )
