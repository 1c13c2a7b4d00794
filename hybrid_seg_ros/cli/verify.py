"""What a backend makes of a bundle, beside FP32 on the CPU: the golden test on labelled pictures."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from hybrid_seg_ros.backends import BackendInfo
from hybrid_seg_ros.bundle import Bundle
from hybrid_seg_ros.cli.table import two_columns
from hybrid_seg_ros.detector import Detector, Outputs, open_detector
from hybrid_seg_ros.evaluation import PixelMetrics, labelled_pixels, pixel_metrics
from hybrid_seg_ros.scenes import random_scene

FloatArray = npt.NDArray[np.float32]

FIRST_SEED = 5000
"""Scenes that no training uses."""
SIZE = (640, 480)


@dataclass(frozen=True, slots=True)
class Drift:
    """One backend beside the reference, on the same scenes.

    Attributes:
        info: what runs.
        scenes: how many.
        labels_equal: share of pixels with the label of the reference.
        mask_equal: share of pixels with the mask of the reference, at the default threshold.
        score_difference: mean |difference| of the score.
        reference: ranking of the unknown obstacles by the reference's score.
        found: ranking by this backend's.
    """

    info: BackendInfo
    scenes: int
    labels_equal: float
    mask_equal: float
    score_difference: float
    reference: PixelMetrics
    found: PixelMetrics

    def text(self) -> str:
        """For people."""
        rows = [
            ("runs", f"{self.info.name} on {self.info.device}, {self.info.precision}"),
            ("against", f"onnxruntime on cpu, fp32, {self.scenes} generated scenes"),
            ("labels equal", f"{self.labels_equal:.3%}"),
            ("mask equal", f"{self.mask_equal:.3%}"),
            ("score", f"mean difference {self.score_difference:.2e}"),
            ("AP", _change(self.reference.average_precision, self.found.average_precision)),
            ("FPR95", _change(self.reference.fpr95, self.found.fpr95)),
        ]
        return two_columns(rows)


def _change(before: float, after: float) -> str:
    return f"{before:.2%} -> {after:.2%} ({after - before:+.2%})"


def _score(score: FloatArray | None) -> FloatArray:
    if score is None:
        raise ValueError("expected a score, the detector was asked for one")
    return score


def measure_drift(bundle: Bundle, detector: Detector, *, scenes: int = 6, progress: bool = True) -> Drift:
    """Run generated scenes with unknown obstacles through the detector and through FP32 on the CPU.

    Args:
        bundle: of both.
        detector: the one in question.
        scenes: how many.
        progress: show a progress bar.
    """
    pooled: list[tuple[npt.NDArray[np.uint8], FloatArray, FloatArray]] = []
    labels, masks, differences = [], [], []
    with open_detector(bundle, "onnxruntime", input_size=detector.input_size) as reference:
        for index in tqdm(range(scenes), "generated scenes", disable=not progress):
            scene = random_scene(np.random.default_rng(FIRST_SEED + index), SIZE, weather="overcast", unknown=True)
            wanted, found = (one(scene.frame, Outputs.ALL) for one in (reference, detector))
            labels.append(np.mean(wanted.labels == found.labels))
            masks.append(np.mean(wanted.mask == found.mask))
            differences.append(np.abs(_score(wanted.score) - _score(found.score)).mean())
            pooled.append((scene.anomaly, _score(wanted.score), _score(found.score)))
    anomaly = np.concatenate([truth.ravel() for truth, _, _ in pooled])
    rankings = [
        pixel_metrics(*labelled_pixels(np.concatenate([entry[which].ravel() for entry in pooled]), anomaly))
        for which in (1, 2)
    ]
    return Drift(
        detector.info,
        scenes,
        float(np.mean(labels)),
        float(np.mean(masks)),
        float(np.mean(differences)),
        rankings[0],
        rankings[1],
    )
