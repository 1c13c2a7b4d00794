"""IDD (label files as AutoNUE's tools make them of its polygons) and IDD-Lite."""

from functools import partial
from pathlib import Path

from hybrid_seg_train.data.label_space import load_label_space
from hybrid_seg_train.data.listing import Listing, find_images, not_found, pair_up, subfolders
from hybrid_seg_train.data.sources import DataError

_FORMS = (("labelids", "idd"), ("labellevel3Ids", "idd_level3"), ("labelcsTrainIds", "cityscapes19"))
"""File endings by preference (the finest first), and the label space of each."""


def list_idd(root: Path, split: str) -> Listing:
    """The images of IDD's split (train, val).

    Takes *_labelids.png where the first image has one, else *_labellevel3Ids.png, else *_labelcsTrainIds.png.

    Raises:
        DataError: no images, polygons only (with the command that makes label files), or an image without labels.
    """
    folder = root / "leftImg8bit" / split
    images = find_images(folder, "*/*_leftImg8bit.*")
    if not images:
        tree = (
            f"  {root}/leftImg8bit/{split}/<drive>/<frame>_leftImg8bit.png (or .jpg)\n"
            f"  {root}/gtFine/{split}/<drive>/<frame>_gtFine_labelids.png"
        )
        raise not_found(folder, f"IDD's {split} split", tree, subfolders(folder.parent))

    for form, space in _FORMS:
        label_of = partial(_label_file, root, f"{form}.png")
        if label_of(images[0]).is_file():
            return Listing(pair_up(images, label_of), load_label_space(space))
    polygons = _label_file(root, "polygons.json", images[0])
    if polygons.is_file():
        raise DataError(
            f"{polygons}: polygons only, expected label images beside them; make them with AutoNUE's public-code "
            "(github.com/AutoNUE/public-code):\n"
            f"  PYTHONPATH=helpers python preperation/createLabels.py --datadir {root} --id-type id"
        )
    endings = ", ".join(f"*_gtFine_{form}.png" for form, _ in _FORMS)
    raise DataError(f"{polygons.parent}: no labels of {images[0].name}, expected one of {endings}")


def _label_file(root: Path, ending: str, image: Path) -> Path:
    stem = image.stem.removesuffix("_leftImg8bit")
    split, drive = image.parts[-3:-1]
    return root / "gtFine" / split / drive / f"{stem}_gtFine_{ending}"


def list_idd_lite(root: Path, split: str) -> Listing:
    """The images of IDD-Lite's split (train, val), with its seven classes.

    Raises:
        DataError: no images, or an image without labels.
    """
    folder = root / "leftImg8bit" / split
    images = find_images(folder, "*/*_image.*")
    if not images:
        tree = (
            f"  {root}/leftImg8bit/{split}/<drive>/<frame>_image.jpg\n  {root}/gtFine/{split}/<drive>/<frame>_label.png"
        )
        raise not_found(folder, f"IDD-Lite's {split} split", tree, subfolders(folder.parent))
    labels = root / "gtFine" / split
    pairs = pair_up(images, lambda i: labels / i.parent.name / f"{i.stem.removesuffix('_image')}_label.png")
    return Listing(pairs, load_label_space("idd_lite7"))
