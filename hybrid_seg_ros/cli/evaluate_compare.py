"""`hybrid-seg evaluate --compare`: what changed between two evaluations of one set."""

import argparse
from pathlib import Path
from typing import Any

USE = "--compare A.json B.json"

EXAMPLES = """\
  hybrid-seg evaluate --compare last_week/evaluation.json today/evaluation.json --html changed.html"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of a comparison."""
    group = parser.add_argument_group("comparison")
    group.add_argument(
        "--compare",
        type=Path,
        nargs=2,
        metavar=("A.json", "B.json"),
        help="two evaluations of one set, or their folders: what changed from A to B, with 95 %% intervals",
    )
    group.add_argument("--html", type=Path, metavar="FILE", help="write the comparison as a page, too")


def wanted(args: Any) -> bool:  # noqa: ANN401  # argparse.Namespace
    """Whether two evaluations are given."""
    return args.compare is not None


def run(args: Any) -> int:  # noqa: ANN401  # argparse.Namespace
    """Print the comparison, and write its page if asked.

    Raises:
        DocumentError: a file is no evaluation.
        ComparisonError: they are of different sets.
    """
    from hybrid_seg_ros.report.compare import compare
    from hybrid_seg_ros.report.compare_listing import comparison_text
    from hybrid_seg_ros.report.compare_page import write_comparison
    from hybrid_seg_ros.report.document import read_evaluation

    first, second = (read_evaluation(path / "evaluation.json" if path.is_dir() else path) for path in args.compare)
    comparison = compare(first, second)
    # The page first: a pipe's reader may leave before all of the text is out.
    if args.html is not None:
        write_comparison(comparison, args.html)
    print(comparison_text(comparison))
    if args.html is not None:
        print(f"\ncomparison: {args.html}")
    return 0
