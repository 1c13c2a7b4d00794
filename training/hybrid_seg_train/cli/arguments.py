"""What several subcommands take."""

import argparse
import os
from pathlib import Path

from hybrid_seg_train.recipe import Recipe, changed

DATA_VARIABLE = "HYBRID_SEG_DATA"

_MEASURING = ("validation", "calibration", "evaluation", "export")


def add_run(parser: argparse.ArgumentParser) -> None:
    """--run: the folder of a training."""
    parser.add_argument("--run", type=Path, required=True, help="folder of the training")


def add_overrides(parser: argparse.ArgumentParser) -> None:
    """--set: changes of the recipe."""
    parser.add_argument(
        "--set", action="append", default=[], metavar="SECTION.KEY=VALUE", help="change one entry of the recipe"
    )


def add_measured_config(parser: argparse.ArgumentParser) -> None:
    """--config and --set of the subcommands that read a trained checkpoint."""
    parser.add_argument(
        "--config", help="recipe that says what is measured (default: the one the checkpoint was trained with)"
    )
    add_overrides(parser)


def add_dry_run(parser: argparse.ArgumentParser) -> None:
    """--dry-run: check and estimate, change nothing."""
    parser.add_argument(
        "--dry-run", action="store_true", help="check everything, say what would be done and how long it takes"
    )


def add_data(parser: argparse.ArgumentParser) -> None:
    """--data: the data root."""
    parser.add_argument(
        "--data",
        type=Path,
        default=os.environ.get(DATA_VARIABLE),
        help=f"root of the data sets (default: ${DATA_VARIABLE})",
    )


def data_root(args: argparse.Namespace) -> Path:
    """The folder of --data.

    Raises:
        ValueError: not given, or no folder.
    """
    if args.data is None:
        raise ValueError(f"where are the data sets? Give --data FOLDER or set {DATA_VARIABLE}")
    root = Path(args.data)
    if not root.is_dir():
        raise ValueError(f"--data {root}: no such folder")
    return root


def measured_recipe(args: argparse.Namespace, trained: Recipe) -> Recipe:
    """The recipe a subcommand measures by: the checkpoint's, with another's measuring parts and with overrides."""
    from hybrid_seg_train.recipe import load_recipe

    recipe = trained
    if args.config is not None:
        other = load_recipe(args.config)
        parts = {name: getattr(other, name) for name in ("description", *_MEASURING)}
        recipe = recipe.model_copy(update=parts)
    return changed(recipe, tuple(args.set))
