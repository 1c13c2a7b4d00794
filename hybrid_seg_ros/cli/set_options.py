"""The options that say which labelled set of images is meant, and whose saved scores of it."""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hybrid_seg_ros.cli.evaluate_values import class_ids, ids, names, width

if TYPE_CHECKING:
    from hybrid_seg_ros.assessment.sources import ScoreSource
    from hybrid_seg_ros.datasets import Dataset

# Options that go to the reader of the set as they are, where they are given.
_PASSED = (
    *("split", "held_out", "anomaly_ids", "void_ids", "known_ids", "class_ids"),
    *("images", "masks", "track", "averaging"),
)


def add_set_arguments(parser: argparse.ArgumentParser, *, required: bool) -> None:
    """Which set, how it is read, and at which size its images are run."""
    group = parser.add_argument_group("sets of images")
    group.add_argument(
        "--dataset",
        required=required,
        metavar="NAME",
        help="the set; `hybrid-seg evaluate --dataset list` names all and their layouts",
    )
    group.add_argument("--root", type=Path, required=required, metavar="DIR", help="where the set lies")
    group.add_argument("--set-name", metavar="TEXT", help="what the set is called (default: its own)")
    group.add_argument(
        "--own-width",
        type=width,
        metavar="MAX",
        help="run every image at its own width, at most MAX px, instead of at the network's input size",
    )
    group.add_argument("--split", help="of sets that have several")
    group.add_argument("--held-out", type=names, metavar="CLASSES", help="camvid: classes that are anomalies here")
    group.add_argument("--known-ids", type=ids, metavar="IDS", help="pairs: ids that are known (default: all others)")
    group.add_argument(
        "--class-ids", type=class_ids, metavar="ID=NAME,...", help="pairs: class names of ids, for the mIoU"
    )
    group.add_argument("--images", metavar="FOLDER", help="pairs: folder of the images below the root")
    group.add_argument("--masks", metavar="FOLDER", help="pairs: folder of the masks below the root")
    group.add_argument("--track", choices=("anomaly", "obstacle"), help="pairs: which component sizes count")
    group.add_argument("--averaging", choices=("pooled", "per_image"), help="pairs: of all pixels, or mean of images")


def add_id_arguments(parser: argparse.ArgumentParser) -> None:
    """What the ids in the masks mean."""
    group = parser.add_argument_group("ground truth")
    group.add_argument("--anomaly-ids", type=ids, metavar="IDS", help="ids of anomalies in the masks, such as 1,14")
    group.add_argument("--void-ids", type=ids, metavar="IDS", help="ids of what does not count (default: 255)")


def add_saved_arguments(parser: argparse.ArgumentParser) -> None:
    """Saved score maps instead of a network run."""
    group = parser.add_argument_group("saved scores of any method")
    group.add_argument("--maps", type=Path, metavar="DIR", help="score maps (npy, npz, HDF5, PNG) instead of a network")
    group.add_argument("--maps-key", metavar="KEY", help="name of the array in npz and HDF5 files (default: value)")
    group.add_argument("--maps-scale", type=float, default=1.0, metavar="X", help="PNG: score = offset + scale * pixel")
    group.add_argument("--maps-offset", type=float, default=0.0, metavar="X", help="see --maps-scale")


def scores_from(args: Any, *, threshold: float | str | None = None, method: str | None = None) -> "ScoreSource":  # noqa: ANN401  # argparse.Namespace
    """The saved maps, or the bundle's network; close it.

    Args:
        args: the options.
        threshold: of the bundle's masks, see `BundleSource`.
        method: what saved maps are called; None: as their folder.
    """
    from hybrid_seg_ros.assessment.sources import BundleSource, SavedSource
    from hybrid_seg_ros.backends import BackendOptions

    if args.maps is not None:
        return SavedSource(args.maps, name=method, key=args.maps_key, scale=args.maps_scale, offset=args.maps_offset)
    return BundleSource(
        args.bundle,
        args.backend,
        input_size=args.input_size,
        own_width=args.own_width,
        threshold=threshold,
        options=BackendOptions(precision=None if args.precision == "auto" else args.precision),
    )


def set_from(args: Any, scores: "ScoreSource") -> "Dataset":  # noqa: ANN401  # argparse.Namespace
    """The set that the options describe; its labels in the classes of the network."""
    from hybrid_seg_ros.datasets import open_dataset

    options = {name: value for name in _PASSED if (value := getattr(args, name)) is not None}
    found = open_dataset(args.dataset, args.root, classes=scores.classes, **options)
    return replace(found, name=args.set_name or _own_name(args, found.name))


def _own_name(args: Any, name: str) -> str:  # noqa: ANN401
    """What tells this set from others that are read the same way."""
    folder = f" {args.root.resolve().name}" if args.dataset == "pairs" else ""
    split = f" {args.split}" if args.split else ""
    held_out = f", {' and '.join(args.held_out)} held out" if args.held_out else ""
    return f"{name}{folder}{split}{held_out}"
