"""The segments of an annotated set as a table: what lies where, small enough to keep for hundreds of thousands."""

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from hybrid_seg_train.data.sources import ByteImage, DataError
from hybrid_seg_train.negatives import runs as run_lengths
from hybrid_seg_train.negatives.maps import MAP_READERS, STRIDE, IdMap

LAYOUT = "segments-1"
"""Changes when what the table holds does, so that older cached ones are scanned again."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment while a set is scanned.

    Attributes:
        image: image file, below the set's root.
        annotation: id map that holds it, below the root; empty where `mask` is given.
        name: class name.
        box: x, y, width, height of its bounding box, px.
        key: its id in the id map.
        mask: uint8[h, w], nonzero inside, over the box; None where an id map holds it.
    """

    image: str
    annotation: str
    name: str
    box: tuple[int, int, int, int]
    key: int = 0
    mask: ByteImage | None = None


@dataclass(frozen=True)
class SegmentTable:
    """N segments of I images in K classes.

    Attributes:
        maps: name of the reader of its id maps (key of MAP_READERS); empty: masks are in `runs`.
        images: str[I], image files below the root.
        annotations: str[I], id map of each image below the root.
        names: str[K], class names.
        image: int32[N], image of each segment.
        kind: int32[N], class of each segment.
        box: int32[N, 4], x, y, width, height.
        key: int64[N], id in the id map, or where its mask starts in `runs`.
        runs: uint8[...], COCO's compressed run lengths of the masks over their boxes, one after the other.
    """

    maps: str
    images: npt.NDArray[np.str_]
    annotations: npt.NDArray[np.str_]
    names: npt.NDArray[np.str_]
    image: npt.NDArray[np.int32]
    kind: npt.NDArray[np.int32]
    box: npt.NDArray[np.int32]
    key: npt.NDArray[np.int64]
    runs: ByteImage

    def alpha(self, root: Path, row: int) -> ByteImage:
        """uint8[h, w], 255 inside segment `row`, over its box; smaller or empty where its files have changed."""
        x, y, w, h = (int(v) for v in self.box[row])
        if self.maps:
            ids = MAP_READERS[self.maps](root / str(self.annotations[self.image[row]]), int(self.key[row]) % STRIDE)
            return np.where(ids[y : y + h, x : x + w] == self.key[row], 255, 0).astype(np.uint8)
        end = int(self.key[row + 1]) if row + 1 < len(self.key) else len(self.runs)
        counts = self.runs[int(self.key[row]) : end].tobytes()
        return run_lengths.decode(counts, w, h) * np.uint8(255)

    def label_map(self, root: Path, image: int, shape: tuple[int, int]) -> IdMap:
        """int64[H, W]: row of the segment each pixel of an image belongs to, -1 for none.

        Later rows cover earlier ones.

        Args:
            root: folder of the set.
            image: which image.
            shape: its height and width, px.

        Raises:
            DataError: the image and its annotation differ in size.
        """
        rows = np.flatnonzero(self.image == image)
        path = root / str(self.annotations[image] or self.images[image])
        if self.maps:
            ids = MAP_READERS[self.maps](path, None)
            if ids.shape != shape:
                raise DataError(f"{path}: is {ids.shape[::-1]} px, its image {shape[::-1]}")
            order = rows[np.argsort(self.key[rows])]
            place = np.minimum(np.searchsorted(self.key[order], ids), len(order) - 1)
            return np.where(self.key[order][place] == ids, order[place], -1)
        labels = np.full(shape, -1, np.int64)
        for row in rows:
            x, y, w, h = (int(v) for v in self.box[row])
            if x + w > shape[1] or y + h > shape[0]:
                raise DataError(f"{path}: is {shape[::-1]} px, an object annotated in it reaches {x + w, y + h}")
            labels[y : y + h, x : x + w][self.alpha(root, int(row)) > 0] = row
        return labels

    def save(self, path: Path, fingerprint: str) -> None:
        """Write the table; a reader never sees half of it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}.partial.npz")  # other processes may scan the same set
        held = {f.name: np.array(getattr(self, f.name)) for f in fields(self)}
        np.savez(partial, allow_pickle=False, fingerprint=np.array(fingerprint), **held)
        partial.replace(path)

    @staticmethod
    def load(path: Path, fingerprint: str) -> "SegmentTable | None":
        """The table kept at `path`, or None where there is none, it cannot be read or it is of another state."""
        try:
            with np.load(path, allow_pickle=False) as stored:
                if str(stored["fingerprint"]) != fingerprint:
                    return None
                held = {f.name: stored[f.name] for f in fields(SegmentTable)}
        except (OSError, KeyError, ValueError, BadZipFile):
            return None
        return SegmentTable(**{**held, "maps": str(held["maps"])})


def tabulate(segments: Iterable[Segment], maps: str = "") -> SegmentTable:
    """Collect segments into a table, in their order."""
    images: dict[str, int] = {}
    annotations: list[str] = []
    names: dict[str, int] = {}
    image, kind, key, box = [], [], [], []
    runs = bytearray()
    for segment in segments:
        if segment.image not in images:
            images[segment.image] = len(images)
            annotations.append(segment.annotation)
        image.append(images[segment.image])
        kind.append(names.setdefault(segment.name, len(names)))
        box.append(segment.box)
        key.append(segment.key if segment.mask is None else len(runs))
        if segment.mask is not None:
            runs += run_lengths.encode(segment.mask)
    return SegmentTable(
        maps,
        np.array(list(images), np.str_),
        np.array(annotations, np.str_),
        np.array(list(names), np.str_),
        np.array(image, np.int32),
        np.array(kind, np.int32),
        np.array(box, np.int32).reshape(-1, 4),
        np.array(key, np.int64),
        np.frombuffer(bytes(runs), np.uint8),
    )


def fingerprint(root: Path, files: Sequence[Path]) -> str:
    """Digest of the files' names, sizes and times: tells whether a cached table is still of this set."""
    digest = hashlib.sha256(LAYOUT.encode())
    for file in files:
        state = file.stat()
        digest.update(f"{file.relative_to(root)}\0{state.st_size}\0{state.st_mtime_ns}\n".encode())
    return digest.hexdigest()
