"""Scanning sets whose annotations are id maps."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from hybrid_seg_train.data.sources import DataError
from hybrid_seg_train.negatives.maps import MAP_READERS, STRIDE, IdMap
from hybrid_seg_train.negatives.segments import Segment, SegmentTable, tabulate

IMAGES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")
"""Endings of image files, any case."""


def images_below(folder: Path) -> list[Path]:
    """All image files below `folder`, sorted; none where there is no such folder."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in IMAGES)


def image_of(annotation: Path, folder: Path, stem: str) -> Path:
    """The image `stem` of any known ending in `folder`; DataError where the annotation has none."""
    for ending in IMAGES:
        for candidate in (folder / f"{stem}{ending}", folder / f"{stem}{ending.upper()}"):
            if candidate.is_file():
                return candidate
    raise DataError(f"{annotation}: has no image; expected {folder / stem} with one of {', '.join(IMAGES)}")


def scan_maps(
    root: Path,
    pairs: Sequence[tuple[Path, Path]],
    maps: str,
    names: Callable[[Path], Mapping[int, str]],
    *,
    progress: bool = True,
) -> SegmentTable:
    """The table of a set with one id map per image.

    Args:
        root: folder of the set.
        pairs: image and id map of each.
        maps: which of MAP_READERS reads the maps.
        names: annotation file -> name of each class in it; classes without a name are left out.
        progress: show a progress bar.
    """

    def segments() -> Iterator[Segment]:
        for image, annotation in tqdm(pairs, f"scanning {root.name}", disable=not progress):
            ids, called = MAP_READERS[maps](annotation, None), names(annotation)
            files = str(image.relative_to(root)), str(annotation.relative_to(root))
            for key, box in boxes(ids):
                if key % STRIDE in called:
                    yield Segment(*files, called[key % STRIDE], box, key)

    return tabulate(segments(), maps)


def boxes(ids: IdMap) -> Iterator[tuple[int, tuple[int, int, int, int]]]:
    """Every id but 0 in the map with its bounding box (x, y, width, height), by rising id."""
    # Runs of equal ids along the rows are far fewer than pixels.
    starts = np.ones(ids.shape, bool)
    starts[:, 1:] = ids[:, 1:] != ids[:, :-1]
    rows, left = np.nonzero(starts)
    right = np.append(left[1:], 0)
    right[right == 0] = ids.shape[1]
    keys, run = np.unique(ids[rows, left], return_inverse=True)
    box = np.stack([np.full(len(keys), ids.shape[1]), np.full(len(keys), ids.shape[0]), *np.zeros((2, len(keys)), int)])
    for line, values in ((0, left), (1, rows)):
        np.minimum.at(box[line], run, values)
    for line, values in ((2, right), (3, rows + 1)):
        np.maximum.at(box[line], run, values)
    for key, (x0, y0, x1, y1) in zip(keys.tolist(), box.T.tolist(), strict=True):
        if key:
            yield key, (x0, y0, x1 - x0, y1 - y0)
