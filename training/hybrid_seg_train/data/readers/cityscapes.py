"""Cityscapes: leftImg8bit beside gtFine or gtCoarse."""

from functools import partial
from pathlib import Path

from hybrid_seg_train.data.label_space import load_label_space
from hybrid_seg_train.data.listing import Listing, find_images, not_found, pair_up, subfolders
from hybrid_seg_train.data.sources import DataError

_FORMS = (("labelTrainIds", "cityscapes19"), ("labelIds", "cityscapes_ids"))
"""File endings by preference, and the label space of each."""


def list_cityscapes(root: Path, split: str) -> Listing:
    """The finely labelled images of a split (train, val).

    Takes *_labelTrainIds.png where the first image has one, else the published *_labelIds.png.

    Raises:
        DataError: no images, or an image without labels of that form.
    """
    return _list(root, split, "gtFine")


def list_cityscapes_coarse(root: Path, split: str) -> Listing:
    """The coarsely labelled images of a split (train, train_extra, val); otherwise as `list_cityscapes`."""
    return _list(root, split, "gtCoarse")


def _list(root: Path, split: str, truth: str) -> Listing:
    images = find_images(root / "leftImg8bit" / split, "*/*_leftImg8bit.*")
    if not images:
        tree = (
            f"  {root}/leftImg8bit/{split}/<city>/<city>_<sequence>_<frame>_leftImg8bit.png\n"
            f"  {root}/{truth}/{split}/<city>/<city>_<sequence>_<frame>_{truth}_labelIds.png (or _labelTrainIds.png)"
        )
        raise not_found(
            root / "leftImg8bit" / split, f"Cityscapes' {split} split", tree, subfolders(root / "leftImg8bit")
        )

    for form, space in _FORMS:
        label_of = partial(_label_file, root, truth, form)
        if label_of(images[0]).is_file():
            return Listing(pair_up(images, label_of), load_label_space(space))
    raise DataError(
        f"{_label_file(root, truth, 'labelIds', images[0])}: not there, nor *_labelTrainIds.png beside it; expected "
        f"the labels of {images[0]}; unpack {truth}.zip into {root}"
    )


def _label_file(root: Path, truth: str, form: str, image: Path) -> Path:
    stem = image.stem.removesuffix("_leftImg8bit")
    split, city = image.parts[-3:-1]
    return root / truth / split / city / f"{stem}_{truth}_{form}.png"
