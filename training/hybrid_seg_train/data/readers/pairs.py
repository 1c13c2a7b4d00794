"""Any folder of images and id-label masks, with a label space of its own."""

from pathlib import Path

from hybrid_seg_train.data.label_space import load_label_space
from hybrid_seg_train.data.listing import Listing, find_images, not_found, pair_up, subfolders
from hybrid_seg_train.data.sources import DataError

LABEL_SPACE_FILE = "label_space.yaml"


def list_pairs(root: Path, split: str) -> Listing:
    """Images and masks of equal stems: <split>/images and <split>/labels; an empty split takes images/ and labels/.

    <root>/label_space.yaml says what the masks' ids mean; see `load_label_space`.

    Raises:
        DataError: no images or label space, or an image without a mask.
    """
    folder = root / split if split else root
    images = find_images(folder / "images")
    space_file = root / LABEL_SPACE_FILE
    tree = f"  {space_file}\n  {folder}/images/<name>.png (or .jpg ...)\n  {folder}/labels/<name>.png"
    if not images:
        raise not_found(folder / "images", f"images of the split {split!r}", tree, subfolders(root))
    if not space_file.is_file():
        raise DataError(
            f"{space_file}: not there, expected the masks' classes:\n  name: my_classes\n  classes:\n"
            "    - {name: road, color: [128, 64, 128], id: 0, drivable: true}"
        )
    labels = folder / "labels"
    return Listing(pair_up(images, lambda image: labels / f"{image.stem}.png"), load_label_space(space_file))
