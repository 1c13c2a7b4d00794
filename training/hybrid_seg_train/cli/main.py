"""The parser, and errors as sentences."""

import argparse
import sys
from collections.abc import Sequence

from hybrid_seg_train.cli import average, measure, quantize, report, train


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand; returns the exit status."""
    args = _parser().parse_args(arguments)
    try:
        status: int = args.handler(args)
    except (ValueError, FileExistsError, FileNotFoundError, ModuleNotFoundError, RuntimeError) as error:
        print(f"hybrid-seg-train {args.command}: {error}", file=sys.stderr)
        return 1
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("hybrid-seg-train", description="Train hybrid open-set segmentation networks.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    train.add_parsers(commands)
    average.add_parser(commands)
    measure.add_parsers(commands)
    quantize.add_parser(commands)
    report.add_parser(commands)
    return parser
