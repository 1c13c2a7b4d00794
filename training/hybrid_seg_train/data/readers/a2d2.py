"""A2D2-like folders: sequences with camera/ and label/, colours named by class_list.json."""

import json
import re
from pathlib import Path

from hybrid_seg_train.data.label_space import KnownClass, LabelSpace
from hybrid_seg_train.data.listing import Listing, find_images, not_found, pair_up, subfolders
from hybrid_seg_train.data.readers.colors import color_decoder
from hybrid_seg_train.data.sources import DataError


def list_a2d2(root: Path, split: str) -> Listing:
    """The images of all sequences, of one, or of a list of sequences.

    Args:
        root: folder with class_list.json and the sequences (or camera/ and label/ themselves).
        split: `all`, the name of a sequence folder, or the stem of a <split>.txt with one sequence name a line.

    Raises:
        DataError: no images or class list, an unknown sequence, or an image without labels.
    """
    tree = (
        f"  {root}/class_list.json\n"
        f"  {root}/<sequence>/camera/<camera>/<time>_camera_<camera>_<frame>.png\n"
        f"  {root}/<sequence>/label/<camera>/<time>_label_<camera>_<frame>.png"
    )
    found = [path for path in sorted(root.glob("**/camera")) if path.is_dir()]
    sequences = [path.parent for path in found]
    if split != "all":
        wanted = _wanted(root, split)
        sequences = [sequence for sequence in sequences if sequence.name in wanted]
        absent = sorted(wanted - {sequence.name for sequence in sequences})
        if absent:
            raise not_found(root / absent[0], f"A2D2's sequence {absent[0]}", tree, subfolders(root))
    images = sorted(image for sequence in sequences for image in find_images(sequence / "camera", "*/*"))
    if not images:
        raise not_found(root, f"A2D2's {split} split", tree, subfolders(root))
    space = read_class_list(root / "class_list.json")
    return Listing(pair_up(images, _label_of), space, color_decoder(space))


def _wanted(root: Path, split: str) -> set[str]:
    file = root / f"{split}.txt"
    if not file.is_file():
        return {split}
    return {line.strip() for line in file.read_text(encoding="utf-8").splitlines() if line.strip()}


def _label_of(image: Path) -> Path:
    camera = image.parent
    return camera.parent.parent / "label" / camera.name / image.name.replace("_camera_", "_label_")


def read_class_list(file: Path) -> LabelSpace:
    """The classes of a class_list.json ({"#rrggbb": name}), ids in its order.

    Raises:
        DataError: not there, or not of that form.
    """
    if not file.is_file():
        raise DataError(f'{file}: not there, expected {{"#rrggbb": class name}} as A2D2 comes with it')
    try:
        entries = json.loads(file.read_text(encoding="utf-8")).items()
        classes = tuple(KnownClass(str(name), _color(code)) for code, name in entries)
    except (ValueError, AttributeError) as error:
        raise DataError(f'{file}: expected {{"#rrggbb": class name}}, found {error}') from error
    # No id means "void" here: the set colours every pixel.
    return LabelSpace("a2d2", classes, void=frozenset())


def _color(code: str) -> tuple[int, int, int]:
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", code):
        raise ValueError(f"the colour {code!r}")
    return int(code[1:3], 16), int(code[3:5], 16), int(code[5:7], 16)
