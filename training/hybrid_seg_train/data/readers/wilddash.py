"""WildDash 2: images beside COCO panoptic labels (panoptic.json and a folder of segment pictures)."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hybrid_seg_train.data.label_space import KnownClass, LabelSpace
from hybrid_seg_train.data.listing import Listing, StoredLabels, not_found, pair_up
from hybrid_seg_train.data.readers.colors import pack_bgr
from hybrid_seg_train.data.sources import DataError, read_image

_UNSEGMENTED = 255
"""Stored id of pixels that belong to no segment (segment 0 in the COCO panoptic format)."""

_EVERY = 10


def list_wilddash2(root: Path, split: str) -> Listing:
    """The public images: `all`, or `val` (every tenth by name; the set comes unsplit) and `train` (the others).

    The classes are those of the set's own panoptic.json, their names reduced to small letters and digits.

    Raises:
        DataError: no panoptic.json or not of that form, an unknown split, or a missing image or segment picture.
    """
    file = root / "panoptic.json"
    tree = f"  {root}/images/<name>.jpg\n  {root}/panoptic/<name>.png\n  {file}"
    if not file.is_file():
        raise not_found(file, "WildDash 2's public set", tree)
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        space = _read_space(content)
        names = {image["id"]: str(image["file_name"]) for image in content["images"]}
        rows = sorted((names[entry["image_id"]], entry) for entry in _by_image(content))
        segments = {str(entry["file_name"]): _read_segments(entry) for _, entry in rows}
        labels = {
            root / "images" / Path(name).name: root / "panoptic" / str(entry["file_name"]) for name, entry in rows
        }
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{file}: expected COCO panoptic images, annotations and categories, found {error!r}"
        ) from error
    images = sorted(labels)
    chosen = {
        "all": images,
        "train": [image for place, image in enumerate(images) if place % _EVERY != _EVERY - 1],
        "val": images[_EVERY - 1 :: _EVERY],
    }
    if split not in chosen:
        raise DataError(f"{root}: WildDash 2 has no split {split!r}, expected one of {', '.join(chosen)}")
    missing = [image for image in chosen[split] if not image.is_file()]
    if missing or not chosen[split]:
        raise not_found(missing[0] if missing else root / "images", f"WildDash 2's {split} split", tree)
    return Listing(pair_up(chosen[split], labels.__getitem__), space, PanopticDecoder(segments))


def _by_image(content: dict[str, Any]) -> list[dict[str, Any]]:
    annotations = list(content["annotations"])
    if len({entry["image_id"] for entry in annotations}) < len(annotations):
        raise ValueError("an image with two annotations")
    return annotations


def _read_space(content: dict[str, Any]) -> LabelSpace:
    categories = sorted(content["categories"], key=lambda category: int(category["id"]))
    classes = []
    for category in categories:
        red, green, blue = category.get("color", (0, 0, 0))
        name = "".join(letter for letter in str(category["name"]).lower() if letter.isalnum())
        classes.append(KnownClass(name, (int(red), int(green), int(blue))))
    ids = tuple(int(category["id"]) for category in categories)
    return LabelSpace("wilddash2", tuple(classes), ids, frozenset({_UNSEGMENTED}))


def _read_segments(entry: dict[str, Any]) -> tuple[tuple[int, int], ...]:
    return tuple(sorted((int(segment["id"]), int(segment["category_id"])) for segment in entry["segments_info"]))


@dataclass(frozen=True)
class PanopticDecoder:
    """COCO panoptic picture (segment id = R + 256 G + 65536 B) -> category ids.

    Attributes:
        segments: picture's file name -> its (segment id, category id), ascending.
    """

    segments: dict[str, tuple[tuple[int, int], ...]]

    def __call__(self, path: Path) -> StoredLabels:
        """uint32[H, W] category ids; 255 where there is no segment.

        Raises:
            DataError: it cannot be read, or holds a segment that panoptic.json does not list.
        """
        pixels = pack_bgr(np.ascontiguousarray(read_image(path)[..., ::-1]))
        table = np.array([(0, _UNSEGMENTED), *self.segments[path.name]], np.uint32)
        places = np.minimum(np.searchsorted(table[:, 0], pixels), len(table) - 1)
        bad = table[places, 0] != pixels
        if bad.any():
            raise DataError(f"{path}: holds segment {int(pixels[bad][0])}, which panoptic.json does not list for it")
        categories: StoredLabels = table[places, 1]
        return categories
