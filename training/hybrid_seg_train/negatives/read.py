"""One way to read negatives of any format."""

import hashlib
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hybrid_seg_train.data.sources import DataError
from hybrid_seg_train.negatives import class_names as names
from hybrid_seg_train.negatives.classes import ClassFilter
from hybrid_seg_train.negatives.coco import instance_files, panoptic_files, scan_coco_instances, scan_coco_panoptic
from hybrid_seg_train.negatives.cutout import MEMORY, Cutouts
from hybrid_seg_train.negatives.label_maps import (
    ade20k_2016_files,
    ade20k_files,
    coco_stuff_files,
    folder_files,
    scan_ade20k,
    scan_ade20k_2016,
    scan_coco_stuff,
    scan_folder,
    scan_transparent,
    scan_voc,
    transparent_files,
    voc_files,
)
from hybrid_seg_train.negatives.patches import LabelledImages
from hybrid_seg_train.negatives.segments import SegmentTable, fingerprint
from hybrid_seg_train.negatives.yolo import scan_yolo, yolo_files


@dataclass(frozen=True, slots=True)
class Format:
    """How sets of one format are read.

    Attributes:
        files: root -> annotation files; when one changes, a cached table is stale.
        scan: (root, show progress) -> table of all segments.
        names: classes the format is known to have.
    """

    files: Callable[[Path], list[Path]]
    scan: Callable[[Path, bool], SegmentTable]
    names: Collection[str] = ()


FORMATS = {
    "ade20k": Format(ade20k_files, scan_ade20k, names.ADE20K_150),
    "ade20k_2016": Format(ade20k_2016_files, scan_ade20k_2016, names.ADE20K_150),
    "coco_instances": Format(instance_files, scan_coco_instances, names.COCO),
    "coco_panoptic": Format(panoptic_files, scan_coco_panoptic, names.COCO + names.COCO_PANOPTIC_STUFF),
    "coco_stuff": Format(coco_stuff_files, scan_coco_stuff, names.COCO_STUFF),
    "voc": Format(voc_files, scan_voc, names.VOC),
    "yolo": Format(yolo_files, scan_yolo, names.COCO),
    "folder": Format(folder_files, scan_folder),
    "transparent": Format(transparent_files, scan_transparent),
}
"""Formats by the name recipes use."""


def read_negatives(
    kind: str,
    root: Path,
    *,
    classes: ClassFilter,
    min_side: int = 16,
    cache: Path | None = None,
    memory: int = MEMORY,
    progress: bool = True,
) -> Cutouts:
    """The objects of a set as cut-outs, decoded when they are asked for.

    Args:
        kind: format, a key of FORMATS.
        root: folder of the set.
        classes: which classes are taken; `classes.unknown_classes(kind)` for negatives.
        min_side: objects whose longer side is smaller, px, are left out: nothing to see in them.
        cache: folder that keeps what scanning found, one file per set; it is scanned again when its files change.
        memory: bytes of decoded cut-outs kept in each process.
        progress: show a progress bar while scanning.

    Raises:
        DataError: the set is not as its format says, the filter names a class it does not have, or nothing is left.
    """
    table = read_segments(kind, root, cache=cache, progress=progress)
    taken = classes.chosen([str(n) for n in table.names], FORMATS[kind].names, str(root))
    rows = np.flatnonzero(taken[table.kind] & (table.box[:, 2:].max(axis=1, initial=0) >= min_side))
    if not rows.size:
        raise DataError(_nothing(root, table, f"of at least {min_side} px in the wanted classes"))
    return Cutouts(root, table, rows, memory=memory)


def read_labelled_images(
    kind: str,
    root: Path,
    *,
    classes: ClassFilter,
    instances: bool = False,
    cache: Path | None = None,
    memory: int = MEMORY,
    progress: bool = True,
) -> LabelledImages:
    """Whole images with a label in each pixel, for the recipes that cut patches or segments.

    Args:
        kind: format, a key of FORMATS.
        root: folder of the set.
        classes: which classes may be pasted; the others are labelled `patches.NEVER`.
        instances: a label for every object rather than for every class.
        cache: as `read_negatives`.
        memory: bytes of decoded images kept in each process.
        progress: show a progress bar while scanning.

    Raises:
        DataError: as `read_negatives`.
    """
    table = read_segments(kind, root, cache=cache, progress=progress)
    taken = classes.chosen([str(n) for n in table.names], FORMATS[kind].names, str(root))
    images = np.unique(table.image[taken[table.kind]])
    if not images.size:
        raise DataError(_nothing(root, table, "in the wanted classes"))
    return LabelledImages(root, table, images, taken, instances=instances, whole=classes.takes_all, memory=memory)


def read_segments(kind: str, root: Path, *, cache: Path | None = None, progress: bool = True) -> SegmentTable:
    """The table of all segments of a set, from the cache where it is up to date; see `read_negatives`."""
    if kind not in FORMATS:
        raise DataError(f"no format {kind!r} of negatives, there are {', '.join(FORMATS)}")
    if not root.is_dir():
        raise DataError(f"{root}: no such folder, expected a set of format {kind}")
    if cache is None:
        return FORMATS[kind].scan(root, progress)
    state = fingerprint(root, FORMATS[kind].files(root))
    file = cache / f"{kind}_{hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:16]}.npz"
    table = SegmentTable.load(file, state)
    if table is None:
        table = FORMATS[kind].scan(root, progress)
        table.save(file, state)
    return table


def _nothing(root: Path, table: SegmentTable, what: str) -> str:
    found = ", ".join(sorted(str(n) for n in table.names)[:12]) or "none at all"
    return f"{root}: no objects {what}; classes found: {found}"
