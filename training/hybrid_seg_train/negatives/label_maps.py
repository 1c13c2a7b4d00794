"""Scans of ADE20K, COCO-Stuff, Pascal VOC and plain folders: images with an id map each."""

import json
from pathlib import Path

from hybrid_seg_train.data.sources import DataError
from hybrid_seg_train.negatives.class_names import ADE20K_150, COCO_STUFF, VOC, canonical
from hybrid_seg_train.negatives.scan import image_of, images_below, scan_maps
from hybrid_seg_train.negatives.segments import SegmentTable


def ade20k_files(root: Path) -> list[Path]:
    """`*_seg.png` below `root`; DataError where there are none."""
    files = sorted(root.rglob("*_seg.png"))
    if not files:
        raise DataError(f"{root}: no *_seg.png found below it, expected the full ADE20K (images/ADE/training/...)")
    return files


def scan_ade20k(root: Path, progress: bool) -> SegmentTable:
    """The full ADE20K (2021): <name>.jpg, <name>_seg.png and <name>.json beside each other.

    Class names come from the JSON files, whose `name_ndx` is the code in the picture. Regions whose code the JSON file
    does not name are left out.

    Raises:
        DataError: files missing or malformed, or no region of any picture has a name.
    """
    pairs = [(image_of(file, file.parent, file.name.removesuffix("_seg.png")), file) for file in ade20k_files(root)]
    table = scan_maps(root, pairs, "ade20k", _ade20k_names, progress=progress)
    if not len(table.key):
        raise DataError(
            f"{root}: no code (R // 10 * 256 + G) in any *_seg.png is a 'name_ndx' of the JSON file beside it; "
            "expected the release of 2021"
        )
    return table


def _ade20k_names(annotation: Path) -> dict[int, str]:
    file = annotation.with_name(annotation.name.replace("_seg.png", ".json"))
    try:
        # Some of the set's files are not UTF-8 in fields that do not matter here.
        objects = json.loads(file.read_bytes().decode(errors="replace"))["annotation"]["object"]
        return {int(thing["name_ndx"]): canonical(str(thing["name"])) for thing in objects}
    except FileNotFoundError as error:
        raise DataError(f"{file}: is missing, expected the names of the objects in {annotation.name}") from error
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"{file}: expected annotation.object[] with 'name' and 'name_ndx' as in ADE20K 2021, found {error!r}"
        ) from error


def ade20k_2016_files(root: Path) -> list[Path]:
    """annotations/**/*.png; DataError where there are none."""
    files = sorted((root / "annotations").rglob("*.png"))
    if not files:
        raise DataError(f"{root / 'annotations'}: no *.png found below it, expected ADEChallengeData2016")
    return files


def scan_ade20k_2016(root: Path, progress: bool) -> SegmentTable:
    """SceneParsing: images/{training,validation}/<name>.jpg, annotations/{training,validation}/<name>.png."""
    names = dict(enumerate(ADE20K_150, start=1))
    annotations = root / "annotations"
    pairs = [
        (image_of(file, root / "images" / file.parent.relative_to(annotations), file.stem), file)
        for file in ade20k_2016_files(root)
    ]
    return scan_maps(root, pairs, "ade20k_2016", lambda _: names, progress=progress)


def coco_stuff_files(root: Path) -> list[Path]:
    """Label maps in `<split>_label/` or below `stuffthingmaps/` or `annotations/`; DataError where there are none."""
    files = sorted(root.glob("*_label/*.png"))
    for folder in ("stuffthingmaps", "annotations"):
        files = files or sorted((root / folder).rglob("*.png"))
    if not files:
        raise DataError(
            f"{root}: no label maps; expected <split>_label/*.png (with <split>_img/, <split>_inst/), or "
            "stuffthingmaps/<split>/*.png or annotations/<split>/*.png (with images/<split>/ or <split>/)"
        )
    return files


def scan_coco_stuff(root: Path, progress: bool) -> SegmentTable:
    """COCO-Stuff as 8 bit label maps; instances where `<split>_inst/` has them."""
    names = dict(enumerate(COCO_STUFF, start=1))
    pairs = []
    for file in coco_stuff_files(root):
        split = file.parent.name
        folders = (root / split.replace("_label", "_img"), root / "images" / split, root / split)
        folder = next((f for f in folders if f != file.parent and f.is_dir()), folders[0])
        pairs.append((image_of(file, folder, file.stem), file))
    return scan_maps(root, pairs, "coco_stuff", lambda _: names, progress=progress)


def voc_files(root: Path) -> list[Path]:
    """SegmentationClass/*.png; DataError where there are none."""
    files = sorted((root / "SegmentationClass").glob("*.png"))
    if not files:
        raise DataError(
            f"{root / 'SegmentationClass'}: no *.png found, expected a year of Pascal VOC (VOCdevkit/VOC2012)"
        )
    return files


def scan_voc(root: Path, progress: bool) -> SegmentTable:
    """Pascal VOC: JPEGImages/, SegmentationClass/, SegmentationObject/ of equal stems."""
    names = dict(enumerate(VOC, start=1))
    pairs = [(image_of(file, root / "JPEGImages", file.stem), file) for file in voc_files(root)]
    return scan_maps(root, pairs, "voc", lambda _: names, progress=progress)


def folder_files(root: Path) -> list[Path]:
    """masks/**; DataError where there are none."""
    files = images_below(root / "masks")
    if not files:
        raise DataError(f"{root / 'masks'}: no masks found, expected images/ and masks/ with files of equal stems")
    return [*files, *root.glob("classes.txt")]


def scan_folder(root: Path, progress: bool) -> SegmentTable:
    """Any folder: images/**/<stem>.*, masks/**/<stem>.png.

    Without classes.txt every object is of class "object"; a mask's one nonzero value marks connected objects, several
    values one object each. With classes.txt (lines `value: name`) values are classes, their connected regions objects.
    """
    pairs = [
        (image_of(file, root / "images" / file.parent.relative_to(root / "masks"), file.stem), file)
        for file in folder_files(root)
        if file.name != "classes.txt"
    ]
    listed = root / "classes.txt"
    if listed.is_file():
        names = _class_list(listed)
        return scan_maps(root, pairs, "folder_classes", lambda _: names, progress=progress)
    return scan_maps(root, pairs, "folder", lambda _: {1: "object"}, progress=progress)


def transparent_files(root: Path) -> list[Path]:
    """**/*.png; DataError where there are none."""
    files = sorted(root.rglob("*.png"))
    if not files:
        raise DataError(
            f"{root}: no *.png found below it, expected objects cut out by an alpha channel, a class a folder"
        )
    return files


def scan_transparent(root: Path, progress: bool) -> SegmentTable:
    """One object a picture, cut out by its alpha channel: <class>/<name>.png; a class may be folders deep.

    Pictures in which nothing is transparent are left out: their object would be a rectangle.
    """
    pairs = [(file, file) for file in transparent_files(root)]
    return scan_maps(
        root, pairs, "transparent", lambda file: {1: file.parent.relative_to(root).as_posix()}, progress=progress
    )


def _class_list(file: Path) -> dict[int, str]:
    names = {}
    for number, line in enumerate(file.read_text().splitlines(), start=1):
        value, colon, name = line.partition(":")
        if not line.strip():
            continue
        if not colon or not value.strip().isdigit() or not name.strip():
            raise DataError(f"{file}:{number}: expected 'value: name', found {line[:40]!r}")
        names[int(value)] = name.strip()
    return names
