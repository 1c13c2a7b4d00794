"""The options that say which labelled set of images is meant, and whose saved scores of it."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hybrid_seg_ros.cli.evaluate_values import ids, names

if TYPE_CHECKING:
    from hybrid_seg_ros.assessment.sources import ScoreSource
    from hybrid_seg_ros.datasets import Dataset

# Options that go to the reader of the set as they are, where they are given.
_PASSED = (
    *("split", "held_out", "anomaly_ids", "void_ids", "known_ids"),
    *("images", "masks"),
)


def add_set_arguments(parser: argparse.ArgumentParser) -> None:
    """Which set, and how it is read."""
    group = parser.add_argument_group("labelled images")
    group.add_argument(
        "--dataset", required=True, metavar="NAME", help="the set; `hybrid-seg evaluate --dataset list` names all"
    )
    group.add_argument("--root", type=Path, required=True, metavar="DIR", help="where the set lies")
    group.add_argument("--split", help="of sets that have several")
    group.add_argument("--held-out", type=names, metavar="CLASSES", help="camvid: classes that are anomalies here")
    group.add_argument("--anomaly-ids", type=ids, metavar="IDS", help="pairs: ids of anomalies, such as 1,14")
    group.add_argument("--void-ids", type=ids, metavar="IDS", help="pairs: ids that do not count (default: 255)")
    group.add_argument("--known-ids", type=ids, metavar="IDS", help="pairs: ids that are known (default: all others)")
    group.add_argument("--images", metavar="FOLDER", help="pairs: folder of the images below the root")
    group.add_argument("--masks", metavar="FOLDER", help="pairs: folder of the masks below the root")


def add_saved_arguments(parser: argparse.ArgumentParser) -> None:
    """Saved score maps instead of a network run."""
    group = parser.add_argument_group("saved scores")
    group.add_argument("--maps", type=Path, metavar="DIR", help="score maps (npy, npz, HDF5, PNG) instead of a run")
    group.add_argument("--maps-key", metavar="KEY", help="name of the array in npz and HDF5 files (default: value)")
    group.add_argument("--maps-scale", type=float, default=1.0, metavar="X", help="PNG: score = offset + scale * pixel")
    group.add_argument("--maps-offset", type=float, default=0.0, metavar="X", help="see --maps-scale")


def scores_from(args: Any) -> "ScoreSource":  # noqa: ANN401  # argparse.Namespace
    """The saved maps, or the bundle's network; close it."""
    from hybrid_seg_ros.assessment.sources import BundleSource, SavedSource
    from hybrid_seg_ros.backends import BackendOptions

    if args.maps is not None:
        return SavedSource(args.maps, key=args.maps_key, scale=args.maps_scale, offset=args.maps_offset)
    return BundleSource(
        args.bundle,
        args.backend,
        input_size=args.input_size,
        options=BackendOptions(precision=None if args.precision == "auto" else args.precision),
    )


def set_from(args: Any, scores: "ScoreSource") -> "Dataset":  # noqa: ANN401  # argparse.Namespace
    """The set that the options describe; its labels in the classes of the network."""
    from hybrid_seg_ros.datasets import open_dataset

    options = {name: value for name in _PASSED if (value := getattr(args, name)) is not None}
    return open_dataset(args.dataset, args.root, classes=scores.classes, **options)
