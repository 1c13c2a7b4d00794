"""`hybrid-seg inspect`: what a bundle is, knows and scores."""

import argparse
from typing import Any

from hybrid_seg_ros.cli.detector_options import add_backend_arguments, detector_from

_DESCRIPTION = """\
Print a trained bundle: network, classes, operating points, what it was trained on and what it scores.
Every file's hash is checked on the way; a changed or missing file is an error.
"""


def add_parser(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", common: argparse.ArgumentParser
) -> argparse.ArgumentParser:
    """Declare the command."""
    parser = commands.add_parser(
        "inspect",
        parents=[common],
        help="print and verify a trained bundle",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "bundle", nargs="?", help="folder of the bundle, or the name of a shipped one; without it, list them"
    )
    parser.add_argument(
        "--verify",
        action="store_true",
        help="run it here, beside FP32 on the CPU, on generated scenes: labels, score, AP and FPR95 of both",
    )
    add_backend_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print the manifest as JSON")
    return parser


def run(args: Any) -> int:  # noqa: ANN401  # argparse.Namespace
    """Print the bundle, or the list of bundles."""
    from hybrid_seg_ros.bundle import available_bundles, describe, find_bundle, load_bundle

    if args.bundle is None:
        for name, path in sorted(available_bundles().items()):
            print(f"{name}  ({path})")
        return 0
    bundle = load_bundle(find_bundle(args.bundle))
    if args.verify:
        from hybrid_seg_ros.cli.verify import measure_drift

        args.threshold = None
        with detector_from(args) as detector:
            print(measure_drift(bundle, detector).text())
        return 0
    print(bundle.manifest.model_dump_json(indent=2) if args.json else describe(bundle), end="\n" if args.json else "")
    return 0
