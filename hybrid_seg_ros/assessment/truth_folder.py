"""Ground truth of a recording in a folder of label pictures."""

import re
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from hybrid_seg_ros.assessment.frame_truth import FrameTruth, LabelRule, TruthError

_PICTURES = (".png", ".bmp", ".tif", ".tiff")


class FolderTruth:
    """One picture of label ids a frame, 8 or 16 bits; see `TruthSource`.

    Args:
        folder: with the pictures.
        stamps: of the frames, ns, in order.
        matching: "stamp": the stamp is in the name (ns, or s and ns as in 1700000000.066666666, with . _ or -
            between); "index": the pictures in the order of their names are the frames in theirs; "auto": by stamp
            where one of the names has a stamp, else by index.
        rule: what the ids mean.

    Raises:
        TruthError: no pictures, none of a frame's stamp, or as many as there are not frames where that must be known.
    """

    def __init__(self, folder: Path, stamps: Sequence[int], matching: str, rule: LabelRule) -> None:
        files = sorted((p for p in folder.iterdir() if p.suffix.lower() in _PICTURES), key=_natural)
        if not files:
            raise TruthError(f"{folder}: no label pictures ({', '.join(_PICTURES)}) in it")
        self._rule = rule
        self._by_stamp: dict[int, Path] | None = None
        self._files = files
        self.problems: list[str] = []
        known = set(stamps)
        named = {stamp: file for file in files if (stamp := stamp_in(file.stem)) is not None}
        shared = known & named.keys()
        if matching == "stamp" or (matching == "auto" and named):
            if not shared:
                raise TruthError(
                    f"{folder}: no file has the stamp of a frame in its name, as {stamps[0] if stamps else 0}.png;"
                    f" the first of {len(files)} is {files[0].name}; --match index takes them in their order"
                )
            self._by_stamp = named
            self._missing(len(known - named.keys()), "frames have no picture")
            self._missing(len(files) - len(shared), "pictures belong to no frame")
        elif matching == "auto" and len(files) != len(stamps):
            raise TruthError(
                f"{folder}: {len(files)} pictures for {len(stamps)} frames, and no stamps in their names; expected one"
                " a frame (--match index pairs the first ones all the same)"
            )
        else:
            self._missing(max(len(stamps) - len(files), 0), "frames have no picture")
            self._missing(max(len(files) - len(stamps), 0), "pictures belong to no frame")
        self.description = f"folder {folder.name}, by {'index' if self._by_stamp is None else 'stamp'}"

    def at(self, index: int, stamp_ns: int) -> FrameTruth | None:
        """See `TruthSource`."""
        if self._by_stamp is not None:
            file = self._by_stamp.get(stamp_ns)
        else:
            file = self._files[index] if index < len(self._files) else None
        if file is None:
            return None
        ids = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
        if ids is None:
            raise TruthError(f"{file.name}: not a picture that can be read")
        if ids.ndim != 2:
            raise TruthError(f"{file.name}: {ids.shape[2]} channels, expected one channel of label ids")
        return FrameTruth(*self._rule.split(np.asarray(ids, np.int64)))

    def close(self) -> None:
        """See `TruthSource`; nothing is held."""

    def _missing(self, count: int, what: str) -> None:
        if count:
            self.problems.append(f"{count} {what}")


def stamp_in(stem: str) -> int | None:
    """The stamp, ns, in a file's name: its last 19 digits in one, or 10 and 9 digits with . _ or - between."""
    found = re.findall(r"(?<!\d)(\d{10})[._-]?(\d{9})(?!\d)", stem)
    return int("".join(found[-1])) if found else None


def _natural(path: Path) -> list[int | str]:
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", path.name)]
