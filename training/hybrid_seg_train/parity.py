"""Whether an exported file still is the trained network: labels, score and what the score finds, against PyTorch."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional

from hybrid_seg_ros.bundle import NetworkInput, ScoreKind, image_to_tensor
from hybrid_seg_ros.evaluation import PixelMetrics, labelled_pixels, pixel_metrics
from hybrid_seg_ros.scenes import random_scene
from hybrid_seg_train.data.sources import ByteImage
from hybrid_seg_train.infer import OpenNetwork
from hybrid_seg_train.models import HybridOutput
from hybrid_seg_train.onnx_export import OnnxNetwork
from hybrid_seg_train.scores import anomaly_scores

# An unknown object worth counting, px at 480 x 352: a scene without one says nothing about AP.
_LEAST_OBJECT = 100


class ExportError(RuntimeError):
    """An export that drifted from the network it was made from; nothing of it is kept."""


class LabelledImage(NamedTuple):
    """uint8[H, W, 3] BGR, sides that the network takes; uint8[H, W] with 0 known, 1 anomaly, 255 void."""

    image: ByteImage
    anomaly: ByteImage


@dataclass(frozen=True, slots=True)
class Parity:
    """How far an exported file is from PyTorch on the test images.

    Attributes:
        label_agreement: share of pixels, at the network's stride, with the same argmax.
        score_error: largest difference of the score there.
        score_scale: standard deviation of the score, for comparison.
        expected: what PyTorch's score finds: metrics over the pooled full-size pixels.
        found: what the file's score finds.
    """

    label_agreement: float
    score_error: float
    score_scale: float
    expected: PixelMetrics
    found: PixelMetrics


@dataclass(frozen=True, slots=True)
class Limits:
    """How far an export may drift.

    Attributes:
        labels: least share of equal labels.
        score: largest score error, in standard deviations of the score.
        ranking: largest difference of AP, and of FPR95, in 0..1.
    """

    labels: float
    score: float
    ranking: float


FP32_LIMITS = Limits(labels=0.9999, score=1e-3, ranking=1e-3)
"""float32 differs in rounding only."""

FP16_LIMITS = Limits(labels=0.995, score=0.25, ranking=0.02)
"""float16 moves logits by up to about 1e-2, which flips labels on class borders and the order of near-equal scores."""


def parity_scenes(size: tuple[int, int], count: int = 3) -> list[LabelledImage]:
    """Generated scenes with unknown objects on which exports are compared: free of any data set's licence.

    Args:
        size: (width, height), px.
        count: how many.
    """
    scenes: list[LabelledImage] = []
    seed = 0
    while len(scenes) < count:
        scene = random_scene(np.random.default_rng((9, seed)), size, weather="overcast")
        seed += 1
        if (scene.anomaly == 1).sum() >= _LEAST_OBJECT * size[0] * size[1] / (480 * 352):
            scenes.append(LabelledImage(np.ascontiguousarray(scene.frame.image), scene.anomaly))
    return scenes


def measure_parity(
    network: OpenNetwork,
    onnx_file: Path,
    scenes: Sequence[LabelledImage],
    spec: NetworkInput,
    kind: ScoreKind = "hybrid",
) -> Parity:
    """Run both on every scene.

    Args:
        network: the trained network, in evaluation mode.
        onnx_file: what was made of it; runs in ONNX Runtime on the CPU.
        scenes: with anomalies and known pixels.
        spec: how an image becomes a tensor.
        kind: the score to compare.

    Raises:
        ExportError: the file does not run, or gives other shapes than PyTorch.
    """
    exported = OnnxNetwork(onnx_file)
    equal, errors, coarse = [], [], []
    pixels: tuple[list[torch.Tensor], list[torch.Tensor]] = ([], [])
    positives = []
    for image, anomaly in scenes:
        tensor = torch.from_numpy(image_to_tensor(image, spec))
        with torch.inference_mode():
            outputs = network(tensor), exported(tensor)
        _require_equal_shapes(onnx_file, *outputs)
        truth, score = (anomaly_scores(o.logits[0], o.posterior[0])[kind] for o in outputs)
        equal.append((outputs[0].logits.argmax(1) == outputs[1].logits.argmax(1)).float().mean())
        errors.append(float((truth - score).abs().max()))
        coarse.append(truth.flatten())
        for output, pooled in zip(outputs, pixels, strict=True):
            kept, positive = labelled_pixels(_full_size_score(output, anomaly, kind), anomaly)
            pooled.append(torch.from_numpy(kept))
        positives.append(positive)
    expected, found = (pixel_metrics(torch.cat(parts).numpy(), np.concatenate(positives)) for parts in pixels)
    return Parity(float(np.mean(equal)), max(errors), float(torch.cat(coarse).std()), expected, found)


def require_parity(parity: Parity, what: str, limits: Limits) -> None:
    """Raise ExportError, naming every figure that is off, unless labels, score, AP and FPR95 are close enough.

    Args:
        parity: what was measured.
        what: the file's name, for the message.
        limits: how close is close enough.
    """
    faults = []
    if not parity.label_agreement >= limits.labels:
        faults.append(f"{parity.label_agreement:.4%} of the labels equal PyTorch's, expected {limits.labels:.2%}")
    if not parity.score_error <= limits.score * parity.score_scale:
        faults.append(
            f"the score is up to {parity.score_error:.3g} off PyTorch's,"
            f" expected at most {limits.score * parity.score_scale:.3g}"
        )
    for name, metric in (("AP", "average_precision"), ("FPR95", "fpr95")):
        expected, found = getattr(parity.expected, metric), getattr(parity.found, metric)
        if not abs(expected - found) <= limits.ranking:
            faults.append(
                f"{name} is {found:.2%}, PyTorch's {expected:.2%}, expected within {100 * limits.ranking:g} points"
            )
    if faults:
        raise ExportError(f"{what}: {'; '.join(faults)}")


def _require_equal_shapes(file: Path, expected: HybridOutput, found: HybridOutput) -> None:
    for name, truth, exported in zip(HybridOutput._fields, expected, found, strict=True):
        if truth.shape != exported.shape:
            raise ExportError(f"{file.name}: {name} is {list(exported.shape)}, PyTorch's {list(truth.shape)}")


def _full_size_score(output: HybridOutput, anomaly: ByteImage, kind: ScoreKind) -> np.ndarray:
    """float32[H, W] in the paper's order: both maps upsampled with half-pixel centres, then the score."""
    logits, posterior = (
        functional.interpolate(maps, size=anomaly.shape, mode="bilinear", align_corners=False)[0] for maps in output
    )
    return anomaly_scores(logits, posterior)[kind].numpy()
