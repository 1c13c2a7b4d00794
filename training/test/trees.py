"""Miniature data sets in their published folder layouts."""

import json
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

SIZE = (6, 8)
"""Height and width of every picture, px."""


def picture(path: Path, seed: int = 0, size: tuple[int, int] = SIZE) -> np.ndarray:
    """A random image at `path`, as cv2 reads it back."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8))
    read = cv2.imread(str(path))
    assert read is not None
    return read


def mask(path: Path, ids: tuple[int, ...], seed: int = 0, *, palette: bool = False) -> np.ndarray:
    """A random id picture at `path` that holds each of `ids`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.resize(np.array(ids), SIZE).astype(np.uint8)
    np.random.default_rng(seed).shuffle(values.ravel())
    image = Image.fromarray(values, mode="L")
    if palette:
        image = Image.fromarray(values, mode="P")
        image.putpalette([(37 * i) % 256 for i in range(768)])
    image.save(path)
    return values


def colored(path: Path, colors: tuple[tuple[int, int, int], ...], seed: int = 0) -> np.ndarray:
    """A random colour picture at `path` that holds each of `colors` (RGB); returns the index of every pixel's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    index = np.resize(np.arange(len(colors)), SIZE)
    np.random.default_rng(seed).shuffle(index.ravel())
    Image.fromarray(np.array(colors, np.uint8)[index]).save(path)
    return index


def cityscapes(root: Path, form: str, ids: tuple[int, ...], *, truth: str = "gtFine", split: str = "train") -> None:
    """Three images of two cities with labels of one form."""
    for place, name in enumerate(("ulm/ulm_000001_000019", "bern/bern_000002_000019", "bern/bern_000001_000019")):
        picture(root / "leftImg8bit" / split / f"{name}_leftImg8bit.png", place)
        mask(root / truth / split / f"{name}_{truth}_{form}.png", ids, place)


def vistas(root: Path, names: tuple[str, ...], *, version: str = "v1.2", split: str = "training") -> None:
    """Two images with palette label files, and the configuration of `names`."""
    config = {"labels": [{"name": n, "readable": n, "color": [i % 256, 2, 3]} for i, n in enumerate(names)]}
    (root / split).mkdir(parents=True, exist_ok=True)
    (root / f"config_{version}.json").write_text(json.dumps(config))
    for place, name in enumerate(("aB3", "-x9")):
        picture(root / split / "images" / f"{name}.jpg", place)
        mask(root / split / version / "labels" / f"{name}.png", tuple(range(len(names))), place, palette=True)


def panoptic(root: Path, categories: Mapping[int, str], count: int = 2) -> list[np.ndarray]:
    """`count` images in COCO panoptic form, a segment a category; returns the category ids of every picture."""
    entries, images, truths = [], [], []
    for place in range(count):
        picture(root / "images" / f"wd{place:04d}.jpg", place)
        segments = {256 * 256 * c + 300 * (c + 1) + place: c for c in categories}
        values = np.resize(np.array([0, *segments]), SIZE)
        np.random.default_rng(place).shuffle(values.ravel())
        rgb = np.stack([values % 256, values // 256 % 256, values // 65536], axis=-1).astype(np.uint8)
        (root / "panoptic").mkdir(parents=True, exist_ok=True)
        Image.fromarray(rgb).save(root / "panoptic" / f"wd{place:04d}.png")
        info = [{"id": s, "category_id": c} for s, c in segments.items()]
        entries.append({"image_id": 70 - place, "file_name": f"wd{place:04d}.png", "segments_info": info})
        images.append({"id": 70 - place, "file_name": f"wd{place:04d}.jpg"})
        truths.append(np.vectorize({0: 255, **segments}.get)(values))
    kinds = [{"id": c, "name": name, "isthing": 0} for c, name in categories.items()]
    content = {"images": images, "annotations": entries, "categories": kinds}
    (root / "panoptic.json").write_text(json.dumps(content))
    return truths
