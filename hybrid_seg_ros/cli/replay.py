"""`hybrid-seg replay`: a recording through the detector, or through the real node."""

import argparse
from pathlib import Path
from typing import Any

from hybrid_seg_ros.cli.detector_options import add_detector_arguments, detector_from, node_parameters
from hybrid_seg_ros.cli.table import two_columns

_DESCRIPTION = """\
Run every image of a rosbag2 (sqlite3 or mcap; raw or compressed images) through the detector and write a new
rosbag2 with the results under the node's topic names and the original stamps, and a summary.json beside it.

Offline by default: no ROS needed, every frame processed, as fast as the machine can.
--online starts the real node as a process of its own and plays the recording at its own pace over real topics:
what the node cannot keep up with is dropped, as on the robot, and counted.
--through NODE does the same with a node that is already running.

What comes is images. Obstacles in metres are the node's: docs/replay.md.
"""

_EXAMPLES = """\
examples:
  hybrid-seg replay drive.mcap
  hybrid-seg replay drive_bag --out seen --image-topic /front/image_raw --threshold best_f1
  hybrid-seg replay drive_bag --out seen --online --rate 0.5
  hybrid-seg replay drive_bag --out seen --through /perception/hybrid_seg
"""

_OUTPUTS = ("semantic", "anomaly_score", "obstacle_mask", "confidence")


def add_parser(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", common: argparse.ArgumentParser
) -> argparse.ArgumentParser:
    """Declare the command."""
    parser = commands.add_parser(
        "replay",
        parents=[common],
        help="a recording in, a recording with results out",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("bag", type=Path, help="rosbag2 folder, .mcap or .db3 file")
    parser.add_argument(
        "--out", type=Path, help="folder to make: results/ (the rosbag2) and summary.json (default: BAG_hybrid_seg)"
    )
    parser.add_argument("--image-topic", help="which camera (default: the only one there is)")
    parser.add_argument(
        "--outputs",
        nargs="+",
        choices=_OUTPUTS,
        default=list(_OUTPUTS[:3]),
        metavar="OUTPUT",
        help=f"what to compute and record: {', '.join(_OUTPUTS)} (default: all but confidence)",
    )
    recording = parser.add_argument_group("recording")
    recording.add_argument(
        "--distro",
        choices=("humble", "jazzy"),
        default="humble",
        help="oldest ROS 2 that must play it (default: %(default)s)",
    )
    recording.add_argument(
        "--storage", choices=("mcap", "sqlite3"), default="mcap", help="file format (default: %(default)s)"
    )
    online = parser.add_argument_group("online")
    how = online.add_mutually_exclusive_group()
    how.add_argument("--online", action="store_true", help="through the real node, started for this run alone")
    how.add_argument("--through", metavar="NODE", help="through this running, active node; uses your ROS_DOMAIN_ID")
    online.add_argument(
        "--rate", type=float, default=1.0, help="speed relative to the recording (default: %(default)s)"
    )
    online.add_argument("--loops", type=int, default=1, help="how often to play it (default: %(default)s)")
    add_detector_arguments(parser)
    return parser


def run(args: Any) -> int:  # noqa: ANN401  # argparse.Namespace
    """Replay, print the summary; 1 when no image was answered."""
    import json

    if args.out is None:
        args.out = Path(f"{args.bag.resolve().stem}_hybrid_seg")
    if args.out.exists() and any(args.out.iterdir() if args.out.is_dir() else [args.out]):
        raise FileExistsError(f"{args.out} exists already; remove it or name another folder")
    summary = _online(args) if args.online or args.through else _offline(args)
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "summary.json").write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    print(describe(summary, args.out))
    return 0 if summary["frames_out"] else 1


def _offline(args: Any) -> dict[str, Any]:  # noqa: ANN401
    import contextlib

    from hybrid_seg_ros.bags import run_offline
    from hybrid_seg_ros.detector import Outputs

    names = {
        "semantic": Outputs.LABELS,
        "anomaly_score": Outputs.SCORE,
        "obstacle_mask": Outputs.MASK,
        "confidence": Outputs.CONFIDENCE,
    }
    wanted = Outputs(0)
    for name in args.outputs:
        wanted |= names[name]
    with contextlib.closing(detector_from(args)) as detector:
        return run_offline(
            args.bag,
            args.out / "results",
            detector,
            detector.bundle.manifest,
            image_topic=args.image_topic,
            outputs=wanted,
            distro=args.distro,
            storage=args.storage,
        ).to_dict()


def _online(args: Any) -> dict[str, Any]:  # noqa: ANN401
    from hybrid_seg_ros.bags.online import OnlineRun, run_online

    return run_online(
        OnlineRun(
            bag=args.bag,
            work_dir=args.out / "logs",
            target=args.out / "results",
            parameters=node_parameters(args) if args.online else {},
            image_topic=args.image_topic,
            outputs=args.outputs,
            timed="obstacle_mask" if "obstacle_mask" in args.outputs else args.outputs[0],
            rate=args.rate,
            loops=args.loops,
            running_node=args.through,
            timeout_s=10.0 if args.through else 120.0,
            distro=args.distro,
            storage=args.storage,
        )
    )


def describe(summary: dict[str, Any], out: Path) -> str:
    """The summary for people."""
    rows = [
        ("images in", f"{summary['frames_in']} from {summary['image_topic']}"),
        ("answered", f"{summary['frames_out']} ({100 * summary['answered']:.1f} %)"),
        ("dropped", str(summary["dropped"])),
    ]
    if summary["rejected"]:
        rows.append(("rejected", f"{summary['rejected']}; first: {summary['first_rejection']}"))
    if summary["latency_ms"]:
        rows.append(
            ("latency", f"p50 {summary['latency_ms']['p50']:.1f} ms, p99 {summary['latency_ms']['p99']:.1f} ms")
        )
    rows += [(f"  {name}", f"p50 {s['p50']:.1f} ms, p99 {s['p99']:.1f} ms") for name, s in summary["stages_ms"].items()]
    rows += [("rate", f"{summary['rate_hz']:.1f} images/s"), ("results", str(out / "results"))]
    return two_columns(rows)
