"""StreetHazards: the folders of its two archives, or a list file (.odgt)."""

import json
from pathlib import Path

from hybrid_seg_train.data.label_space import load_label_space
from hybrid_seg_train.data.listing import Listing, Pair, find_images, not_found, pair_up
from hybrid_seg_train.data.sources import DataError

_SPLITS = {"train": "training", "val": "validation"}


def list_streethazards(root: Path, split: str) -> Listing:
    """The images of a split (training or train, validation or val, test), or of a list file.

    Anomalies become labelled negatives; "other" is void (METHOD section 3).

    Args:
        root: folder that holds images/ and annotations/, or train/ and test/ as the two archives unpack.
        split: the split, or the path of an .odgt file below `root`, whose paths are relative to its folder.

    Raises:
        DataError: no images, an image without labels, or a list file that is none or leads out of `root`.
    """
    space = load_label_space("streethazards12")
    if split.endswith(".odgt"):
        return Listing(_read_list(root, root / split), space)
    name = _SPLITS.get(split, split)
    for base in (root, root / "train", root / "test"):
        folder = base / "images" / name
        if images := find_images(folder, "**/*"):
            labels = base / "annotations" / name
            return Listing(pair_up(images, _Beside(folder, labels)), space)
    tree = (
        f"  {root}/train/images/{name}/<town>/<frame>.png (or without train/; test/ for the test split)\n"
        f"  {root}/train/annotations/{name}/<town>/<frame>.png"
    )
    raise not_found(root, f"StreetHazards' {split} split", tree)


class _Beside:
    """The label file at the same place below another folder."""

    def __init__(self, images: Path, labels: Path) -> None:
        self.images, self.labels = images, labels

    def __call__(self, image: Path) -> Path:
        return (self.labels / image.relative_to(self.images)).with_suffix(".png")


def _read_list(root: Path, file: Path) -> tuple[Pair, ...]:
    if not file.is_file():
        raise DataError(f"{file}: not there, expected a list of images and annotations (.odgt)")
    text = file.read_text(encoding="utf-8").strip()
    try:
        # Published as one JSON list; the form's name stands for one JSON object a line.
        entries = json.loads(text) if text.startswith("[") else [json.loads(line) for line in text.splitlines() if line]
        labels = {_below(root, file, entry["fpath_img"]): _below(root, file, entry["fpath_segm"]) for entry in entries}
    except (ValueError, KeyError, TypeError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f'{file}: expected entries {{"fpath_img": ..., "fpath_segm": ...}}, found {error!r}') from error
    missing = [image for image in labels if not image.is_file()]
    if missing or not labels:
        raise DataError(f"{file}: lists {missing[0] if missing else 'no image'}, expected images that are there")
    return pair_up(sorted(labels), labels.__getitem__)


def _below(root: Path, file: Path, entry: str) -> Path:
    path = (file.parent / entry).resolve()
    if not path.is_relative_to(root.resolve()):
        raise DataError(f"{file}: lists {entry!r}, which is not below {root}")
    return path
