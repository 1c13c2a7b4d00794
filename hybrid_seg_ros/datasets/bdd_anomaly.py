"""BDD-Anomaly (Hendrycks et al. 2022): all images of BDD100K's 10K set with a train, a motorcycle or a bicycle."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from tqdm import tqdm

from hybrid_seg_ros.datasets.errors import DatasetError
from hybrid_seg_ros.datasets.files import IMAGE_SUFFIXES, MASK_SUFFIXES, by_stem, list_files, read_ids
from hybrid_seg_ros.datasets.ids import anomaly_table
from hybrid_seg_ros.datasets.pairs import pair
from hybrid_seg_ros.datasets.sample import Dataset

LAYOUT = (
    "seg/images/{train,val}/ID.jpg and seg/labels/{train,val}/ID_train_id.png (ids 0..18, 255) "
    "or seg/train_labels/{train,val}/ID_train_id.png (the same ids plus 2)"
)

_SPLITS = ("train", "val")
_ENDING = "_train_id"
_KNOWN = (
    *("road", "sidewalk", "building", "wall", "fence", "pole", "traffic light", "traffic sign", "vegetation"),
    *("terrain", "sky", "person", "rider", "car", "truck", "bus"),
)
_ANOMALIES = (16, 17, 18)  # train, motorcycle, bicycle
_SHIFTS = {"labels": 0, "train_labels": 2}  # folder -> what is added to BDD100K's ids in it


def open_bdd_anomaly(
    root: Path, *, classes: Sequence[str] | None = None, jobs: int = 2, progress: bool = True
) -> Dataset:
    """Images that hold at least one pixel of the three classes that are held out: every mask is read to find them.

    Args:
        root: folder of seg/, or seg/ itself.
        classes: the network's classes.
        jobs: threads that read masks.
        progress: show how far it is.

    Raises:
        DatasetError: another layout, or no image has an anomaly.
    """
    base = root / "seg" if (root / "seg").is_dir() else root
    layout = f"in {root}: {LAYOUT}"
    folder = next((name for name in _SHIFTS if (base / name).is_dir()), None)
    if folder is None:
        raise DatasetError(f"{base}: neither {' nor '.join(_SHIFTS)} in it; expected {layout}")
    shift = _SHIFTS[folder]
    anomalies = tuple(value + shift for value in _ANOMALIES)
    masks = _of_splits(base / folder, MASK_SUFFIXES, layout)
    images = _of_splits(base / "images", IMAGE_SUFFIXES, layout)
    chosen, problems = _with_anomaly(masks, anomalies, jobs, progress)
    if not chosen:
        raise DatasetError(f"{base / folder}: no mask holds one of the ids {anomalies}; expected {layout}")
    class_ids = {value + shift: name for value, name in enumerate(_KNOWN)}
    found = pair(
        "bdd-anomaly",
        {name: path for name, path in images.items() if name in chosen},
        {name: masks[name] for name in chosen},
        anomaly=anomaly_table(known=class_ids, anomaly=anomalies),
        class_ids=class_ids,
        classes=classes,
        averaging="per_image",
        layout=layout,
    )
    return replace(found, problems=(*found.problems, *problems))


def _of_splits(folder: Path, suffixes: Sequence[str], layout: str) -> dict[str, Path]:
    """Files of train and val by ID; one split is enough."""
    splits = [split for split in _SPLITS if (folder / split).is_dir()]
    if not splits:
        raise DatasetError(f"{folder}: neither train nor val in it; expected {layout}")
    paths = [path for split in splits for path in list_files(folder / split, suffixes, layout=layout)]
    return by_stem(paths, (_ENDING,))


def _with_anomaly(
    masks: Mapping[str, Path], anomalies: Sequence[int], jobs: int, progress: bool
) -> tuple[dict[str, None], list[tuple[str, str]]]:
    """Names of the masks with one of the ids, and which masks could not be read."""
    chosen: dict[str, None] = {}
    problems = []
    with ThreadPoolExecutor(jobs) as pool:
        answers = pool.map(partial(_holds, anomalies=anomalies), masks.values())
        for name, answer in tqdm(
            zip(masks, answers, strict=True), total=len(masks), desc="looking for anomalies", disable=not progress
        ):
            if isinstance(answer, DatasetError):
                problems.append((str(masks[name]), f"{str(answer).partition(': ')[2]}; the image is left out"))
            elif answer:
                chosen[name] = None
    return chosen, problems


def _holds(path: Path, *, anomalies: Sequence[int]) -> bool | DatasetError:
    try:
        return bool(np.isin(read_ids(path), anomalies).any())
    except DatasetError as error:
        return error
