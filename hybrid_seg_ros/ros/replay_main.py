"""Online replay as a process of its own: `python -m hybrid_seg_ros.ros.replay_main --help`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import rclpy

from hybrid_seg_ros.bags.results import IMAGE_OUTPUTS, MASK, NODE, RECORDED_OUTPUTS, SCORE, SEMANTIC
from hybrid_seg_ros.bags.topics import BagError
from hybrid_seg_ros.frames.buffers import keep_buffers
from hybrid_seg_ros.ros.lifecycle_client import LifecycleError
from hybrid_seg_ros.ros.replay import ReplayPlan, replay


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m hybrid_seg_ros.ros.replay_main", description=__doc__)
    parser.add_argument("bag", type=Path, help="rosbag2 folder, .mcap or .db3")
    parser.add_argument("--summary", type=Path, required=True, help="where the JSON summary goes")
    parser.add_argument("--target", type=Path, help="rosbag2 folder for the node's outputs")
    parser.add_argument("--image-topic")
    parser.add_argument("--node", default=NODE)
    parser.add_argument("--outputs", nargs="+", choices=RECORDED_OUTPUTS, default=[SEMANTIC, SCORE, MASK])
    parser.add_argument("--timed", choices=IMAGE_OUTPUTS, default=MASK)
    parser.add_argument("--rate", type=float, default=1.0)
    parser.add_argument("--loops", type=int, default=1)
    parser.add_argument("--no-clock", dest="clock", action="store_false")
    parser.add_argument("--bring-up", action="store_true")
    parser.add_argument("--distro", choices=("humble", "jazzy"), default="humble")
    parser.add_argument("--storage", choices=("mcap", "sqlite3"), default="mcap")
    parser.add_argument("--memory-of", type=int)
    parser.add_argument("--memory-from", type=int, default=0)
    parser.add_argument("--usage-of", type=int)
    parser.add_argument("--answers", type=Path)
    parser.add_argument("--timeout-s", type=float, default=120.0)
    parser.add_argument("--quiet", action="store_true")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Replay and write the summary; 2 with one line on stderr where that fails."""
    keep_buffers()
    args = vars(_parser().parse_args(argv))
    summary_path, quiet = args.pop("summary"), args.pop("quiet")
    rclpy.init(args=[])
    try:
        summary = replay(ReplayPlan(**args), progress=not quiet)
    except (BagError, LifecycleError, ValueError) as error:
        print(f"replay: {error}", file=sys.stderr)
        return 2
    finally:
        if rclpy.ok():
            rclpy.shutdown()
    summary.write(summary_path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
