"""Coarse labels of all sources of a training in one list, and the way from stored ids to training labels."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hybrid_seg_train.data.label_space import LabelSpace
from hybrid_seg_train.data.labels import OUTLIER, VOID
from hybrid_seg_train.data.mapping import NEGATIVE, VOIDED, ClassMapping
from hybrid_seg_train.data.sources import ByteImage, DataError

_UNKNOWN = -1


class CoarseSets:
    """The unions of known classes that the sources of one training supervise; union i is label K + i.

    The order is that of first need, so the same sources opened in the same order give the same labels. Its `sets` are
    what `losses.inlier_loss` takes as `coarse`.
    """

    def __init__(self, classes: int, sets: Sequence[Sequence[int]] = ()) -> None:
        """For K = `classes` known classes, starting with the unions `sets`.

        Raises:
            DataError: the known classes and unions leave no room below OUTLIER.
        """
        self.classes = classes
        self._sets: list[tuple[int, ...]] = []
        self._check_room()
        for members in sets:
            self._sets.append(tuple(sorted(members)))
            self._check_room()

    @property
    def sets(self) -> tuple[tuple[int, ...], ...]:
        """Ids of the known classes of every union, in label order."""
        return tuple(self._sets)

    def label(self, members: Iterable[int]) -> int:
        """The label of the union of known ids `members`: the id itself of a single one, else K + index.

        Raises:
            DataError: a member outside 0..K-1, none at all, or no label below OUTLIER is left.
        """
        union = tuple(sorted(set(members)))
        if not union or union[0] < 0 or union[-1] >= self.classes:
            raise DataError(f"a coarse label unites the classes {union}, expected ids in 0..{self.classes - 1}")
        if len(union) == 1:
            return union[0]
        if union not in self._sets:
            self._sets.append(union)
            self._check_room()
        return self.classes + self._sets.index(union)

    def _check_room(self) -> None:
        if self.classes + len(self._sets) >= OUTLIER:
            raise DataError(
                f"{self.classes} known classes and {len(self._sets)} coarse labels are more than the {OUTLIER - 1} "
                "labels there are; use fewer sources, or mappings with fewer different unions"
            )


@dataclass(frozen=True)
class Encoder:
    """Stored ids -> training labels, by table.

    Attributes:
        space: name of the native space, for messages.
        table: int16[ids]: label of every stored id, -1 where the id means nothing.
    """

    space: str
    table: npt.NDArray[np.int16]

    def __call__(self, stored: npt.NDArray[np.integer], path: Path) -> ByteImage:
        """Integer ids [H, W] as stored in `path` -> uint8[H, W] labels.

        Raises:
            DataError: an id that the space does not have.
        """
        # The table's last entry means nothing: it stands for all ids beyond.
        inside = stored if stored.max(initial=0) < len(self.table) else np.minimum(stored, len(self.table) - 1)
        labels = self.table[inside]
        bad = labels == _UNKNOWN
        if bad.any():
            row, column = np.unravel_index(int(bad.argmax()), bad.shape)
            allowed = np.flatnonzero(self.table != _UNKNOWN).tolist()
            raise DataError(
                f"{path}: holds label {int(stored[row, column])}, expected one of {allowed} ({self.space}); first at "
                f"column {column}, row {row}"
            )
        return np.asarray(labels, np.uint8)


def build_encoder(native: LabelSpace, target: LabelSpace, mapping: ClassMapping, coarse: CoarseSets) -> Encoder:
    """The encoder of a set's label files; unions it needs are added to `coarse`.

    Args:
        native: how the files store classes.
        target: the training's K classes.
        mapping: from native to target, as `resolve_mapping` gives it.
        coarse: the training's unions.

    Raises:
        DataError: no label is left for a union, or `coarse` is of another number of classes.
    """
    if coarse.classes != len(target):
        raise DataError(f"{target.name} has {len(target)} classes, its coarse labels are for {coarse.classes}")
    place = {name: index for index, name in enumerate(target.names)}
    stored: dict[int, int] = {**dict.fromkeys(native.void, VOID), **dict.fromkeys(native.outlier, OUTLIER)}
    for name, number in zip(native.names, native.ids, strict=True):
        targets = mapping.classes[name]
        if targets == VOIDED:
            stored[number] = VOID
        elif targets == NEGATIVE:
            stored[number] = OUTLIER
        else:
            stored[number] = coarse.label(place[wanted] for wanted in targets)
    table = np.full(max(255, *stored) + 2, _UNKNOWN, np.int16)
    for number, label in stored.items():
        table[number] = label
    return Encoder(native.name, table)
