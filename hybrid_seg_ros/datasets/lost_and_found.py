"""Lost and Found (Pinggera et al. 2016): small obstacles on the road, with stereo."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.datasets.errors import DatasetError
from hybrid_seg_ros.datasets.files import IMAGE_SUFFIXES, by_stem, list_files, read_ids
from hybrid_seg_ros.datasets.ids import anomaly_table
from hybrid_seg_ros.datasets.pairs import pair
from hybrid_seg_ros.datasets.sample import Camera, Dataset, Sample

LAYOUT = (
    "leftImg8bit/test/SCENE/ID_leftImg8bit.png and gtCoarse/test/SCENE/ID_gtCoarse_labelIds.png; "
    "optional: disparity/test/SCENE/ID_disparity.png and camera/test/SCENE/ID_camera.json"
)

# 0 is unlabelled and 255 lies outside of the rectified picture; everything on the road has an id of its own.
_TABLE = anomaly_table(known=(1,), anomaly=range(2, 201))

# Frames without any label, as positions in the sorted complete split: SegmentMeIfYouCan leaves them out.
_UNLABELLED: Mapping[str, tuple[int, tuple[int, ...]]] = {
    "train": (1036, (44, 67, 88, 109, 131, 614)),
    "test": (1203, (17, 37, 55, 72, 91, 110, 129, 153, 174, 197, 218, 353, 490, 618, 686, 792, 793)),
}
# Scenes whose "obstacles" are children and bicycles, which a road network knows.
_KNOWN_OBJECTS = (
    "15_Rechbergstr_Deckenpfronn",
    "01_Hanns_Klemm_Str_45_000006",
    "01_Hanns_Klemm_Str_45_000007",
    "10_Schlossberg_9_000004",
)


def open_lost_and_found(root: Path, *, classes: Sequence[str] | None = None, split: str = "test") -> Dataset:
    """All labelled frames of a split: road is known, obstacles are anomalies, all else is void.

    Args:
        root: folder of leftImg8bit/ and gtCoarse/.
        classes: not used, the set has no classes that a network knows.
        split: "train" or "test".

    Raises:
        DatasetError: another layout, or no such split.
    """
    del classes
    return _open("lost-and-found", root, split)


def open_no_known(root: Path, *, classes: Sequence[str] | None = None) -> Dataset:
    """The test frames without children and bicycles: LostAndFound-testNoKnown of SegmentMeIfYouCan.

    Raises:
        DatasetError: another layout.
    """
    del classes
    found = _open("lost-and-found-noknown", root, "test")
    return replace(found, samples=tuple(s for s in found.samples if not s.name.startswith(_KNOWN_OBJECTS)))


def read_disparity(path: Path) -> npt.NDArray[np.float32]:
    """float32[H, W], px: (stored - 1) / 256 as Cityscapes stores it; 0 where it is unknown.

    Raises:
        DatasetError: not a picture of 16 bits.
    """
    stored = read_ids(path)
    if stored.dtype != np.uint16:
        raise DatasetError(f"{path}: disparities are {stored.dtype}, expected 16 bits")
    return np.asarray((np.maximum(stored, 1) - np.uint16(1)) / np.float32(256), np.float32)


def read_camera(path: Path) -> Camera:
    """Baseline and focal length of a Cityscapes camera file.

    Raises:
        DatasetError: no such file, not JSON, or without extrinsic.baseline and intrinsic.fx.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        camera = Camera(float(content["extrinsic"]["baseline"]), float(content["intrinsic"]["fx"]))
    except FileNotFoundError:
        raise DatasetError(f"{path}: no such file") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DatasetError(f"{path}: expected extrinsic.baseline (m) and intrinsic.fx (px): {error!r}") from error
    if not (0 < camera.baseline_m < np.inf and 0 < camera.focal_px < np.inf):
        raise DatasetError(f"{path}: baseline {camera.baseline_m} m, focal length {camera.focal_px} px; expected > 0")
    return camera


def _open(name: str, root: Path, split: str) -> Dataset:
    if split not in _UNLABELLED:
        raise DatasetError(f"split {split!r} of {name}: expected {' or '.join(_UNLABELLED)}")
    layout = f"in {root}: {LAYOUT}"
    images = _files(root, "leftImg8bit", split, "_leftImg8bit", layout)
    masks = _files(root, "gtCoarse", split, "_gtCoarse_labelIds", layout)
    count, unlabelled = _UNLABELLED[split]
    if len(images) == count:  # else they stay: what is void everywhere changes no figure
        names = sorted(images)
        for position in unlabelled:
            images.pop(names[position])
            masks.pop(names[position], None)
    found = pair(name, images, masks, anomaly=_TABLE, track="obstacle", layout=layout)
    samples, problems = [], list(found.problems)
    for sample in found.samples:
        with_stereo, problem = _with_stereo(sample, root, split)
        samples.append(with_stereo)
        problems += problem
    return replace(found, samples=tuple(samples), problems=tuple(problems))


def _files(root: Path, folder: str, split: str, ending: str, layout: str) -> dict[str, Path]:
    paths = list_files(root / folder / split, IMAGE_SUFFIXES, layout=layout, recursive=True)
    return by_stem([path for path in paths if path.stem.endswith(ending)], (ending,))


def _with_stereo(sample: Sample, root: Path, split: str) -> tuple[Sample, list[tuple[str, str]]]:
    scene = sample.image.parent.name
    disparity = root / "disparity" / split / scene / f"{sample.name}_disparity.png"
    camera = root / "camera" / split / scene / f"{sample.name}_camera.json"
    if not disparity.is_file():
        return sample, []
    try:
        calibration = read_camera(camera)
    except DatasetError as error:
        return sample, [(str(camera), f"{str(error).partition(': ')[2]}; the image has no distances")]
    files = (*sample.files, disparity, camera)
    reader = partial(read_disparity, disparity)
    return replace(sample, disparity_reader=reader, camera=calibration, files=files), []
