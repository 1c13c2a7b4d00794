"""Id maps: pictures whose pixel values say which object of which class a pixel belongs to, format by format."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from hybrid_seg_train.data.sources import DataError

IdMap = npt.NDArray[np.int64]

STRIDE = 2**20
"""In an id map, id = instance * STRIDE + class, so that the class of a pixel is id % STRIDE; 0 is no object."""

COCO_THINGS = 91
"""COCO-Stuff: stored labels below it are countable things."""


def read_plane(path: Path) -> IdMap:
    """int64[H, W] of a picture with one channel or a palette, values as stored.

    Raises:
        DataError: the file is missing, is no picture, or has colours.
    """
    pixels = _open(path)
    if pixels.ndim != 2:
        raise DataError(
            f"{path}: expected one channel or a palette with an id in each pixel, found shape {pixels.shape}; "
            "pictures in which colours stand for classes must be converted to ids"
        )
    return pixels.astype(np.int64)


def read_colors(path: Path) -> IdMap:
    """int64[H, W, 3] of a picture with red, green and blue; DataError where it is missing or has no colours."""
    pixels = _open(path)
    if pixels.ndim != 3 or pixels.shape[2] < 3:
        raise DataError(f"{path}: expected red, green and blue with ids in them, found shape {pixels.shape}")
    return pixels[..., :3].astype(np.int64)


def _open(path: Path) -> npt.NDArray[np.generic]:
    try:
        with Image.open(path) as picture:
            return np.array(picture.convert("L") if picture.mode == "1" else picture)
    except FileNotFoundError as error:
        raise DataError(f"{path}: is missing, expected the id map of its image") from error
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise DataError(f"{path}: cannot be read as a picture: {error}") from error


def components(classes: IdMap, only: int | None = None) -> IdMap:
    """Id map in which every 8-connected region of one class is an object; class 0 is nothing.

    Args:
        classes: int64[H, W].
        only: the one class that is wanted: the others may be left out; None wants all.
    """
    ids = np.zeros_like(classes)
    for value in np.flatnonzero(np.bincount(classes.ravel())).tolist() if only is None else [only]:
        mask = (classes == value).astype(np.uint8)
        if value and mask.any():
            x, y, w, h = cv2.boundingRect(mask)
            box = slice(y, y + h), slice(x, x + w)
            _, regions = cv2.connectedComponents(np.ascontiguousarray(mask[box]), connectivity=8)
            ids[box] += np.where(regions > 0, regions.astype(np.int64) * STRIDE + value, 0)
    return ids


def ade20k(path: Path, only: int | None) -> IdMap:
    """`*_seg.png` of the full ADE20K: class = R // 10 * 256 + G, instance = B."""
    red, green, blue = np.moveaxis(read_colors(path), 2, 0)
    code = red // 10 * 256 + green
    return np.where(code > 0, blue * STRIDE + code, 0)


def ade20k_2016(path: Path, only: int | None) -> IdMap:
    """Annotation of SceneParsing (ADEChallengeData2016): 0 nothing, 1..150 classes; regions are objects."""
    classes = read_plane(path)
    if classes.max() > 150:
        raise DataError(f"{path}: holds {int(classes.max())}, expected ADE20K's 0 (none) and classes 1..150")
    return components(classes, only)


def coco_panoptic(path: Path, only: int | None) -> IdMap:
    """COCO panoptic picture: segment id = R + 256 G + 65536 B."""
    return np.asarray(read_colors(path) @ np.array([1, 256, 65536]), np.int64)


def coco_stuff(path: Path, only: int | None) -> IdMap:
    """COCO-Stuff label map (class - 1; 255 nothing), instances from the map beside it where there is one.

    The instance map of `<split>_label/<name>.png` is `<split>_inst/<name>.png`. Stuff, and things without an instance
    map, are split into connected regions.
    """
    labels = read_plane(path)
    if ((labels > 181) & (labels != 255)).any():
        raise DataError(f"{path}: holds {int(labels.max())}, expected COCO-Stuff's labels 0..181 and 255")
    classes = np.where(labels == 255, 0, labels + 1)
    ids = components(classes, only)
    instances = path.parent.with_name(path.parent.name.replace("_label", "_inst")) / path.name
    if instances != path and instances.is_file():
        instance = read_plane(instances)
        if instance.shape != labels.shape:
            raise DataError(f"{instances}: is {instance.shape[::-1]} px, the label map {labels.shape[::-1]}")
        thing = labels < COCO_THINGS
        ids[thing] = (instance[thing] + 1) * STRIDE + classes[thing]
    return ids


def voc(path: Path, only: int | None) -> IdMap:
    """Pascal VOC: SegmentationClass/<name>.png (0 background, 1..20, 255 border), objects of SegmentationObject."""
    classes = read_plane(path)
    object_file = path.parents[1] / "SegmentationObject" / path.name
    objects = read_plane(object_file)
    if classes.shape != objects.shape:
        raise DataError(f"{object_file}: is {objects.shape[::-1]} px, SegmentationClass {classes.shape[::-1]}")
    if ((classes > 20) & (classes != 255)).any():
        raise DataError(f"{path}: holds {int(classes.max())}, expected VOC's 0, classes 1..20 and 255 (border)")
    kept = (classes > 0) & (classes < 255) & (objects > 0) & (objects < 255)
    return np.where(kept, objects * STRIDE + classes, 0)


def folder(path: Path, only: int | None) -> IdMap:
    """Any mask: where one value alone is not 0, its connected regions are objects; else every value is one."""
    values = read_plane(path)
    if len(np.unique(values[values > 0])) == 1:
        return components((values > 0).astype(np.int64))
    return np.where(values > 0, values * STRIDE + 1, 0)


def transparent(path: Path, only: int | None) -> IdMap:
    """Picture with an alpha channel: what is at least half opaque is one object; none where nothing is transparent."""
    try:
        with Image.open(path) as picture:
            alpha = np.array(picture.convert("RGBA").getchannel("A"))
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise DataError(f"{path}: cannot be read as a picture: {error}") from error
    return np.where((alpha > 127) & (alpha.min() < 128), STRIDE + 1, 0)


def folder_classes(path: Path, only: int | None) -> IdMap:
    """Any mask whose values are classes: the connected regions of each are objects."""
    return components(read_plane(path), only)


MAP_READERS: dict[str, Callable[[Path, int | None], IdMap]] = {
    reader.__name__: reader
    for reader in (ade20k, ade20k_2016, coco_panoptic, coco_stuff, voc, folder, folder_classes, transparent)
}
"""Readers of id maps by the name that a table of segments keeps.

Each takes the annotation file and, for speed, the one class that is wanted (None: all); objects of other classes may
then be missing.
"""
