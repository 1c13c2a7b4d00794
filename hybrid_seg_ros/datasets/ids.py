"""From the ids that a set stores to those that are evaluated: known, anomaly, void, and the network's classes."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.datasets.errors import DatasetError
from hybrid_seg_ros.datasets.files import read_ids

Table = npt.NDArray[np.uint8]

KNOWN, ANOMALY, VOID = 0, 1, 255
_SIZE = 1 << 16


def anomaly_table(
    *, anomaly: Collection[int], void: Collection[int] = (), known: Collection[int] | None = None
) -> Table:
    """uint8[65536]: stored id -> 0 known, 1 anomaly, 255 void.

    Args:
        anomaly: stored ids of anomalies.
        void: stored ids of what does not count; wins over `known`.
        known: stored ids of what is known; None: all others. With ids given, all others are void.

    Raises:
        DatasetError: an id outside of 0..65535, or one in two of the roles.
    """
    roles = {"anomaly": anomaly, "void": void, "known": known or ()}
    for role, ids in roles.items():
        for value in ids:
            if not 0 <= value < _SIZE:
                raise DatasetError(f"{role} id {value}: expected 0..{_SIZE - 1}")
            others = [name for name, group in roles.items() if name != role and value in group]
            if others:
                raise DatasetError(f"id {value} is given as {role} and as {others[0]}, expected one of them")
    table = np.full(_SIZE, KNOWN if known is None else VOID, np.uint8)
    for ids, value in ((known or (), KNOWN), (anomaly, ANOMALY), (void, VOID)):
        table[list(ids)] = value
    return table


@dataclass(frozen=True, slots=True)
class Translation:
    """From a set's stored class ids to the ids of `classes`.

    Attributes:
        table: uint8[65536]: stored id -> index in `classes`, 255 void; None: there is nothing to translate to.
        classes: what the ids mean; None where table is.
        problems: (which class, what happens to it) of those that do not agree.
    """

    table: Table | None = None
    classes: tuple[str, ...] | None = None
    problems: tuple[tuple[str, str], ...] = ()


def translate_classes(stored: Mapping[int, str] | None, classes: Sequence[str] | None) -> Translation:
    """How a set's classes become those of a network.

    Args:
        stored: stored id -> name in the set; None: the set has no classes.
        classes: the network's classes, compared without regard to case, spaces, hyphens and underscores; None: the
            set's own, in the order of their ids.
    """
    if not stored:
        return Translation()
    targets = tuple(stored[value] for value in sorted(stored)) if classes is None else tuple(classes)
    index = {_plain(name): i for i, name in enumerate(targets)}
    table = np.full(_SIZE, VOID, np.uint8)
    lost = []
    for value, name in stored.items():
        table[value] = index.get(_plain(name), VOID)
        if table[value] == VOID:
            lost.append(name)
    if len(lost) == len(stored):
        what = f"none of the set's classes ({', '.join(lost)}) is one of the network's ({', '.join(targets)})"
        return Translation(problems=(("class labels", f"{what}; figures of the closed set are left out"),))
    problems = [(f"class {name}", "unknown to the network; left out of the closed set") for name in lost]
    return Translation(table, targets, tuple(problems))


def read_mapped(path: Path, table: Table) -> npt.NDArray[np.uint8]:
    """uint8[H, W]: the mask in a file through a table.

    Raises:
        DatasetError: see `files.read_ids`.
    """
    stored = read_ids(path)
    if stored.dtype == np.uint8:
        return np.asarray(cv2.LUT(stored, table[:256]), np.uint8)  # four times as fast as indexing
    return np.asarray(table[stored], np.uint8)


def _plain(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())
