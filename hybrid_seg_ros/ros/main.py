"""`hybrid_seg_node`: `process`, imported where Ctrl-C already ends it in one line."""

import sys
from collections.abc import Sequence

from hybrid_seg_ros.interrupts import quiet_imports


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the node; see `process.run`, which takes SIGINT over."""
    with quiet_imports("hybrid_seg_node"):
        from hybrid_seg_ros.ros.process import run

        return run(arguments)


if __name__ == "__main__":
    sys.exit(main())
