"""The command line: hybrid-seg-train train | calibrate | evaluate | export."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

DATA_VARIABLE = "HYBRID_SEG_DATA"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand; returns the exit status."""
    args = _parser().parse_args(arguments)
    try:
        status: int = args.handler(args)
    except (ValueError, FileNotFoundError, ModuleNotFoundError, RuntimeError) as error:
        print(f"hybrid-seg-train {args.command}: {error}", file=sys.stderr)
        return 1
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("hybrid-seg-train", description="Train hybrid open-set segmentation networks.")
    commands = parser.add_subparsers(dest="command", required=True)

    train = commands.add_parser("train", help="train a recipe, or go on with a run that was stopped")
    train.add_argument("recipe", help="name of a shipped recipe, or a .yaml file")
    train.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE", help="change one entry")
    train.add_argument("--workers", type=int, default=1, help="processes that prepare samples (default: 1)")
    train.add_argument("--processes", type=int, default=1, help="CPU processes that share every batch (default: 1)")
    _add_places(train)
    train.set_defaults(handler=_train)

    calibrate = commands.add_parser("calibrate", help="find operating points and the confidence's temperature")
    _add_places(calibrate)
    calibrate.set_defaults(handler=_calibrate)

    evaluate = commands.add_parser("evaluate", help="measure mIoU on CamVid test and all scores on the anomaly sets")
    _add_places(evaluate)
    evaluate.set_defaults(handler=_evaluate)

    export = commands.add_parser("export", help="write the bundle that the node runs, checked against PyTorch")
    export.add_argument("--run", type=Path, required=True, help="folder of the training")
    export.add_argument("--out", type=Path, required=True, help="bundle directory to write; replaced if there")
    export.add_argument("--interim", action="store_true", help="without evaluation figures")
    export.add_argument("--commit", default="", help="commit of the training code, for the manifest")
    export.set_defaults(handler=_export)
    return parser


def _add_places(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--run", type=Path, required=True, help="folder of the training")
    parser.add_argument(
        "--data",
        type=Path,
        default=os.environ.get(DATA_VARIABLE),
        help=f"root of the data sets (default: ${DATA_VARIABLE})",
    )


def _data_root(args: argparse.Namespace) -> Path:
    if args.data is None:
        raise ValueError(f"where are the data sets? Give --data FOLDER or set {DATA_VARIABLE}")
    root = Path(args.data)
    if not root.is_dir():
        raise ValueError(f"--data {root}: no such folder")
    return root


def _train(args: argparse.Namespace) -> int:
    from hybrid_seg_train.recipe import load_recipe
    from hybrid_seg_train.train import train

    recipe = load_recipe(args.recipe, tuple(args.set))
    print(train(recipe, _data_root(args), args.run, workers=args.workers, processes=args.processes))
    return 0


def _calibrate(args: argparse.Namespace) -> int:
    from hybrid_seg_train.calibrate import calibrate, held_out_objects, with_unseen_objects
    from hybrid_seg_train.data.build import read_source
    from hybrid_seg_train.export import INPUT_SIZE
    from hybrid_seg_train.infer import load_checkpoint
    from hybrid_seg_train.run import CHECKPOINT, write_calibration

    trained = load_checkpoint(args.run / CHECKPOINT)
    data = _data_root(args)
    objects = held_out_objects(data / trained.recipe.negatives.sets[0].path)
    scenes = with_unseen_objects(read_source(trained.recipe.validation, data), objects, trained.recipe.seed)
    print(write_calibration(args.run, calibrate(trained.network, scenes, INPUT_SIZE)))
    return 0


def _evaluate(args: argparse.Namespace) -> int:
    from hybrid_seg_train.evaluate import evaluate
    from hybrid_seg_train.infer import load_checkpoint
    from hybrid_seg_train.run import CHECKPOINT, write_evaluation

    trained = load_checkpoint(args.run / CHECKPOINT)
    print(write_evaluation(args.run, evaluate(trained.network, _data_root(args))))
    return 0


def _export(args: argparse.Namespace) -> int:
    from hybrid_seg_train.export import export_bundle
    from hybrid_seg_train.infer import load_checkpoint
    from hybrid_seg_train.run import CHECKPOINT, read_calibration, read_curve, read_evaluation
    from hybrid_seg_train.stages import read_stages

    trained = load_checkpoint(args.run / CHECKPOINT)
    evaluation = None if args.interim else read_evaluation(args.run)
    bundle = export_bundle(
        trained,
        read_calibration(args.run),
        evaluation,
        args.out,
        commit=args.commit,
        curve=read_curve(args.run),
        stages=read_stages(args.run),
    )
    print(bundle.path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
