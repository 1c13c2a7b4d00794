"""`hybrid-seg`, the one command: `commands`, imported where Ctrl-C already ends it in one line."""

import sys
from collections.abc import Sequence

from hybrid_seg_ros.interrupts import quiet_imports


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; see `commands.run`."""
    with quiet_imports("hybrid-seg"):
        from hybrid_seg_ros.cli.commands import run
    return run(argv)


if __name__ == "__main__":
    sys.exit(main())
