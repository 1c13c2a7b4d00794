"""What ROS adds: the same frames through the bare detector and through the node, with a network that costs nothing."""

import time

import numpy as np

from hybrid_seg_ros.bags import spread
from hybrid_seg_ros.bags.online import OnlineRun, run_online
from hybrid_seg_ros.bags.results import MASK
from hybrid_seg_ros.benchmark.recordings import pictures, record
from hybrid_seg_ros.benchmark.scenario import Context, Measured, Scenario
from hybrid_seg_ros.detector import Outputs, open_detector
from hybrid_seg_ros.frames import Frame

_SIZE, _FPS = (1920, 1080), 30.0


def measure(context: Context) -> Measured:
    """p50 of image sent to mask received, less p50 of the detector called directly on the same images."""
    frames = context.count(180, 20)
    bag = record(context.work_dir / "drive", _SIZE, _FPS, frames)
    images = pictures(_SIZE)
    bare_ms = []
    with open_detector(context.bundle, "fake") as detector:
        for index in range(frames):
            frame = Frame(images[index % len(images)])
            # At the camera's pace, as in the node: a core that rests between frames is slower at each of them.
            time.sleep(1 / _FPS / 2)
            start = time.perf_counter()
            detector(frame, Outputs.MASK)
            bare_ms.append((time.perf_counter() - start) * 1e3)
    bare = float(np.median(bare_ms))
    summary = run_online(
        OnlineRun(
            bag=bag,
            work_dir=context.work_dir / "logs",
            parameters={"bundle": str(context.bundle.path.resolve()), "backend": "fake"},
            outputs=[MASK],
            progress=context.progress,
        )
    )
    through = summary["latency_ms"]["p50"] if summary["latency_ms"] else float("inf")
    lost = summary["frames_in"] - summary["frames_out"]
    held = summary["rate_hz"] >= 0.98 * _FPS
    return Measured(
        f"{through - bare:.1f} ms added at p50 ({through:.1f} through ROS, {bare:.1f} bare), {lost} of "
        f"{summary['frames_in']} frames lost at {summary['rate_hz']:.1f} Hz",
        through - bare <= 12 and lost == 0 and held,
        {
            "input": "generated drive, 1920x1080 bgr8, 30 Hz",
            "backend": "fake",
            "added_p50_ms": round(through - bare, 3),
            "bare_ms": None if (s := spread(bare_ms)) is None else {"p50": s.p50, "p99": s.p99},
            "lost": lost,
            "replay": summary,
        },
    )


SCENARIO = Scenario(
    "ros_overhead",
    "what ROS adds over the bare detector: 1080p in, mask out, fake backend, 30 Hz",
    "<= 12 ms at p50, 30 Hz held, 0 frames lost",
    measure,
)
