"""SegmentMeIfYouCan (Chan et al. 2021): RoadAnomaly21 and RoadObstacle21, as downloaded or reduced to their masks."""

from collections.abc import Sequence
from pathlib import Path

from hybrid_seg_ros.datasets.errors import DatasetError
from hybrid_seg_ros.datasets.files import IMAGE_SUFFIXES, by_stem, list_files, list_masks
from hybrid_seg_ros.datasets.ids import anomaly_table
from hybrid_seg_ros.datasets.pairs import MASK_ENDINGS, pair
from hybrid_seg_ros.datasets.sample import Dataset, Track

LAYOUT = "images/validation0000.jpg (or .webp) and labels_masks/validation0000_labels_semantic.png"

_VALIDATION = "validation"
# Weather scenes and empty roads that the benchmark's own validation split leaves out.
_NOT_OF_THE_SPLIT = tuple(f"{_VALIDATION}_{number}" for number in (19, 21, 22, 23, 24, 25, 26, 27, 28, 29))


def open_road_anomaly21(root: Path, *, classes: Sequence[str] | None = None, split: str = _VALIDATION) -> Dataset:
    """Images with anomalies anywhere in them; everything else known.

    `split` "all" adds the test images, which have no masks: samples to write a submission of.

    Raises:
        DatasetError: another layout, no such split, or no image has a mask.
    """
    del classes  # masks hold no classes
    return _open("road-anomaly21", root, "anomaly", split)


def open_road_obstacle21(root: Path, *, classes: Sequence[str] | None = None, split: str = _VALIDATION) -> Dataset:
    """Small obstacles on the road; what is not road is void. See `open_road_anomaly21`."""
    del classes
    return _open("road-obstacle21", root, "obstacle", split)


def _open(name: str, root: Path, track: Track, split: str) -> Dataset:
    """One of the two tracks; split "all" adds the images to submit scores of, whose masks are not public.

    Raises:
        DatasetError: another layout, no such split, or no image has a mask.
    """
    if split not in (_VALIDATION, "all"):
        raise DatasetError(f"split {split!r} of {name}: expected {_VALIDATION} or all")
    layout = f"in {root}: {LAYOUT}"
    images = by_stem(list_files(root / "images", IMAGE_SUFFIXES, layout=layout))
    masks = by_stem(list_masks(root / "labels_masks", layout=layout), MASK_ENDINGS)
    table = anomaly_table(known=(0,), anomaly=(1,))
    if split == "all":
        return pair(name, images, masks, anomaly=table, track=track, layout=layout, unlabelled=True)
    if any(stem.startswith(_VALIDATION) for stem in images):
        images, masks = _validation(images, track), _validation(masks, track)
    return pair(name, images, masks, anomaly=table, track=track, layout=layout)


def _validation(files: dict[str, Path], track: Track) -> dict[str, Path]:
    left_out = _NOT_OF_THE_SPLIT if track == "obstacle" else ()
    return {stem: p for stem, p in files.items() if stem.startswith(_VALIDATION) and not stem.startswith(left_out)}
