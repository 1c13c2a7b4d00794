"""Whole images with a label in each pixel: what patches and segments are cut from."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

import numpy as np
import numpy.typing as npt

from hybrid_seg_train.data.sources import ByteImage, read_image
from hybrid_seg_train.negatives.cutout import MEMORY, Recent
from hybrid_seg_train.negatives.segments import SegmentTable

NEVER = -1
"""Label of pixels that must not be pasted: of a class left out, or unlabelled while classes are left out."""


@dataclass(frozen=True, slots=True)
class LabelledImage:
    """An image and what each pixel belongs to.

    Attributes:
        image: uint8[H, W, 3], BGR.
        labels: int64[H, W]: label ids from 0, or NEVER.
    """

    image: ByteImage
    labels: npt.NDArray[np.int64]


class LabelledImages(Sequence[LabelledImage]):
    """The images of a set that hold wanted classes. Only those used last are in memory."""

    def __init__(
        self,
        root: Path,
        table: SegmentTable,
        images: npt.NDArray[np.int32],
        taken: npt.NDArray[np.bool_],
        *,
        instances: bool = False,
        whole: bool = False,
        memory: int = MEMORY,
    ) -> None:
        """Labels of the images `images` of `table`.

        Args:
            root: folder of the set.
            table: its segments.
            images: which of its images.
            taken: bool[K], classes that may be pasted; the others are labelled NEVER.
            instances: a label for every object rather than for every class.
            whole: unlabelled pixels may be pasted too, as a label of their own.
            memory: bytes of decoded images kept.
        """
        self._root, self._table, self._images, self._taken = root, table, images, taken
        self._instances, self._whole = instances, whole
        self._recent: Recent[LabelledImage] = Recent(memory)

    def __len__(self) -> int:
        return len(self._images)

    @overload
    def __getitem__(self, index: int) -> LabelledImage: ...
    @overload
    def __getitem__(self, index: slice) -> "LabelledImages": ...
    def __getitem__(self, index: int | slice) -> "LabelledImage | LabelledImages":
        """Image `index`, or the sequence of a slice of them; DataError where its files are not as when scanned."""
        if isinstance(index, slice):
            return LabelledImages(
                self._root,
                self._table,
                self._images[index],
                self._taken,
                instances=self._instances,
                whole=self._whole,
                memory=self._recent.limit,
            )
        number = int(self._images[index])
        return self._recent.get(number, lambda: self._decode(number))

    def _decode(self, number: int) -> tuple[LabelledImage, int]:
        image = read_image(self._root / str(self._table.images[number]))
        rows = self._table.label_map(self._root, number, image.shape[:2])
        labelled = rows >= 0
        kinds = self._table.kind[rows]
        labels = np.where(labelled & self._taken[kinds], rows if self._instances else kinds, NEVER)
        if self._whole:
            labels[~labelled] = len(self._table.key if self._instances else self._table.names)
        return LabelledImage(image, labels.astype(np.int64)), image.nbytes + labels.size * 8
