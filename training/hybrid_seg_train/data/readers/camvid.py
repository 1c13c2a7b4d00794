"""CamVid: folders with the 11 classes as ids, or the 701 original pictures with the 32 classes as colours."""

from pathlib import Path

from hybrid_seg_train.data.label_space import load_label_space
from hybrid_seg_train.data.listing import Listing, find_images, not_found, pair_up, subfolders
from hybrid_seg_train.data.readers.colors import color_decoder
from hybrid_seg_train.data.sources import DataError


def list_camvid(root: Path, split: str) -> Listing:
    """The images of a split (train, val, test), in any of three layouts.

    * <split>/images, <split>/labels: ids of the 11 classes;
    * <split>, <split>_labels: colour pictures *_L.png;
    * 701_StillsRaw_full, LabeledApproved_full: colour pictures *_L.png; the split is `all`, or <split>.txt lists the
      images' stems, one a line.

    Raises:
        DataError: no images, an image without labels, or a list that names an image that is not there.
    """
    if images := find_images(root / split / "images"):
        labels = root / split / "labels"
        return Listing(pair_up(images, lambda image: labels / f"{image.stem}.png"), load_label_space("camvid11"))
    if images := find_images(root / split):
        return _colored(images, root / f"{split}_labels")
    if images := find_images(root / "701_StillsRaw_full"):
        return _colored(_of_split(images, root, split), root / "LabeledApproved_full")
    tree = (
        f"  {root}/{split}/images/<name>.png and {root}/{split}/labels/<name>.png (11 classes), or\n"
        f"  {root}/{split}/<name>.png and {root}/{split}_labels/<name>_L.png (32 colours), or\n"
        f"  {root}/701_StillsRaw_full/<name>.png, {root}/LabeledApproved_full/<name>_L.png and {root}/{split}.txt"
    )
    raise not_found(root / split / "images", f"CamVid's {split} split", tree, subfolders(root))


def _colored(images: list[Path], labels: Path) -> Listing:
    space = load_label_space("camvid32")
    return Listing(pair_up(images, lambda image: labels / f"{image.stem}_L.png"), space, color_decoder(space))


def _of_split(images: list[Path], root: Path, split: str) -> list[Path]:
    if split == "all":
        return images
    file = root / f"{split}.txt"
    if not file.is_file():
        raise DataError(
            f"{file}: not there, expected the stems of the {split} split's images, one a line; or split: all"
        )
    by_stem = {image.stem: image for image in images}
    stems = sorted({Path(line.strip()).stem for line in file.read_text(encoding="utf-8").splitlines() if line.strip()})
    unknown = [stem for stem in stems if stem not in by_stem]
    if unknown or not stems:
        raise DataError(
            f"{file}: names {unknown[:1] or 'no image'}, expected stems of images in {images[0].parent} "
            f"such as {images[0].stem}"
        )
    return [by_stem[stem] for stem in stems]
