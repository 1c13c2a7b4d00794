"""`hybrid-seg evaluate --dataset`: a benchmark's images through a network, or beside saved scores."""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hybrid_seg_ros.cli.evaluate_values import names
from hybrid_seg_ros.cli.set_options import add_saved_arguments, add_set_arguments, scores_from, set_from

if TYPE_CHECKING:
    from hybrid_seg_ros.assessment.sources import ScoreSource
    from hybrid_seg_ros.datasets import Dataset

USE = "--dataset NAME --root DIR"

EXAMPLES = """\
  hybrid-seg evaluate --dataset road-anomaly21 --root dataset_AnomalyTrack --own-width 1280 --scores all
  hybrid-seg evaluate --dataset camvid --root camvid --split test --bundle my_bundle --json camvid.json
  hybrid-seg evaluate --dataset pairs --root my_set --anomaly-ids 1 --void-ids 255 --track obstacle
  hybrid-seg evaluate --dataset fishyscapes-laf --root fishyscapes --maps their_scores --out theirs"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of sets and of saved scores."""
    add_set_arguments(parser, required=False)
    add_saved_arguments(parser)
    group = parser.add_argument_group("scores")
    group.add_argument(
        "--scores", type=names, metavar="S1,S2", help="scores to evaluate in one run, or all (default: the bundle's)"
    )
    group.add_argument("--method", metavar="NAME", help="what the method is called (default: folder or bundle)")
    group.add_argument("--cache", type=Path, metavar="DIR", help="where score maps are kept (default: OUT/cache)")
    group.add_argument(
        "--submission", type=Path, metavar="DIR", help="write the scores in SegmentMeIfYouCan's submission layout"
    )


def wanted(args: Any) -> bool:  # noqa: ANN401  # argparse.Namespace
    """Whether a set is named."""
    return args.dataset is not None


def run(args: Any) -> int:  # noqa: ANN401  # argparse.Namespace
    """Evaluate a set; 1 where no image could be used."""
    import contextlib

    from hybrid_seg_ros.assessment.images import assess_images
    from hybrid_seg_ros.cli.evaluate_output import make_folder, write_outputs

    if args.dataset == "list":
        print(_list())
        return 0
    if args.root is None:
        raise ValueError(f"--dataset {args.dataset}: expected --root DIR, the folder where it lies")
    out: Path = args.out or Path(f"evaluation_{args.dataset}")
    with contextlib.closing(scores_from(args, threshold=args.threshold, method=args.method)) as source:
        dataset = set_from(args, source)
        make_folder(out)
        kinds = source.kinds if args.scores == ("all",) else args.scores
        evaluation = assess_images(
            dataset,
            source,
            kinds=kinds,
            cache=args.cache or out / "cache",
            pictures=out / "pictures" if args.pictures else None,
            jobs=args.jobs or 2,
        )
        # Before the submission, which a single image may prevent.
        write_outputs(evaluation, out, args.json)
        if args.submission is not None:
            _submit(args, dataset, source, args.cache or out / "cache")
    return 0 if evaluation.images else 1


def _submit(args: Any, dataset: "Dataset", source: "ScoreSource", cache: Path) -> None:  # noqa: ANN401
    from hybrid_seg_ros.assessment.cache import MapCache
    from hybrid_seg_ros.datasets.submission import write_submission

    maps, kind = MapCache(source, cache), (args.scores or source.kinds)[0]
    kind = source.kinds[0] if kind == "all" else kind
    scores = ((sample.name, maps.maps(sample, [kind]).scores[kind]) for sample in dataset.samples)
    # The layout goes by the benchmark's name of the set.
    named = replace(dataset, name=args.dataset)
    count = write_submission(args.submission, args.method or source.describe().name, named, scores)
    print(f"{count} score maps for submission in {args.submission}")


def _list() -> str:
    from hybrid_seg_ros.datasets import DATASETS

    return "\n".join(f"{name}: {kind.description}\n    {kind.layout}" for name, kind in DATASETS.items())
