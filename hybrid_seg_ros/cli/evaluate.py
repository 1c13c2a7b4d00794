"""`hybrid-seg evaluate`: how good a network is on a benchmark or a drive, and what changed since."""

import argparse
from pathlib import Path
from typing import Any, Protocol

from hybrid_seg_ros.cli import evaluate_compare, evaluate_images, evaluate_recordings
from hybrid_seg_ros.cli.detector_options import add_detector_arguments
from hybrid_seg_ros.cli.evaluate_values import count
from hybrid_seg_ros.cli.set_options import add_id_arguments

_DESCRIPTION = """\
Measure a network: on a benchmark's images, or a node on recordings of drives, and see where it fails.

Figures are exact (or say how far they can be off), null where they are not defined, and the same for everybody's
scores. The folder that is made holds evaluation.json, report.html, tables as CSV, and the pictures of the worst places.
A run that was cut off goes on where it was when it is started again.
"""


class Mode(Protocol):
    """A module that evaluates one sort of thing. A new one adds itself to MODES."""

    __name__: str
    USE: str
    """How it is asked for, for the message of an unclear command."""
    EXAMPLES: str
    """Lines for the help."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare its own options, in a group of their own."""
        ...

    def wanted(self, args: Any) -> bool:  # noqa: ANN401  # argparse.Namespace
        """Whether the options ask for this mode."""
        ...

    def run(self, args: Any) -> int:  # noqa: ANN401
        """Evaluate, write, print; the exit status."""
        ...


MODES: tuple[Mode, ...] = (evaluate_images, evaluate_recordings, evaluate_compare)


def add_parser(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", common: argparse.ArgumentParser
) -> argparse.ArgumentParser:
    """Declare the command."""
    parser = commands.add_parser(
        "evaluate",
        parents=[common],
        help="measure a network on a set of images, or a node on recordings",
        description=_DESCRIPTION,
        epilog="examples:\n" + "\n".join(mode.EXAMPLES for mode in MODES),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for mode in MODES:
        mode.add_arguments(parser)
    add_id_arguments(parser)
    output = parser.add_argument_group("output")
    output.add_argument("--out", type=Path, help="folder for report, tables and pictures (default: named by the input)")
    output.add_argument("--json", type=Path, metavar="FILE", help="write the evaluation to this file, too")
    output.add_argument("--no-pictures", dest="pictures", action="store_false", help="draw no pictures")
    output.add_argument("--jobs", type=count, metavar="N", help="do so much at a time (default: 2 for images, else 1)")
    add_detector_arguments(parser)
    return parser


def run(args: Any) -> int:  # noqa: ANN401  # argparse.Namespace
    """Whatever the options ask for.

    Raises:
        ValueError: they ask for nothing, or for two things at once.
    """
    chosen = [mode for mode in MODES if mode.wanted(args)]
    if len(chosen) != 1:
        found = " and ".join(mode.USE for mode in chosen) or "none"
        expected = "; or ".join(mode.USE for mode in MODES)
        raise ValueError(f"expected {expected}; found {found}. See hybrid-seg evaluate --help")
    return chosen[0].run(args)
