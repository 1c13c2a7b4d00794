"""The command line of `hybrid-seg`: its parser, and errors as sentences."""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Sequence

from hybrid_seg_ros import __version__
from hybrid_seg_ros.cli import bench, build_engine, calibrate, demo, evaluate, inspect, replay
from hybrid_seg_ros.cli import run as run_pictures
from hybrid_seg_ros.interrupts import INTERRUPTED, noticed_interrupts, quiet_imports

_DESCRIPTION = "See what training never showed: open-set road segmentation for ROS 2 cameras, recordings and pictures."

_EXAMPLES = """\
examples:
  hybrid-seg demo                          generate a drive, run the real node on it, make a video of what it saw
  hybrid-seg run street.jpg                one picture through the network, panels to hybrid_seg_output/
  hybrid-seg replay drive_bag --out seen   every image of a recording, results with the original stamps
  hybrid-seg evaluate --dataset road-anomaly21 --root DIR
                                           how well a bundle finds what is foreign, as numbers and as a page
  hybrid-seg evaluate 'drives/**/*.mcap' --jobs 2
                                           the same of recordings, of each and of all together
  hybrid-seg calibrate --dataset pairs --root DIR --target fpr=0.01 --name quiet --out my_bundle
                                           a threshold of your own images, into a copy of the bundle
  hybrid-seg inspect camvid_hybrid_lite0   what a trained bundle is, knows and scores
  hybrid-seg build-engine my_bundle        its TensorRT engine for this machine's GPU
  hybrid-seg bench --all                   measure this machine

`hybrid-seg COMMAND --help` explains one command.
"""

USER_ERROR = 2


def build_parser() -> argparse.ArgumentParser:
    """The whole command line."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--debug", action="store_true", help="show the traceback of an error")
    parser = argparse.ArgumentParser(
        prog="hybrid-seg",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"hybrid-seg {__version__}")
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND", required=True)
    for module in (demo, run_pictures, replay, evaluate, calibrate, inspect, build_engine, bench):
        module.add_parser(commands, common).set_defaults(run=module.run)
    return parser


def run(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        0 on success, 1 where the command says its check failed, 2 on an error a user can mend (one line on
        stderr), 130 when interrupted.
    """
    args = build_parser().parse_args(argv)
    with quiet_imports("hybrid-seg"):
        from hybrid_seg_ros.frames.buffers import keep_buffers  # numpy comes with it, which --help does not wait for

    keep_buffers()
    if threading.current_thread() is threading.main_thread():
        # SIGTERM unwinds like Ctrl-C does: processes that a command started end with it.
        signal.signal(signal.SIGTERM, _terminate)
    with noticed_interrupts() as interrupts:
        try:
            return int(args.run(args))
        except KeyboardInterrupt:
            print("hybrid-seg: interrupted", file=sys.stderr)
            return INTERRUPTED
        except BrokenPipeError:
            # The reader of a pipe (`hybrid-seg inspect x | head`) has what it wanted.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        except Exception as error:
            problem = _problem(error)
            if args.debug or not (problem or interrupts.came):
                raise
            if interrupts.came:
                print(f"hybrid-seg: interrupted ({problem or type(error).__name__})", file=sys.stderr)
                return INTERRUPTED
            print(f"hybrid-seg {args.command}: {problem}", file=sys.stderr)
            return USER_ERROR


def _problem(error: Exception) -> str:
    """What a user can mend, in one sentence; "" where that is our fault."""
    if isinstance(error, ModuleNotFoundError):
        ours = (error.name or "").startswith("hybrid_seg_ros")
        return "" if ours else f"this needs the Python package {error.name!r}: pip install {error.name}"
    return str(error) if isinstance(error, (ValueError, RuntimeError, OSError)) else ""


def _terminate(number: int, frame: object) -> None:
    sys.exit(128 + number)
