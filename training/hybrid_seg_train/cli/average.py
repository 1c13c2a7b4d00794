"""hybrid-seg-train average."""

import argparse
from pathlib import Path

from hybrid_seg_train.cli.arguments import add_run


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    text = "average the weights of several runs of one history into a run of its own"
    parser = commands.add_parser("average", help=text, description=text)
    add_run(parser)
    parser.add_argument("--of", type=Path, nargs="+", required=True, metavar="RUN", help="runs, at least two")
    parser.add_argument("--shares", type=float, nargs="+", metavar="SHARE", help="of each run (default: all alike)")
    parser.set_defaults(handler=_run)


def _run(args: argparse.Namespace) -> int:
    from hybrid_seg_train.average import average_runs

    print(average_runs(args.of, args.run, args.shares))
    return 0
