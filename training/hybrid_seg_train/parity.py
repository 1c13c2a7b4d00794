"""Whether an exported file still is the trained network: labels and score against PyTorch."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from hybrid_seg_ros.bundle import image_to_tensor
from hybrid_seg_train.data.sources import ByteImage
from hybrid_seg_train.infer import Network, input_spec
from hybrid_seg_train.onnx_export import run_onnx
from hybrid_seg_train.scores import anomaly_scores


class ExportError(RuntimeError):
    """An export that drifted from the network it was made from; nothing of it is kept."""


@dataclass(frozen=True, slots=True)
class Parity:
    """How far an exported file is from PyTorch on the test images.

    Attributes:
        label_agreement: share of stride-4 pixels with the same argmax.
        score_error: largest difference of the hybrid score.
        score_scale: standard deviation of the hybrid score, for comparison.
    """

    label_agreement: float
    score_error: float
    score_scale: float


def measure_parity(network: Network, onnx_file: Path, images: Sequence[ByteImage]) -> Parity:
    """Run both on images uint8[H, W, 3] BGR whose sides are multiples of 32."""
    equal, errors, scores = [], [], []
    for image in images:
        tensor = image_to_tensor(image, input_spec((image.shape[1], image.shape[0])))
        with torch.inference_mode():
            expected = network(torch.from_numpy(tensor))
        found = run_onnx(onnx_file, tensor)
        equal.append((expected.logits.argmax(1) == found.logits.argmax(1)).float().mean())
        truth, score = (anomaly_scores(o.logits[0], o.posterior[0])["hybrid"] for o in (expected, found))
        errors.append(float((truth - score).abs().max()))
        scores.append(truth.flatten())
    return Parity(float(np.mean(equal)), max(errors), float(torch.cat(scores).std()))


def require_parity(parity: Parity, what: str, *, labels: float, score: float) -> None:
    """Raise ExportError unless label agreement and score error are good enough.

    Args:
        parity: what was measured.
        what: the file's name, for the message.
        labels: least share of equal labels.
        score: largest score error, in standard deviations of the score.
    """
    if not parity.label_agreement >= labels:
        raise ExportError(f"{what}: {parity.label_agreement:.4%} of the labels equal PyTorch's, expected {labels:.2%}")
    if not parity.score_error <= score * parity.score_scale:
        raise ExportError(
            f"{what}: the hybrid score is up to {parity.score_error:.3g} off PyTorch's,"
            f" expected at most {score * parity.score_scale:.3g}"
        )
