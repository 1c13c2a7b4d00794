"""The sets that anomaly scores are measured on, each image with 0 known, 1 anomaly, 255 void."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hybrid_seg_ros.frames.geometry import own_input_size
from hybrid_seg_train.data.sources import ByteImage, DataError, Example, read_image, read_labels
from hybrid_seg_train.recipe import Recipe
from hybrid_seg_train.samples.build import ground_of, read_source
from hybrid_seg_train.unseen import WithUnseenObjects, anomaly_labels, unseen_objects

LabelledImage = tuple[ByteImage, ByteImage]


@dataclass(frozen=True)
class AnomalySet:
    """One set.

    Attributes:
        name: as results call it.
        images: reads its images, one at a time.
        count: how many.
        choose_size: source (width, height) -> network input (width, height).
    """

    name: str
    images: Callable[[], Iterator[LabelledImage]]
    count: int
    choose_size: Callable[[tuple[int, int]], tuple[int, int]]


def anomaly_sets(recipe: Recipe, data: Path, *, progress: bool = True) -> list[AnomalySet]:
    """The sets of a recipe: benchmark folders, unseen objects pasted into test images, and held-out classes.

    Args:
        recipe: its `evaluation`, `calibration` and `hold_out` say which.
        data: the data root.
        progress: show progress bars while reading.

    Raises:
        DataError: a set is missing or not as expected.
    """
    part, size = recipe.evaluation, (recipe.calibration.width, recipe.calibration.height)
    sets = [
        benchmark_folder(name, data / part.anomaly_root / name, part.anomaly_max_width) for name in part.anomaly_sets
    ]
    test = recipe.validation.model_copy(update={"split": part.closed_set})
    title = f"{test.reader}_{test.split}"
    if part.pasted:
        known = read_source(test, recipe, data, progress=progress)
        pasted = WithUnseenObjects(known, unseen_objects(recipe, data), ground_of(recipe), recipe.calibration.seed)
        sets.append(_of_examples(f"{title}_pasted", pasted, size))
    if recipe.hold_out:
        held_out = read_source(test, recipe, data, held_out_negative=True, progress=progress)
        sets.append(_of_examples(f"{title}_{'_'.join(recipe.hold_out).lower()}", held_out, size))
    return sets


def benchmark_folder(name: str, folder: Path, max_width: int) -> AnomalySet:
    """A folder with images/ and labels_masks/ of equal stems, sorted by name.

    Images are run at their own width, or at `max_width` where they are wider, px.

    Raises:
        DataError: no images, or no label of an image; while reading: labels other than 0, 1 and 255.
    """
    images = sorted((folder / "images").glob("*.*"))
    if not images:
        raise DataError(f"{folder / 'images'}: no images found, expected a folder with images/ and labels_masks/")
    pairs = []
    for image in images:
        label = next(iter(sorted((folder / "labels_masks").glob(f"{image.stem}.*"))), None)
        if label is None:
            raise DataError(f"{folder / 'labels_masks'}: no labels for {image.name}")
        pairs.append((image, label))
    return AnomalySet(name, lambda: map(_read, pairs), len(pairs), lambda source: own_input_size(source, max_width))


def _read(pair: tuple[Path, Path]) -> LabelledImage:
    labels = read_labels(pair[1])
    if not np.isin(labels, (0, 1, 255)).all():
        raise DataError(f"{pair[1]}: expected 0 known, 1 anomaly, 255 void, found {np.unique(labels).tolist()}")
    return read_image(pair[0]), labels.astype(np.uint8)


def _of_examples(name: str, examples: Sequence[Example], size: tuple[int, int]) -> AnomalySet:
    return AnomalySet(
        name, lambda: ((e.image, anomaly_labels(e.labels)) for e in examples), len(examples), lambda _source: size
    )
