"""`hybrid-seg-train`, and python -m hybrid_seg_train: Ctrl-C ends both in one line, also while they are imported."""

import sys

from hybrid_seg_ros.interrupts import INTERRUPTED, quiet_imports


def main() -> int:
    """Run one command; returns the exit status, 130 when interrupted."""
    with quiet_imports("hybrid-seg-train"):
        from hybrid_seg_train.cli import main as run
    try:
        return run()
    except KeyboardInterrupt:
        print("hybrid-seg-train: interrupted", file=sys.stderr)
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
