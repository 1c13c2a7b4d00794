"""StreetHazards (Hendrycks et al. 2022): rendered streets with objects that the training streets do not have."""

from collections.abc import Sequence
from pathlib import Path

from hybrid_seg_ros.datasets.files import IMAGE_SUFFIXES, MASK_SUFFIXES, list_files
from hybrid_seg_ros.datasets.ids import anomaly_table
from hybrid_seg_ros.datasets.pairs import pair
from hybrid_seg_ros.datasets.sample import Dataset

LAYOUT = "images/test/t5/NAME.png and annotations/test/t5/NAME.png, and t6 (or a folder test/ with both)"

# Stored ids; 4 is "other", which does not count, 14 the anomaly.
_CLASSES = {
    1: "unlabeled",
    2: "building",
    3: "fence",
    5: "pedestrian",
    6: "pole",
    7: "road line",
    8: "road",
    9: "sidewalk",
    10: "vegetation",
    11: "car",
    12: "wall",
    13: "traffic sign",
}
_ANOMALY = 14
_TOWNS = ("t5", "t6")


def open_street_hazards(root: Path, *, classes: Sequence[str] | None = None) -> Dataset:
    """The test split: 12 known classes, figures per image, the two towns as folds of the open-set evaluation.

    Raises:
        DatasetError: another layout.
    """
    base = root / "test" if (root / "test").is_dir() else root
    layout = f"in {root}: {LAYOUT}"
    images = _named(base / "images" / "test", IMAGE_SUFFIXES, layout)
    masks = _named(base / "annotations" / "test", MASK_SUFFIXES, layout)
    towns = {name: name.partition("/")[0] for name in images}
    return pair(
        "streethazards",
        images,
        masks,
        anomaly=anomaly_table(known=_CLASSES, anomaly=(_ANOMALY,)),
        class_ids=_CLASSES,
        classes=classes,
        averaging="per_image",
        folds={name: _TOWNS.index(town) for name, town in towns.items() if town in _TOWNS},
        layout=layout,
    )


def _named(folder: Path, suffixes: Sequence[str], layout: str) -> dict[str, Path]:
    """Files by "TOWN/NAME": both towns number their images from the start."""
    paths = list_files(folder, suffixes, layout=layout, recursive=True)
    return {path.relative_to(folder).with_suffix("").as_posix(): path for path in paths}
