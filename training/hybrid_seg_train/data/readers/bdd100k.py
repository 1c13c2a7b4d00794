"""BDD100K's 10k semantic segmentation images."""

from pathlib import Path

from hybrid_seg_train.data.label_space import load_label_space
from hybrid_seg_train.data.listing import Listing, find_images, not_found, pair_up, subfolders


def list_bdd100k(root: Path, split: str) -> Listing:
    """The images of a split (train, val); labels are Cityscapes' train ids.

    Takes the present layout (images/10k, labels/sem_seg/masks) or the first one (seg/images, seg/labels).

    Raises:
        DataError: no images, or an image without labels.
    """
    present, first = root / "images" / "10k" / split, root / "seg" / "images" / split
    space = load_label_space("cityscapes19")
    if images := find_images(present):
        masks = root / "labels" / "sem_seg" / "masks" / split
        return Listing(pair_up(images, lambda image: masks / f"{image.stem}.png"), space)
    if images := find_images(first):
        masks = root / "seg" / "labels" / split
        return Listing(pair_up(images, lambda image: masks / f"{image.stem}_train_id.png"), space)
    tree = f"  {root}/images/10k/{split}/<name>.jpg\n  {root}/labels/sem_seg/masks/{split}/<name>.png"
    raise not_found(present, f"BDD100K's {split} split", tree, subfolders(present.parent))
