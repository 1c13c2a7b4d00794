"""hybrid-seg-train calibrate | evaluate | export."""

import argparse
from pathlib import Path

from hybrid_seg_train.cli.arguments import (
    add_data,
    add_dry_run,
    add_measured_config,
    add_run,
    data_root,
    measured_recipe,
)

_HELP = {
    "calibrate": "find operating points, the confidence and logit statistics of a trained network",
    "evaluate": "measure mIoU, and every score on the anomaly sets",
    "export": "write the bundle that the node runs, checked against PyTorch",
}


def add_parsers(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the three subcommands."""
    parsers = {}
    for name, text in _HELP.items():
        parsers[name] = commands.add_parser(name, help=text, description=text)
        add_run(parsers[name])
        add_measured_config(parsers[name])
        add_dry_run(parsers[name])
    add_data(parsers["calibrate"])
    add_data(parsers["evaluate"])
    parsers["calibrate"].set_defaults(handler=_calibrate)
    parsers["evaluate"].set_defaults(handler=_evaluate)
    export = parsers["export"]
    export.add_argument("--out", type=Path, required=True, help="bundle directory to write; replaced if there")
    export.add_argument("--interim", action="store_true", help="without evaluation figures")
    export.add_argument("--commit", default="", help="commit of the training code, for the manifest")
    export.set_defaults(handler=_export)


def _calibrate(args: argparse.Namespace) -> int:
    from hybrid_seg_train.estimate import measuring_estimate
    from hybrid_seg_train.measure import calibrate_run, calibration_images
    from hybrid_seg_train.networks import checkpoint_of, load_checkpoint
    from hybrid_seg_train.run import write_calibration

    trained, data = load_checkpoint(checkpoint_of(args.run)), data_root(args)
    recipe = measured_recipe(args, trained.recipe)
    if args.dry_run:
        part = recipe.calibration
        images = {"calibration": (len(calibration_images(recipe, data)), (part.width, part.height))}
        print(measuring_estimate(trained, images))
        return 0
    print(write_calibration(args.run, calibrate_run(trained, recipe, data)))
    return 0


def _evaluate(args: argparse.Namespace) -> int:
    from hybrid_seg_train.estimate import measuring_estimate
    from hybrid_seg_train.measure import evaluate_run, evaluation_images
    from hybrid_seg_train.networks import checkpoint_of, load_checkpoint
    from hybrid_seg_train.run import write_evaluation

    trained, data = load_checkpoint(checkpoint_of(args.run)), data_root(args)
    recipe = measured_recipe(args, trained.recipe)
    if args.dry_run:
        print(measuring_estimate(trained, evaluation_images(recipe, data)))
        return 0
    print(write_evaluation(args.run, evaluate_run(trained, recipe, args.run, data)))
    return 0


def _export(args: argparse.Namespace) -> int:
    from hybrid_seg_train.measure import export_run
    from hybrid_seg_train.networks import checkpoint_of, load_checkpoint

    trained = load_checkpoint(checkpoint_of(args.run))
    recipe = measured_recipe(args, trained.recipe)
    print(
        export_run(trained, recipe, args.run, args.out, interim=args.interim, commit=args.commit, dry_run=args.dry_run)
    )
    return 0
