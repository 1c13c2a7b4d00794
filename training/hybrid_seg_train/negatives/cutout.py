"""Cut-outs: objects without their surroundings, decoded when they are asked for."""

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Generic, TypeVar, overload

import numpy as np
import numpy.typing as npt

from hybrid_seg_train.data.sources import ByteImage, DataError, read_image
from hybrid_seg_train.negatives.segments import SegmentTable

MEMORY = 256 * 2**20
"""Bytes of decoded pixels that a lazy sequence keeps, in each process."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Cutout:
    """One object without its surroundings.

    Attributes:
        image: uint8[h, w, 3], BGR, the object's bounding box.
        alpha: uint8[h, w], 255 inside the object.
        kind: name of its class in the set it comes from.
    """

    image: ByteImage
    alpha: ByteImage
    kind: str


@dataclass
class Recent(Generic[T]):
    """What was decoded last, up to a number of bytes: the oldest use goes first."""

    limit: int
    _items: OrderedDict[int, tuple[T, int]] = field(default_factory=OrderedDict)
    _held: int = 0

    def get(self, key: int, decode: Callable[[], tuple[T, int]]) -> T:
        """The item of `key`, decoded now (to the item and its bytes) where it is not at hand."""
        if key in self._items:
            self._items.move_to_end(key)
            return self._items[key][0]
        item, size = decode()
        if size <= self.limit:
            self._items[key] = item, size
            self._held += size
            while self._held > self.limit:
                self._held -= self._items.popitem(last=False)[1][1]
        return item


class Joined(Sequence[T]):
    """Several sequences one after the other, as lazy as they are: all objects of several sets."""

    def __init__(self, parts: Sequence[Sequence[T]]) -> None:
        self._parts = tuple(parts)
        self._ends = list(accumulate(len(part) for part in self._parts))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> list[T]: ...
    def __getitem__(self, index: int | slice) -> T | list[T]:
        """Item `index`, or the list of a slice of them."""
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        place = range(len(self))[index]
        part = bisect_right(self._ends, place)
        return self._parts[part][place - (self._ends[part] - len(self._parts[part]))]


class Cutouts(Sequence[Cutout]):
    """The chosen segments of a set as cut-outs. Only those used last are in memory."""

    def __init__(self, root: Path, table: SegmentTable, rows: npt.NDArray[np.int64], *, memory: int = MEMORY) -> None:
        """Cut-outs of the segments `rows` of `table`, whose files lie below `root`; `memory` in bytes."""
        self._root, self._table, self._rows = root, table, rows
        self._recent: Recent[Cutout] = Recent(memory)

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def kinds(self) -> list[str]:
        """The class name of every cut-out, without decoding any."""
        return [str(self._table.names[i]) for i in self._table.kind[self._rows]]

    @overload
    def __getitem__(self, index: int) -> Cutout: ...
    @overload
    def __getitem__(self, index: slice) -> "Cutouts": ...
    def __getitem__(self, index: int | slice) -> "Cutout | Cutouts":
        """Cut-out `index`, or the sequence of a slice of them.

        Raises:
            DataError: its files are not as they were when the set was scanned.
        """
        if isinstance(index, slice):
            return Cutouts(self._root, self._table, self._rows[index], memory=self._recent.limit)
        row = int(self._rows[index])
        return self._recent.get(row, lambda: self._decode(row))

    def _decode(self, row: int) -> tuple[Cutout, int]:
        path = self._root / str(self._table.images[self._table.image[row]])
        x, y, w, h = (int(v) for v in self._table.box[row])
        crop = read_image(path)[y : y + h, x : x + w].copy()
        alpha = self._table.alpha(self._root, row)
        if crop.shape[:2] != alpha.shape or not alpha.any():
            raise DataError(
                f"{path}: the object at x {x}, y {y}, {w}x{h} px is not there; image and annotation differ in size, or "
                "were changed after the set was scanned: remove the cached index"
            )
        return Cutout(crop, alpha, str(self._table.names[self._table.kind[row]])), crop.nbytes + alpha.nbytes
