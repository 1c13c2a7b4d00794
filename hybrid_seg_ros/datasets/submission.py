"""The folder that SegmentMeIfYouCan is submitted as: anomaly_p/METHOD/DATASET/FRAME.hdf5, float16, key "value"."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.datasets.errors import DatasetError
from hybrid_seg_ros.datasets.files import image_size
from hybrid_seg_ros.datasets.sample import Dataset
from hybrid_seg_ros.datasets.score_maps import read_score_map, write_score_map

SUBMISSION_NAMES: Mapping[str, str] = {
    "road-anomaly21": "AnomalyTrack-all",
    "road-obstacle21": "ObstacleTrack-all",
    "lost-and-found": "LostAndFound-test",
    "lost-and-found-noknown": "LostAndFound-test",
}
"""Our name of a set -> what the benchmark stores its scores under."""

_METHOD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")


def submission_path(folder: Path, method: str, dataset: str, sample: str) -> Path:
    """Where the scores of an image belong.

    Raises:
        DatasetError: not a set of the benchmark, or a name that is no file name.
    """
    if dataset not in SUBMISSION_NAMES:
        raise DatasetError(f"{dataset} is not submitted to SegmentMeIfYouCan; expected {', '.join(SUBMISSION_NAMES)}")
    for what, name in (("method", method), ("image", sample)):
        if not _METHOD.fullmatch(name):
            raise DatasetError(f"{what} name {name!r}: expected letters, digits and _ . + - only")
    return folder / "anomaly_p" / method / SUBMISSION_NAMES[dataset] / f"{sample}.hdf5"


def write_submission(
    folder: Path, method: str, dataset: Dataset, scores: Iterable[tuple[str, npt.NDArray[np.floating]]]
) -> int:
    """Store score maps as the benchmark reads them; one in memory at a time, those already there are replaced.

    Args:
        folder: of the submission.
        method: its name.
        dataset: opened with split="all" where the test images are to be submitted.
        scores: (sample name, float[H, W], higher = more anomalous).

    Returns:
        How many were written.

    Raises:
        DatasetError: an image that the set does not have, a score map of another size than its image, with NaN, or
            beyond float16.
    """
    images = {sample.name: sample.image for sample in dataset.samples}
    count = 0
    for name, score in scores:
        path = submission_path(folder, method, dataset.name, name)
        if name not in images:
            raise DatasetError(f"{path}: {dataset.name} has no image {name!r}")
        _check(path, score, images[name])
        write_score_map(path, score, dtype=np.float16)
        count += 1
    return count


def check_submission(folder: Path, method: str, dataset: Dataset) -> list[tuple[str, str]]:
    """(file, what is wrong with it) of everything that the benchmark would stumble over; empty: complete.

    Raises:
        DatasetError: not a set of the benchmark.
    """
    problems = []
    for sample in dataset.samples:
        path = submission_path(folder, method, dataset.name, sample.name)
        try:
            _check(path, read_score_map(path), sample.image)
        except DatasetError as error:
            problems.append((str(path), str(error)))
    return problems


def _check(path: Path, score: npt.NDArray[np.floating], image: Path) -> None:
    height, width = image_size(image)
    if score.shape != (height, width):
        raise DatasetError(f"{path}: scores of shape {score.shape}, but {image} is {width}x{height} px")
    nan = int(np.isnan(score).sum())
    if nan:
        raise DatasetError(f"{path}: {nan} of {score.size} scores are NaN")
