"""Mapillary Vistas, all versions; the classes are those of the set's own configuration file."""

import json
from pathlib import Path

from hybrid_seg_train.data.label_space import KnownClass, LabelSpace
from hybrid_seg_train.data.listing import Listing, find_images, not_found, pair_up, subfolders
from hybrid_seg_train.data.sources import DataError

_SPLITS = {"train": "training", "val": "validation", "test": "testing"}
_LABELS = {"1": ("v1.2/labels", "labels"), "2": ("v2.0/labels",)}
_CONFIGS = {"1": ("config_v1.2.json", "config.json"), "2": ("config_v2.0.json",)}


def list_mapillary_vistas(root: Path, split: str) -> Listing:
    """The images of a split (training or train, validation or val) with the classes of version 1.

    Raises:
        DataError: no images, no label folder or configuration file, or an image without labels.
    """
    return _list(root, split, "1")


def list_mapillary_vistas_v2(root: Path, split: str) -> Listing:
    """As `list_mapillary_vistas` with the classes of version 2."""
    return _list(root, split, "2")


def _list(root: Path, split: str, version: str) -> Listing:
    folder = root / _SPLITS.get(split, split)
    images = find_images(folder / "images")
    labels = next(
        (folder / name for name in _LABELS[version] if (folder / name).is_dir()), folder / _LABELS[version][0]
    )
    config = next((root / name for name in _CONFIGS[version] if (root / name).is_file()), None)
    tree = (
        f"  {folder}/images/<key>.jpg\n  {labels}/<key>.png\n"
        f"  {root}/{_CONFIGS[version][0]} (the classes, as the set comes with it)"
    )
    if not images:
        raise not_found(folder / "images", f"Mapillary Vistas' {split} split", tree, subfolders(root))
    if config is None:
        raise DataError(f"{root / _CONFIGS[version][0]}: not there. Expected folders:\n{tree}")
    return Listing(pair_up(images, lambda image: labels / f"{image.stem}.png"), _read_space(config))


def _read_space(config: Path) -> LabelSpace:
    try:
        entries = json.loads(config.read_text(encoding="utf-8"))["labels"]
        classes = tuple(KnownClass(str(e["name"]), _color(e["color"])) for e in entries)
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            f'{config}: expected {{"labels": [{{"name": ..., "color": [r, g, b]}}, ...]}}, found {error!r}'
        ) from error
    return LabelSpace("mapillary_vistas", classes)


def _color(value: list[int]) -> tuple[int, int, int]:
    red, green, blue = value
    return int(red), int(green), int(blue)
