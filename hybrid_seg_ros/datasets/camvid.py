"""CamVid with the 11 classes of SegNet (Brostow et al. 2009), any of which can be held out as an anomaly."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from hybrid_seg_ros.datasets.errors import DatasetError
from hybrid_seg_ros.datasets.files import IMAGE_SUFFIXES, by_stem, list_files, list_masks
from hybrid_seg_ros.datasets.ids import anomaly_table, translate_classes
from hybrid_seg_ros.datasets.pairs import pair
from hybrid_seg_ros.datasets.sample import Dataset

LAYOUT = "SPLIT/images/NAME.jpg and SPLIT/labels/NAME.png; or SPLIT/NAME.png and SPLITannot/NAME.png"
CLASSES = (
    *("Sky", "Building", "Pole", "Road", "Pavement", "Tree", "SignSymbol", "Fence", "Car", "Pedestrian", "Bicyclist"),
)

_SPLITS = ("train", "val", "test")


def open_camvid(
    root: Path, *, classes: Sequence[str] | None = None, split: str = "val", held_out: Collection[str] = ()
) -> Dataset:
    """One split; 11 is void.

    Args:
        root: folder of the splits.
        classes: the network's classes.
        split: "train", "val" or "test".
        held_out: classes of CamVid that are anomalies here: those that the network was not trained on. With any, the
            two halves of the split are the folds of the open-set evaluation; without, there is no anomaly.

    Raises:
        DatasetError: another layout, no such split or class.
    """
    if split not in _SPLITS:
        raise DatasetError(f"split {split!r} of camvid: expected {', '.join(_SPLITS)}")
    unknown = [name for name in held_out if name not in CLASSES]
    if unknown:
        raise DatasetError(f"camvid has no class {', '.join(unknown)} to hold out; expected {', '.join(CLASSES)}")
    layout = f"in {root}: {LAYOUT}"
    nested = (root / split / "images").is_dir()
    image_folder = root / split / "images" if nested else root / split
    mask_folder = root / split / "labels" if nested else root / f"{split}annot"
    images = by_stem(list_files(image_folder, IMAGE_SUFFIXES, layout=layout))
    masks = by_stem(list_masks(mask_folder, layout=layout))
    known = {value: name for value, name in enumerate(CLASSES) if name not in held_out}
    found = pair(
        "camvid",
        images,
        masks,
        anomaly=anomaly_table(known=known, anomaly=[CLASSES.index(name) for name in held_out]),
        class_ids=known,
        classes=classes,
        folds={name: 2 * i // len(images) for i, name in enumerate(images)} if held_out else None,
        layout=layout,
    )
    return replace(found, problems=(*found.problems, *_trained_on(held_out, classes)))


def _trained_on(held_out: Collection[str], classes: Sequence[str] | None) -> list[tuple[str, str]]:
    """The classes held out that the network has all the same."""
    if classes is None:
        return []
    what = (
        "held out, but a class of the network: it was trained on what is to be unknown here, and the IoU of 0 that the"
        " class has without pixels counts in mIoU and open-mIoU; expected a network trained without it"
    )
    return [(f"class {name}", what) for name in held_out if translate_classes({0: name}, classes).table is not None]
