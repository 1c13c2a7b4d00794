"""What network files score, side by side on the same images; figures as `calibrate` and `evaluate` make them."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
import torch
from torch import Tensor
from tqdm import tqdm

from hybrid_seg_ros.bundle import Accuracy, Manifest, Ranking, Rates
from hybrid_seg_ros.evaluation import confusion_matrix, labelled_pixels, mean_iou, pixel_metrics
from hybrid_seg_train.anomaly_sets import AnomalySet
from hybrid_seg_train.calibration.pool import PixelPool
from hybrid_seg_train.data.sources import ByteImage, Example
from hybrid_seg_train.infer import Predictor
from hybrid_seg_train.models import HybridOutput
from hybrid_seg_train.quantization.images import CalibrationImages
from hybrid_seg_train.scores import anomaly_scores
from hybrid_seg_train.unseen import anomaly_labels

FloatArray = npt.NDArray[np.float32]

PIXEL_LIMIT = 20_000_000
"""So many pixels of a set are ranked exactly; of a larger one, a uniform random part of this size."""


class OnnxFile:
    """A network file of a bundle in ONNX Runtime on the CPU."""

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self._session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        self._input = manifest.input.name
        self._outputs = [manifest.outputs.logits, manifest.outputs.posterior]

    def __call__(self, image: Tensor) -> HybridOutput:
        """float32[1, 3, H, W] -> logits float32[1, K, h, w] and posterior float32[1, 2, h, w]."""
        outputs = self._session.run(self._outputs, {self._input: image.numpy()})
        return HybridOutput(*(torch.from_numpy(output) for output in outputs))


def score_error(files: Mapping[str, Path], manifest: Manifest, images: CalibrationImages) -> dict[str, float]:
    """Root mean square difference of each file's score to that of the first, at the outputs' stride.

    Args:
        files: name -> file; the first is what the others are compared with.
        manifest: of the bundle they belong to.
        images: what to run.

    Returns:
        Name -> error in standard deviations of the first file's score.
    """
    networks = {name: OnnxFile(path, manifest) for name, path in files.items()}
    first = next(iter(networks))
    squares, truths = dict.fromkeys(networks, 0.0), list[Tensor]()
    for tensor in images.tensors():
        image = torch.from_numpy(tensor)
        found = {}
        for name, network in networks.items():
            logits, posterior = network(image)
            found[name] = anomaly_scores(logits[0], posterior[0])[manifest.score.kind]
        truths.append(found[first])
        for name, values in found.items():
            squares[name] += float((values - found[first]).square().mean())
    scale = max(float(torch.stack(truths).std()), 1e-30)
    return {name: (total / len(images)) ** 0.5 / scale for name, total in squares.items() if name != first}


def measure_accuracy(
    files: Mapping[str, Path],
    manifest: Manifest,
    examples: Sequence[Example],
    title: str,
    others: Iterable[AnomalySet] = (),
    *,
    pixel_limit: int = PIXEL_LIMIT,
    progress: bool = True,
) -> dict[str, Accuracy]:
    """mIoU, AP, FPR95 and the rates at the shipped thresholds, of every file on the very same pixels.

    Args:
        files: name -> file.
        manifest: of the bundle they belong to: its input, score and thresholds.
        examples: images whose OUTLIER pixels are the anomalies and whose class ids the known; run at the bundle's
            default network input.
        title: what that set is called.
        others: more sets for AP and FPR95, each at its own network input where the network takes any.
        pixel_limit: how many pixels of a set are ranked.
        progress: show progress bars.

    Raises:
        ValueError: a set without an anomaly or without a known pixel.
    """
    networks = {name: _Segmenter(path, manifest) for name, path in files.items()}
    classes, size = len(manifest.classes), (manifest.input.width, manifest.input.height)
    confusion = {name: np.zeros((classes, classes), np.int64) for name in files}
    pool = PixelPool(pixel_limit)
    for example in tqdm(examples, title, disable=not progress):
        truth = np.where(example.labels < classes, example.labels, 255).astype(np.uint8)
        scores = {}
        for name, network in networks.items():
            labels, scores[name] = network(example.image, size)
            confusion[name] += confusion_matrix(labels, truth, classes)
        _add(pool, scores, anomaly_labels(example.labels))
    rankings = {name: {title: ranking} for name, ranking in _rankings(pool, files).items()}
    positive = pool.column("positive")
    rates = {
        name: {
            point: Rates(
                tpr=float((column[positive] > one.threshold).mean()),
                fpr=float((column[~positive] > one.threshold).mean()),
            )
            for point, one in manifest.score.operating_points.items()
        }
        for name, column in ((name, pool.column(name)) for name in files)
    }
    for other in others:
        pool = PixelPool(pixel_limit)
        for image, anomaly in tqdm(other.images(), other.name, total=other.count, disable=not progress):
            at = other.choose_size((image.shape[1], image.shape[0])) if manifest.input.dynamic else size
            _add(pool, {name: network(image, at)[1] for name, network in networks.items()}, anomaly)
        for name, ranking in _rankings(pool, files).items():
            rankings[name][other.name] = ranking
    return {
        name: Accuracy(miou=float(mean_iou(confusion[name])), anomaly=rankings[name], operating_points=rates[name])
        for name in files
    }


class _Segmenter:
    """Labels and score of images of any size, placed and upsampled as the manifest says."""

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self._network = OnnxFile(path, manifest)
        self._manifest = manifest
        self._predictors: dict[tuple[int, int], Predictor] = {}

    def __call__(self, image: ByteImage, size: tuple[int, int]) -> tuple[ByteImage, FloatArray]:
        """uint8[H, W, 3] BGR through a network input (width, height) -> labels uint8[H, W], score float32[H, W]."""
        if size not in self._predictors:
            self._predictors[size] = Predictor(self._network, size, self._manifest.input)
        output = self._predictors[size](image)
        labels = output.logits.argmax(dim=0).numpy().astype(np.uint8)
        return labels, anomaly_scores(*output)[self._manifest.score.kind].numpy()


def _add(pool: PixelPool, scores: Mapping[str, FloatArray], anomaly: ByteImage) -> None:
    kept: dict[str, npt.NDArray[Any]] = {}
    for name, values in scores.items():
        kept[name], kept["positive"] = labelled_pixels(values, anomaly)
    pool.add(**kept)


def _rankings(pool: PixelPool, names: Iterable[str]) -> dict[str, Ranking]:
    positive = pool.column("positive")
    metrics = {name: pixel_metrics(pool.column(name), positive) for name in names}
    return {name: Ranking(average_precision=m.average_precision, fpr95=m.fpr95) for name, m in metrics.items()}
