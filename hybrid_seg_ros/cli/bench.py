"""`hybrid-seg bench`: this machine measured against the project's targets."""

import argparse
from pathlib import Path
from typing import Any

from hybrid_seg_ros.cli.detector_options import DEFAULT_BUNDLE

_DESCRIPTION = """\
Measure this machine: latency of the real node over real topics, what ROS adds, the detector against plain PyTorch,
what open-set costs over closed set, memory over 10,000 frames. Each scenario writes OUT/<name>.json; OUT.md holds
the table of all of them.

Run it on a machine that does nothing else. Progress on stderr.
"""

_EXAMPLES = """\
examples:
  hybrid-seg bench --list
  hybrid-seg bench camera_rate ros_overhead
  hybrid-seg bench --out docs/benchmarks
"""


def add_parser(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", common: argparse.ArgumentParser
) -> argparse.ArgumentParser:
    """Declare the command."""
    parser = commands.add_parser(
        "bench",
        parents=[common],
        help="measure this machine against the project's targets",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help="which ones (see --list; default: all)")
    parser.add_argument("--all", action="store_true", help="all of them, an hour or more (the default)")
    parser.add_argument("--list", action="store_true", help="list the scenarios and their targets")
    parser.add_argument(
        "--out", type=Path, default=Path("hybrid_seg_benchmarks"), help="folder of the results (default: %(default)s)"
    )
    parser.add_argument(
        "--bundle",
        default=DEFAULT_BUNDLE,
        help="trained bundle: a folder, or a shipped one's name (default: %(default)s)",
    )
    parser.add_argument(
        "--effort",
        type=float,
        default=1.0,
        metavar="SHARE",
        help="share of the repetitions, 0..1, for a quick try (default: 1)",
    )
    return parser


def run(args: Any) -> int:  # noqa: ANN401  # argparse.Namespace
    """Measure; 1 when a target was missed or nothing could be measured."""
    import os

    from hybrid_seg_ros.benchmark.catalog import SCENARIOS
    from hybrid_seg_ros.benchmark.run import run_scenarios
    from hybrid_seg_ros.bundle import find_bundle, load_bundle
    from hybrid_seg_ros.cli.table import two_columns

    if args.list:
        print("\n".join(f"{s.name}\n{two_columns([('what', s.title), ('target', s.target)])}" for s in SCENARIOS))
        return 0
    known = {scenario.name: scenario for scenario in SCENARIOS}
    if unknown := [name for name in args.scenarios if name not in known]:
        raise ValueError(f"no scenario {', '.join(unknown)}; expected some of {', '.join(known)}")
    if args.scenarios and args.all:
        raise ValueError(f"--all and {', '.join(args.scenarios)}: expected one or the other")
    if not 0 < args.effort <= 1:
        raise ValueError(f"--effort is {args.effort:g}, expected a share above 0 and up to 1")
    data = os.environ.get("HYBRID_SEG_DATA")
    results = run_scenarios(
        [known[name] for name in args.scenarios] if args.scenarios else list(SCENARIOS),
        load_bundle(find_bundle(args.bundle)),
        args.out,
        data=Path(data) if data else None,
        effort=args.effort,
        say=lambda line: print(line, flush=True),
    )
    print(f"results: {args.out}, table: {args.out.with_suffix('.md')}")
    return 0 if results and all(result["passed"] for result in results) else 1
