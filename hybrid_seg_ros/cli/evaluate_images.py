"""`hybrid-seg evaluate --dataset`: a benchmark's images through a network, or beside saved scores."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hybrid_seg_ros.cli.evaluate_values import class_ids, ids, names

if TYPE_CHECKING:
    from hybrid_seg_ros.assessment.sources import ScoreSource
    from hybrid_seg_ros.datasets import Dataset

USE = "--dataset NAME --root DIR"

EXAMPLES = """\
  hybrid-seg evaluate --dataset road-anomaly21 --root dataset_AnomalyTrack --own-width 1280 --scores all
  hybrid-seg evaluate --dataset camvid --root camvid --split test --bundle my_bundle --json camvid.json
  hybrid-seg evaluate --dataset pairs --root my_set --anomaly-ids 1 --void-ids 255 --track obstacle
  hybrid-seg evaluate --dataset fishyscapes-laf --root fishyscapes --maps their_scores --out theirs"""

# Options that go to the reader of the set as they are, where they are given.
_PASSED = (
    *("split", "held_out", "anomaly_ids", "void_ids", "known_ids", "class_ids"),
    *("images", "masks", "track", "averaging"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of sets and of saved scores."""
    group = parser.add_argument_group("sets of images")
    group.add_argument("--dataset", metavar="NAME", help="the set; `--dataset list` names all and their layouts")
    group.add_argument("--root", type=Path, metavar="DIR", help="where the set lies")
    group.add_argument(
        "--scores", type=names, metavar="S1,S2", help="scores to evaluate in one run, or all (default: the bundle's)"
    )
    group.add_argument(
        "--own-width",
        type=int,
        metavar="MAX",
        help="run every image at its own width, at most MAX px, instead of at the network's input size",
    )
    group.add_argument("--cache", type=Path, metavar="DIR", help="where score maps are kept (default: OUT/cache)")
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
    saved = parser.add_argument_group("saved scores of any method")
    saved.add_argument("--maps", type=Path, metavar="DIR", help="score maps (npy, npz, HDF5, PNG) instead of a network")
    saved.add_argument("--maps-key", metavar="KEY", help="name of the array in npz and HDF5 files (default: value)")
    saved.add_argument("--maps-scale", type=float, default=1.0, metavar="X", help="PNG: score = offset + scale * pixel")
    saved.add_argument("--maps-offset", type=float, default=0.0, metavar="X", help="see --maps-scale")
    saved.add_argument("--method", metavar="NAME", help="what the method is called (default: folder or bundle)")
    saved.add_argument(
        "--submission", type=Path, metavar="DIR", help="write the scores in SegmentMeIfYouCan's submission layout"
    )


def wanted(args: Any) -> bool:  # noqa: ANN401  # argparse.Namespace
    """Whether a set is named."""
    return args.dataset is not None


def run(args: Any) -> int:  # noqa: ANN401  # argparse.Namespace
    """Evaluate a set; 1 where no image could be used."""
    import contextlib

    from hybrid_seg_ros.assessment.images import assess_images
    from hybrid_seg_ros.cli.evaluate_output import write_outputs

    if args.dataset == "list":
        print(_list())
        return 0
    if args.root is None:
        raise ValueError(f"--dataset {args.dataset}: expected --root DIR, the folder where it lies")
    out: Path = args.out or Path(f"evaluation_{args.dataset}")
    with contextlib.closing(_source(args)) as source:
        dataset = _dataset(args, source)
        kinds = source.kinds if args.scores == ("all",) else args.scores
        evaluation = assess_images(
            dataset,
            source,
            kinds=kinds,
            cache=args.cache or out / "cache",
            pictures=out / "pictures" if args.pictures else None,
            jobs=args.jobs or 2,
        )
        if args.submission is not None:
            _submit(args, dataset, source, args.cache or out / "cache")
    write_outputs(evaluation, out, args.json)
    return 0 if evaluation.images else 1


def _source(args: Any) -> "ScoreSource":  # noqa: ANN401
    from hybrid_seg_ros.assessment.sources import BundleSource, SavedSource
    from hybrid_seg_ros.backends import BackendOptions

    if args.maps is not None:
        return SavedSource(
            args.maps, name=args.method, key=args.maps_key, scale=args.maps_scale, offset=args.maps_offset
        )
    return BundleSource(
        args.bundle,
        args.backend,
        input_size=args.input_size,
        own_width=args.own_width,
        threshold=args.threshold,
        options=BackendOptions(precision=None if args.precision == "auto" else args.precision),
    )


def _dataset(args: Any, source: "ScoreSource") -> "Dataset":  # noqa: ANN401
    from hybrid_seg_ros.datasets import open_dataset

    options = {name: value for name in _PASSED if (value := getattr(args, name)) is not None}
    return open_dataset(args.dataset, args.root, classes=source.classes, **options)


def _submit(args: Any, dataset: "Dataset", source: "ScoreSource", cache: Path) -> None:  # noqa: ANN401
    from hybrid_seg_ros.assessment.cache import MapCache
    from hybrid_seg_ros.datasets.submission import write_submission

    maps, kind = MapCache(source, cache), (args.scores or source.kinds)[0]
    kind = source.kinds[0] if kind == "all" else kind
    scores = ((sample.name, maps.maps(sample, [kind]).scores[kind]) for sample in dataset.samples)
    count = write_submission(args.submission, args.method or source.describe().name, dataset, scores)
    print(f"{count} score maps for submission in {args.submission}\n")


def _list() -> str:
    from hybrid_seg_ros.datasets import DATASETS

    return "\n".join(f"{name}: {kind.description}\n    {kind.layout}" for name, kind in DATASETS.items())
