"""Fishyscapes (Blum et al. 2021), the public validation images: real Lost & Found objects, and pasted ones (Static)."""

import re
import zipfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.datasets.errors import DatasetError
from hybrid_seg_ros.datasets.files import IMAGE_SUFFIXES, MASK_SUFFIXES, by_stem, list_files, read_bgr
from hybrid_seg_ros.datasets.ids import anomaly_table, read_mapped
from hybrid_seg_ros.datasets.pairs import open_pairs
from hybrid_seg_ros.datasets.sample import Dataset, Sample

LAYOUT_LAF = (
    "0000_ID_labels.png of fishyscapes_lostandfound.zip and ID_leftImg8bit.png of Lost and Found, in any folders; "
    "or images/NAME.png and labels_masks/NAME.png; or original/ and labels/"
)
LAYOUT_STATIC = (
    "0000_ID_labels.png and 0000_ID_rgb.npz of fs_val_v3.zip and ID_leftImg8bit.png of Cityscapes, in any folders; "
    "or 0000_ID_rgb.png beside 0000_ID_labels.png; or images/NAME.png and labels_masks/NAME.png; "
    "or original/ and labels/"
)

_TABLE = anomaly_table(known=(0,), anomaly=(1,))
_MASK = re.compile(r"(?P<name>\d+_(?P<base>.+))_labels")
_BASE = "_leftImg8bit"


def open_laf(root: Path, *, classes: Sequence[str] | None = None) -> Dataset:
    """FS Lost & Found: 100 images; unlike in Lost and Found, all that Cityscapes knows is labelled known.

    Raises:
        DatasetError: none of the layouts.
    """
    del classes  # masks hold no classes
    return _open("fishyscapes-laf", root, LAYOUT_LAF, pasted=False)


def open_static(root: Path, *, classes: Sequence[str] | None = None) -> Dataset:
    """FS Static: 30 Cityscapes images with objects of Pascal VOC pasted in.

    Raises:
        DatasetError: none of the layouts.
    """
    del classes
    return _open("fishyscapes-static", root, LAYOUT_STATIC, pasted=True)


def read_with_overlay(base: Path, overlay: Path) -> npt.NDArray[np.uint8]:
    """uint8[H, W, 3], BGR: a Cityscapes image plus the differences that paste the object.

    Raises:
        DatasetError: a file cannot be read, or they do not fit.
    """
    image = read_bgr(base)
    try:
        with np.load(overlay, allow_pickle=False) as arrays:
            difference = arrays["rgb"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise DatasetError(f"{overlay}: expected an npz with an array 'rgb': {error}") from error
    if difference.shape != image.shape or difference.dtype.kind not in "iu":
        found = f"'rgb' is {difference.dtype}{difference.shape}"
        raise DatasetError(f"{overlay}: {found}, expected integers of the shape of {base}, {image.shape}")
    return np.asarray(np.clip(image + difference[..., ::-1].astype(np.int32), 0, 255), np.uint8)


def _open(name: str, root: Path, layout: str, *, pasted: bool) -> Dataset:
    folders = next((f for f in (("images", None), ("original", "labels")) if (root / f[0]).is_dir()), None)
    if folders is not None:
        images, masks = folders
        return open_pairs(root, name=name, images=images, masks=masks, known_ids=(0,), void_ids=())
    expected = f"in {root}: {layout}"
    masks_found = {
        match["name"]: (match["base"], path)
        for path in list_files(root, MASK_SUFFIXES, layout=expected, recursive=True)
        if (match := _MASK.fullmatch(path.stem))
    }
    if not masks_found:
        raise DatasetError(f"{root}: no file named 0000_ID_labels.png; expected {expected}")
    pictures = list_files(root, IMAGE_SUFFIXES, layout=expected, recursive=True)
    bases = by_stem([path for path in pictures if path.stem.endswith(_BASE)], (_BASE,))
    samples, problems = [], []
    for sample, (base, mask) in masks_found.items():
        found = _sample(sample, mask, bases.get(base), pasted=pasted)
        if found is None:
            parts = f"{base}{_BASE}.png with {sample}_rgb.npz" if pasted else f"{base}{_BASE}.png"
            problems.append((str(mask), f"no image: neither {sample}_rgb.png nor {parts} is there"))
        else:
            samples.append(found)
    if not samples:
        raise DatasetError(f"{problems[0][0]}: {problems[0][1]}; expected {expected}")
    return Dataset(name, tuple(samples), problems=tuple(problems))


def _sample(name: str, mask: Path, base: Path | None, *, pasted: bool) -> Sample | None:
    anomaly = partial(read_mapped, mask, _TABLE)
    whole = [path for path in mask.parent.glob(f"{name}_rgb.*") if path.suffix.lower() in IMAGE_SUFFIXES]
    if whole:
        return Sample(name, whole[0], anomaly_reader=anomaly, files=(whole[0], mask))
    if base is None:
        return None
    if not pasted:
        return Sample(name, base, anomaly_reader=anomaly, files=(base, mask))
    # The number alone tells which overlay belongs to a mask: what stands behind it differs between the versions.
    overlays = sorted(mask.parent.glob(f"{name.partition('_')[0]}_*rgb.npz"))
    if not overlays:
        return None
    image = partial(read_with_overlay, base, overlays[0])
    return Sample(name, base, anomaly_reader=anomaly, image_reader=image, files=(base, overlays[0], mask))
