"""Readers: each gives image and label pairs in the training's label space, decoded once and kept in memory."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from hybrid_seg_train.data.labels import CAMVID11, IDD_LITE_AS_CAMVID11, VOID

ByteImage = npt.NDArray[np.uint8]


class DataError(ValueError):
    """A data set is not as expected; the message names the file and what was expected."""


@dataclass(frozen=True, slots=True)
class Example:
    """One labelled image.

    Attributes:
        image: uint8[H, W, 3], BGR.
        labels: uint8[H, W]: known class id, len(CAMVID11) + coarse id, OUTLIER or VOID.
    """

    image: ByteImage
    labels: ByteImage


def read_camvid(root: Path, split: str) -> list[Example]:
    """CamVid-11 below `root` (`<split>/images/*`, `<split>/labels/*.png` of the same stems), sorted by name.

    Raises:
        DataError: nothing found, a label missing, sizes that differ, or a label outside 0..11.
    """
    folder = root / split
    images = sorted((folder / "images").glob("*.*"))
    if not images:
        raise DataError(f"{folder / 'images'}: no images found, expected CamVid's {split} split; see --data")
    table = _table({**{c: c for c in range(len(CAMVID11))}, 11: VOID, 255: VOID})
    return [_read_pair(image, folder / "labels" / f"{image.stem}.png", table) for image in images]


def read_idd_lite(root: Path, split: str) -> list[Example]:
    """IDD-Lite below `root` (leftImg8bit/<split>/*/*_image.jpg, gtFine/<split>/*/*_label.png), sorted by name.

    Its seven classes become coarse labels len(CAMVID11) + id.

    Raises:
        DataError: as `read_camvid`.
    """
    images = sorted((root / "leftImg8bit" / split).glob("*/*_image.*"))
    if not images:
        raise DataError(f"{root / 'leftImg8bit' / split}: no */*_image.* found, expected IDD-Lite's {split} split")
    table = _table({**{c: len(CAMVID11) + c for c in range(len(IDD_LITE_AS_CAMVID11))}, VOID: VOID})
    labels = root / "gtFine" / split
    return [
        _read_pair(i, labels / i.parent.name / i.name.replace(i.name[i.name.rindex("_image") :], "_label.png"), table)
        for i in images
    ]


def read_image(path: Path) -> ByteImage:
    """uint8[H, W, 3] BGR of an image file; DataError where it cannot be decoded."""
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise DataError(f"{path}: cannot be read as an image")
    return np.asarray(image, np.uint8)


def read_labels(path: Path) -> ByteImage:
    """uint8[H, W] of a label file, values as stored; DataError where it is missing or has colours."""
    labels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if labels is None:
        raise DataError(f"{path}: cannot be read, expected a label image")
    if labels.ndim != 2 or labels.dtype != np.uint8:
        raise DataError(
            f"{path}: expected one 8 bit channel of class ids, found shape {labels.shape} of {labels.dtype}"
        )
    return np.asarray(labels, np.uint8)


def _table(known: dict[int, int]) -> npt.NDArray[np.int16]:
    table = np.full(256, -1, np.int16)
    for stored, label in known.items():
        table[stored] = label
    return table


def _read_pair(image_path: Path, label_path: Path, table: npt.NDArray[np.int16]) -> Example:
    image, stored = read_image(image_path), read_labels(label_path)
    if image.shape[:2] != stored.shape:
        raise DataError(f"{label_path}: is {stored.shape[::-1]} px, its image {image_path.name} {image.shape[1::-1]}")
    labels = table[stored]
    if labels.min() < 0:
        allowed = np.flatnonzero(table >= 0).tolist()
        raise DataError(f"{label_path}: holds label {int(stored[labels < 0][0])}, expected one of {allowed}")
    return Example(image, labels.astype(np.uint8))


READERS: dict[str, Callable[[Path, str], list[Example]]] = {"camvid": read_camvid, "idd_lite": read_idd_lite}
"""Readers by the name recipes use; each takes the set's folder and the split."""
