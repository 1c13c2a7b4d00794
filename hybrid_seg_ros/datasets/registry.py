"""The sets by name."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hybrid_seg_ros.datasets import pairs, segment_me
from hybrid_seg_ros.datasets.errors import DatasetError
from hybrid_seg_ros.datasets.sample import Dataset


@dataclass(frozen=True, slots=True)
class DatasetKind:
    """A set that can be opened.

    Attributes:
        description: one line.
        layout: files below the root that are expected.
        open: (root, *, classes, **options) -> Dataset.
    """

    description: str
    layout: str
    open: Callable[..., Dataset]

    @property
    def options(self) -> tuple[str, ...]:
        """What `open` takes beside root and classes."""
        return tuple(name for name in inspect.signature(self.open).parameters if name not in ("root", "classes"))


DATASETS: Mapping[str, DatasetKind] = {
    "road-anomaly21": DatasetKind(
        "SegmentMeIfYouCan, anomaly track: RoadAnomaly21 validation", segment_me.LAYOUT, segment_me.open_road_anomaly21
    ),
    "road-obstacle21": DatasetKind(
        "SegmentMeIfYouCan, obstacle track: RoadObstacle21 validation",
        segment_me.LAYOUT,
        segment_me.open_road_obstacle21,
    ),
    "pairs": DatasetKind("any folder of images and label masks", pairs.LAYOUT, pairs.open_pairs),
}
"""Name -> how to open it."""


def open_dataset(name: str, root: Path, *, classes: Sequence[str] | None = None, **options: Any) -> Dataset:  # noqa: ANN401
    """Find the files of a set; no pixel is read yet.

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
    return kind.open(root, classes=classes, **options)
