"""RoadAnomaly (Lis et al. 2019): 60 web images with unusual dangers; everything that is no anomaly is known."""

from collections.abc import Sequence
from pathlib import Path

from hybrid_seg_ros.datasets.files import IMAGE_SUFFIXES, by_stem, list_files
from hybrid_seg_ros.datasets.ids import anomaly_table
from hybrid_seg_ros.datasets.pairs import open_pairs, pair
from hybrid_seg_ros.datasets.sample import Dataset

LAYOUT = "frames/NAME.jpg and frames/NAME.labels/labels_semantic.png; or original/NAME.jpg and labels/NAME.png"

_ANOMALY, _VOID = 2, 255
_MASK = "labels_semantic.png"


def open_road_anomaly(root: Path, *, classes: Sequence[str] | None = None) -> Dataset:
    """Stored 2 is an anomaly, 255 void, all else known.

    Raises:
        DatasetError: none of the layouts.
    """
    del classes  # 0 and 1 are "not road" and "road": no classes of a network
    if (root / "original").is_dir():
        return open_pairs(
            root, name="road-anomaly", images="original", masks="labels", anomaly_ids=(_ANOMALY,), void_ids=(_VOID,)
        )
    layout = f"in {root}: {LAYOUT}"
    images = by_stem(list_files(root / "frames", IMAGE_SUFFIXES, layout=layout))
    masks = {
        folder.stem: folder / _MASK
        for folder in (root / "frames").iterdir()
        if folder.suffix == ".labels" and (folder / _MASK).is_file()
    }
    table = anomaly_table(anomaly=(_ANOMALY,), void=(_VOID,))
    return pair("road-anomaly", images, masks, anomaly=table, layout=layout)
