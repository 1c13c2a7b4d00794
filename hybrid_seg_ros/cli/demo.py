"""`hybrid-seg demo`: a drive through the real node over real topics, and pictures of what it saw."""

import argparse
from pathlib import Path
from typing import Any

from hybrid_seg_ros.cli.detector_options import add_detector_arguments, size
from hybrid_seg_ros.cli.table import two_columns

_DESCRIPTION = """\
Generate a road drive with known and unknown obstacles, start the real ROS 2 node as its own process, replay the
drive through it over real topics at the recorded pace, record what it publishes, and draw it.

With --bag, your own rosbag2 is played instead. Needs ROS 2 (sourced, or the ros-wheels extra); it runs in a ROS
domain of its own on this machine only, so a robot nearby never hears of it.
"""

_EPILOG = """\
makes in --out:
  demo.mp4            camera, classes, anomaly score and obstacles side by side
  contact_sheet.png   a few telling frames of it
  results/            rosbag2 of everything the node published
  drive/, truth/      rosbag2s of the generated drive and its ground truth
  summary.json        frames in and out, drops, latency, stage times, quality, versions
  evaluation/         what the answers are worth against the ground truth: evaluation.json, pictures
  logs/               the node's log

examples:
  hybrid-seg demo
  hybrid-seg demo --weather rainy_night --seed 7 --seconds 20
  hybrid-seg demo --bag my_drive --image-topic /front/image_raw
"""


def add_parser(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", common: argparse.ArgumentParser
) -> argparse.ArgumentParser:
    """Declare the command."""
    parser = commands.add_parser(
        "demo",
        parents=[common],
        help="a drive through the real node, drawn",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--out", type=Path, default=Path("hybrid_seg_demo"), help="folder to make (default: %(default)s)"
    )
    parser.add_argument("--bag", type=Path, help="play this rosbag2 instead of a generated drive")
    parser.add_argument("--image-topic", help="which camera of the rosbag2 (default: the only one)")
    parser.add_argument("--rate", type=float, default=1.0, help="speed of the replay (default: %(default)s)")
    drive = parser.add_argument_group("generated drive")
    drive.add_argument("--seconds", type=float, default=10.0, help="length (default: %(default)s)")
    drive.add_argument("--fps", type=float, default=15.0, help="frame rate, Hz (default: %(default)s)")
    drive.add_argument("--size", type=size, default=(960, 540), metavar="WxH", help="image size, px (default: 960x540)")
    drive.add_argument("--seed", type=int, default=1, help="which drive (default: %(default)s)")
    drive.add_argument(
        "--weather", default="clear", help="clear, overcast, rain, night, blur, rainy_night (default: %(default)s)"
    )
    add_detector_arguments(parser)
    return parser


def run(args: Any) -> int:  # noqa: ANN401  # argparse.Namespace
    """Show; 1 when the node answered nothing."""
    from hybrid_seg_ros.cli.detector_options import node_parameters
    from hybrid_seg_ros.demo.show import DemoPlan, run_demo
    from hybrid_seg_ros.scenes import DriveConfig

    print(f"a drive through the real node: {'generated' if args.bag is None else args.bag}", flush=True)
    summary = run_demo(
        DemoPlan(
            out=args.out,
            bag=args.bag,
            image_topic=args.image_topic,
            drive=DriveConfig(
                seed=args.seed,
                size=args.size,
                fps=args.fps,
                n_frames=round(args.seconds * args.fps),
                weather=args.weather,
            ),
            bundle=args.bundle,
            parameters=node_parameters(args),
            rate=args.rate,
        )
    )
    print(two_columns(report(summary, args.out)))
    return 0 if summary["replay"]["frames_out"] else 1


def report(summary: dict[str, Any], out: Path) -> list[tuple[str, str]]:
    """The run in a few lines for people."""
    replay = summary["replay"]
    extra = replay["extra"]
    asked = extra["recorded_rate_hz"] * extra["speed"]
    rows = [
        (
            "images in",
            f"{replay['frames_in']} from {replay['image_topic']} at {replay['rate_hz']:.1f} Hz (asked {asked:.1f})",
        ),
        ("answered", f"{replay['frames_out']} ({100 * replay['answered']:.1f} %), dropped {replay['dropped']}"),
    ]
    if replay["rejected"]:
        rows.append(("rejected", f"{replay['rejected']}; {replay['first_rejection']}"))
    if replay["latency_ms"]:
        latency = replay["latency_ms"]
        rows.append(
            ("latency", f"p50 {latency['p50']:.1f} ms, p99 {latency['p99']:.1f} ms, from image sent to mask received")
        )
    rows += [(f"  {name}", f"p50 {s['p50']:.1f} ms, p99 {s['p99']:.1f} ms") for name, s in replay["stages_ms"].items()]
    rows += [(name, text) for name, text in quality_rows(summary.get("quality"))]
    rows += [(name, str(out / file)) for name, file in summary.get("made", {}).items()]
    rows.append(("summary", str(out / "summary.json")))
    if not replay["frames_out"]:
        rows.append(("note", f"the node answered nothing; its log: {out / 'logs' / 'node.log'}"))
    elif replay["answered"] < 0.99:
        rows.append(
            ("note", "this machine did not keep up; slow the replay (--rate 0.5) or take a smaller --input-size")
        )
    return rows


def quality_rows(quality: dict[str, Any] | None) -> list[tuple[str, str]]:
    """What the ground truth says, where there is one."""
    if quality is None or quality["miou"] is None:
        return []
    rows = [("classes", f"mIoU {100 * quality['miou']:.1f} % over {quality['classes_seen']} classes in view")]
    if quality["ap"] is not None:
        rows.append(("anomalies", f"AP {100 * quality['ap']:.1f} %, FPR at 95 % TPR {100 * quality['fpr95']:.2f} %"))
    for obstacle in quality["obstacles"]:
        seen = obstacle["first_detected_m"]
        text = f"first detected at {seen:.0f} m" if seen is not None else "never detected"
        if obstacle["first_in_view_m"] is not None:
            text += f", in view from {obstacle['first_in_view_m']:.0f} m"
        rows.append((f"  {obstacle['kind']}", text))
    return rows
