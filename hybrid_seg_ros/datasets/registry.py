"""The sets by name."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hybrid_seg_ros.datasets import (
    bdd_anomaly,
    camvid,
    fishyscapes,
    lost_and_found,
    pairs,
    road_anomaly,
    segment_me,
    street_hazards,
)
from hybrid_seg_ros.datasets.errors import DatasetError
from hybrid_seg_ros.datasets.sample import Dataset


@dataclass(frozen=True, slots=True)
class DatasetKind:
    """A set that can be opened.

    Attributes:
        description: one line.
        layout: files below the root that are expected.
        open: (root, *, classes, **options) -> Dataset.
        images: how many the complete set has without options; None: any number.
    """

    description: str
    layout: str
    open: Callable[..., Dataset]
    images: int | None = None

    @property
    def options(self) -> tuple[str, ...]:
        """What `open` takes beside root and classes."""
        return tuple(name for name in inspect.signature(self.open).parameters if name not in ("root", "classes"))


DATASETS: Mapping[str, DatasetKind] = {
    "road-anomaly21": DatasetKind(
        "SegmentMeIfYouCan, anomaly track: RoadAnomaly21 validation",
        segment_me.LAYOUT,
        segment_me.open_road_anomaly21,
        10,
    ),
    "road-obstacle21": DatasetKind(
        "SegmentMeIfYouCan, obstacle track: RoadObstacle21 validation",
        segment_me.LAYOUT,
        segment_me.open_road_obstacle21,
        30,
    ),
    "lost-and-found-noknown": DatasetKind(
        "SegmentMeIfYouCan, obstacle track: Lost and Found test without children and bicycles",
        lost_and_found.LAYOUT,
        lost_and_found.open_no_known,
        1043,
    ),
    "fishyscapes-laf": DatasetKind(
        "Fishyscapes Lost & Found validation", fishyscapes.LAYOUT_LAF, fishyscapes.open_laf, 100
    ),
    "fishyscapes-static": DatasetKind(
        "Fishyscapes Static validation", fishyscapes.LAYOUT_STATIC, fishyscapes.open_static, 30
    ),
    "road-anomaly": DatasetKind("RoadAnomaly, 60 web images", road_anomaly.LAYOUT, road_anomaly.open_road_anomaly, 60),
    "lost-and-found": DatasetKind(
        "Lost and Found, with disparity where it is there",
        lost_and_found.LAYOUT,
        lost_and_found.open_lost_and_found,
        1186,
    ),
    "streethazards": DatasetKind(
        "StreetHazards test, figures per image, towns as folds",
        street_hazards.LAYOUT,
        street_hazards.open_street_hazards,
        1500,
    ),
    "bdd-anomaly": DatasetKind(
        "BDD-Anomaly: trains, motorcycles and bicycles, figures per image",
        bdd_anomaly.LAYOUT,
        bdd_anomaly.open_bdd_anomaly,
        810,
    ),
    "camvid": DatasetKind("CamVid with held-out classes", camvid.LAYOUT, camvid.open_camvid),
    "pairs": DatasetKind("any folder of images and label masks", pairs.LAYOUT, pairs.open_pairs),
}
"""Name -> how to open it."""


def open_dataset(name: str, root: Path, *, classes: Sequence[str] | None = None, **options: Any) -> Dataset:  # noqa: ANN401
    """Find the files of a set; no pixel is read yet, but of bdd-anomaly, which is defined by them.

    Where `Dataset.problems` name files, they are relative to the root.

    Args:
        name: one of DATASETS.
        root: its folder.
        classes: the network's classes, which `Sample.labels()` are translated to by name; None: the set's own.
        options: of the set, see `DatasetKind.options` and the functions.

    Raises:
        DatasetError: no such set, folder, option, or files in another layout than expected.
    """
    kind = DATASETS.get(name)
    if kind is None:
        raise DatasetError(f"no set is named {name!r}; expected one of {', '.join(DATASETS)}")
    unknown = [option for option in options if option not in kind.options]
    if unknown:
        raise DatasetError(
            f"{name} has no option {', '.join(unknown)}; expected {', '.join(kind.options) or 'no options'}"
        )
    if not root.is_dir():
        raise DatasetError(f"{root}: no such folder; expected {name} there: {kind.layout}")
    found = kind.open(root, classes=classes, **options)
    problems = [(_relative(where, root), what) for where, what in found.problems]
    if not options and kind.images not in (None, len(found.samples)):
        problems.append((name, f"{len(found.samples)} images, the complete set has {kind.images}"))
    return replace(found, problems=tuple(problems))


def _relative(where: str, root: Path) -> str:
    path = Path(where)
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else where
