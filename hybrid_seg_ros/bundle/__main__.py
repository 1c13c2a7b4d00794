"""`python3 -m hybrid_seg_ros.bundle seal <bundle>`: make the hashes agree with files changed on purpose."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from hybrid_seg_ros.bundle.describe import describe
from hybrid_seg_ros.bundle.errors import BundleError
from hybrid_seg_ros.bundle.write import seal_bundle


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python3 -m hybrid_seg_ros.bundle", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    seal = commands.add_parser("seal", help="write the files' present hashes into manifest.yaml")
    seal.add_argument("bundle", type=Path, help="directory of the bundle")
    args = parser.parse_args(argv)
    try:
        print(describe(seal_bundle(args.bundle)), end="")
    except BundleError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
