"""What a reader finds on disk: pairs of files, and how their labels are stored."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hybrid_seg_train.data.label_space import LabelSpace
from hybrid_seg_train.data.sources import DataError, read_labels

StoredLabels = npt.NDArray[np.integer]
"""Integer class ids [H, W] as a data set stores them."""

Decoder = Callable[[Path], StoredLabels]
"""Label file -> stored ids; raises DataError. It must survive pickling, for helper processes."""

Pair = tuple[Path, Path]
"""Image file and label file."""

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")


@dataclass(frozen=True, slots=True)
class Listing:
    """A data set as found on disk.

    Attributes:
        pairs: image and label files, sorted by the image's path.
        space: the classes of its label files.
        decode: label file -> stored ids of `space`.
    """

    pairs: tuple[Pair, ...]
    space: LabelSpace
    decode: Decoder = read_labels


def find_images(folder: Path, pattern: str = "*") -> list[Path]:
    """Image files below `folder` that match `pattern`, sorted by path; empty where there is no folder."""
    return sorted(path for path in folder.glob(pattern) if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file())


def pair_up(images: Iterable[Path], label_of: Callable[[Path], Path]) -> tuple[Pair, ...]:
    """Every image with its label file.

    Raises:
        DataError: images without a label file; names the first and says how many.
    """
    pairs = tuple((image, label_of(image)) for image in images)
    missing = [pair for pair in pairs if not pair[1].is_file()]
    if missing:
        image, label = missing[0]
        raise DataError(
            f"{label}: not there, expected the labels of {image} ({len(missing)} of {len(pairs)} images have none)"
        )
    return pairs


def not_found(where: Path, what: str, tree: str, splits: Sequence[str] = ()) -> DataError:
    """The error of a set that is not where it was looked for.

    Args:
        where: folder that was looked into.
        what: the set and split, such as "CamVid's train split".
        tree: the folders that were expected, as text.
        splits: splits that are there instead.
    """
    found = f"; found the splits {', '.join(splits)}" if splits else ""
    there = "" if where.is_dir() else " (no such folder)"
    return DataError(f"{where}{there}: no images found, expected {what}{found}. Expected folders:\n{tree}")


def subfolders(folder: Path) -> list[str]:
    """Names of the folders in `folder`, sorted; empty where it is none."""
    return sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
