"""Checkpoint -> bundle directory, parity-checked (DESIGN: the bundle)."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hybrid_seg_ros.bundle import (
    Bundle,
    ClassInfo,
    Golden,
    NetworkOutputs,
    Provenance,
    Score,
    image_to_tensor,
    write_bundle,
)
from hybrid_seg_ros.scenes import random_scene
from hybrid_seg_train.calibrate import Calibration
from hybrid_seg_train.data.labels import CAMVID11
from hybrid_seg_train.data.sources import ByteImage
from hybrid_seg_train.infer import Network, Trained, input_spec
from hybrid_seg_train.model_card import DATASETS, model_card
from hybrid_seg_train.models import STRIDE
from hybrid_seg_train.onnx_export import LOGITS, POSTERIOR, export_onnx
from hybrid_seg_train.parity import Parity, measure_parity, require_parity
from hybrid_seg_train.stages import Stage

INPUT_SIZE = (480, 352)
"""Default network input (width, height) of the shipped bundle, px."""

DEFAULT_OPERATING_POINT = "best_f1"

# float32 differs in rounding only; float16 moves logits by up to about 1e-2, which flips labels on class borders.
_FP32 = {"labels": 0.9999, "score": 1e-3}
_FP16 = {"labels": 0.995, "score": 0.25}


def export_bundle(
    trained: Trained,
    calibration: Calibration,
    evaluation: dict[str, Any] | None,
    out: Path,
    *,
    size: tuple[int, int] = INPUT_SIZE,
    commit: str = "",
    curve: Sequence[Mapping[str, float]] = (),
    stages: Sequence[Stage] = (),
) -> Bundle:
    """Write the bundle of a trained network, replacing what is at `out`.

    Args:
        trained: the checkpoint.
        calibration: operating points and temperature found for it.
        evaluation: its figures (see `evaluate.evaluate`), or None for an interim bundle without any.
        out: the bundle directory.
        size: default network input (width, height).
        commit: commit of the code that trained it.
        curve: the training curve, for the model card.
        stages: the recipes it followed, for the model card; none: the checkpoint's from the start.

    Raises:
        ExportError: an exported file drifts from PyTorch.
        BundleError: what was made is no valid bundle.
    """
    images = parity_images(size)
    with tempfile.TemporaryDirectory() as folder:
        full, half = Path(folder) / "model.onnx", Path(folder) / "model.fp16.onnx"
        parities: dict[str, Parity] = {}
        for file, limits in ((full, _FP32), (half, _FP16)):
            export_onnx(trained.network, file, half=file is half)
            parities[file.name] = measure_parity(trained.network, file, images)
            require_parity(parities[file.name], file.name, **limits)
        card = model_card(trained, calibration, evaluation, parities, curve, stages)
        return write_bundle(
            out,
            name=trained.recipe.name,
            description="Real-time open-set road segmentation: EfficientNet-Lite0 ladder network, 11 CamVid classes",
            files={full.name: full, half.name: half, "MODEL_CARD.md": card.encode()},
            golden=golden(trained.network, images[0]),
            network_input=input_spec(size),
            network_outputs=NetworkOutputs(logits=LOGITS, posterior=POSTERIOR, stride=STRIDE, align_corners=False),
            classes=class_table(),
            score=Score(
                kind="hybrid",
                operating_points=calibration.operating_points,
                default=DEFAULT_OPERATING_POINT,
                temperature=calibration.temperature,
            ),
            training=Provenance(
                datasets=[f"{d.name}: {d.use}" for d in DATASETS],
                licenses=[f"{d.name}: {d.license}" for d in DATASETS],
                seed=trained.recipe.seed,
                recipe=trained.recipe.name,
                commit=commit,
                metrics=headline_metrics(evaluation, calibration),
            ),
            overwrite=True,
        )


def class_table() -> list[ClassInfo]:
    """CAMVID11 in the manifest's form."""
    return [
        ClassInfo(id=i, name=c.name, color=c.color, drivable=c.drivable, obstacle=c.obstacle)
        for i, c in enumerate(CAMVID11)
    ]


def parity_images(size: tuple[int, int], count: int = 3) -> list[ByteImage]:
    """Generated scenes uint8[H, W, 3] BGR on which exports are compared: free of any data set's licence."""
    return [
        np.ascontiguousarray(random_scene(np.random.default_rng((9, i)), size, weather="overcast").frame.image)
        for i in range(count)
    ]


def golden(network: Network, image: ByteImage) -> Golden:
    """The parity test of a bundle: the network's outputs for an image at a network input size."""
    tensor = torch.from_numpy(image_to_tensor(image, input_spec((image.shape[1], image.shape[0]))))
    with torch.inference_mode():
        output = network(tensor)
    return Golden(image, output.logits[0].contiguous().numpy(), output.posterior[0].contiguous().numpy())


def headline_metrics(evaluation: dict[str, Any] | None, calibration: Calibration) -> dict[str, float]:
    """Flat figures in 0..1 for the manifest: mIoU, and AP and FPR95 of every cue on every set."""
    metrics = {"camvid_val_ece_before": calibration.ece_before, "camvid_val_ece_after": calibration.ece_after}
    for kind, pixel in calibration.scores.items():
        metrics[f"camvid_val_pasted_{kind}_ap"] = pixel.average_precision
        metrics[f"camvid_val_pasted_{kind}_fpr95"] = pixel.fpr95
    for name, closed in (evaluation or {}).get("closed_set", {}).items():
        metrics[f"{name}_miou"] = closed["miou"]
    for name, kinds in (evaluation or {}).get("anomaly", {}).items():
        for kind, values in kinds.items():
            metrics[f"{name}_{kind}_ap"] = values["average_precision"]
            metrics[f"{name}_{kind}_fpr95"] = values["fpr95"]
            metrics[f"{name}_{kind}_auroc"] = values["auroc"]
    return {key: round(value, 4) for key, value in metrics.items()}
