"""What a quantization would do and how long it would take, without doing it."""

import time
from collections.abc import Sequence
from pathlib import Path

import onnx
import torch

from hybrid_seg_ros.bundle import CalibrationMethod
from hybrid_seg_train.anomaly_sets import AnomalySet
from hybrid_seg_train.estimate import in_words
from hybrid_seg_train.quantization.cost import OnnxFile
from hybrid_seg_train.quantization.graph import FILES
from hybrid_seg_train.quantize import QuantizationPlan

# Runs of the network that one image takes as long as: reading out every activation, their histograms, and measuring
# one file with the formula at full size. Observed on two cores; only for the estimate.
_RANGES = {"minmax": 4, "percentile": 30, "entropy": 15}
_MEASURED = 2


def quantization_estimate(plan: QuantizationPlan, methods: Sequence[CalibrationMethod], out: Path) -> str:
    """A few lines: images, nodes that stay float, sets that are measured, and the time in all.

    Args:
        plan: what would be quantized.
        methods: ways to choose the activations' ranges.
        out: where the bundle would go.
    """
    manifest = plan.bundle.manifest
    width, height = manifest.input.width, manifest.input.height
    network = OnnxFile(plan.bundle.file("model.onnx"), manifest)
    image = torch.zeros(1, 3, height, width)
    network(image)
    start = time.perf_counter()
    network(image)
    pace = time.perf_counter() - start
    measured = len(plan.measured) + sum(one.count * _area(one) / (width * height) for one in plan.others)
    seconds = pace * (
        len(plan.images) * sum(_RANGES[method] for method in methods) + measured * _MEASURED * (1 + len(FILES))
    )
    convolutions = [n for n in onnx.load(plan.bundle.file("model.onnx")).graph.node if n.op_type == "Conv"]
    kept = sum(node.name in plan.keep for node in convolutions)
    lines = [
        f"would write {out}: {manifest.name} with {' and '.join(FILES.values())}",
        f"ranges by {', '.join(methods)} from {len(plan.images)} images: {plan.images.source}",
        f"{len(convolutions)} convolutions, {kept} of them stay float32",
        f"measured on {plan.title}: {len(plan.measured)} images",
        *(f"measured on {one.name}: {one.count} images" for one in plan.others),
        f"about {in_words(seconds)}",
    ]
    return "\n  ".join(lines)


def _area(one: AnomalySet) -> int:
    """Pixels of the network input for a typical image of a set."""
    image, _ = next(one.images())
    width, height = one.choose_size((image.shape[1], image.shape[0]))
    return width * height
