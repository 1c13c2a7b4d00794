"""A recording at its own rate through the real node, separate processes."""

from hybrid_seg_ros.bags.online import OnlineRun, run_online
from hybrid_seg_ros.benchmark.recordings import record
from hybrid_seg_ros.benchmark.scenario import Context, Measured, Scenario

_SIZE, _FPS = (480, 360), 15.0
# The 99th percentile of a clip of 100 frames is its second worst frame; of three rounds it says something.
_ROUNDS = 3


def measure(context: Context) -> Measured:
    """Images sent to masks received, by the clock of the process that does both."""
    clip = None if context.data is None else context.data / "camvid_bag"
    if clip is not None and clip.is_dir():
        bag, what = clip, "camvid_bag: CamVid validation clip, 480x360 JPEG, 15 Hz"
    else:
        bag = record(context.work_dir / "drive", _SIZE, _FPS, context.count(150, 20), jpeg=True, distinct=12)
        what = "generated drive, 480x360 JPEG, 15 Hz"
    summary = run_online(
        OnlineRun(
            bag=bag,
            work_dir=context.work_dir / "logs",
            target=context.work_dir / "results",
            parameters={"bundle": str(context.bundle.path.resolve())},
            loops=context.count(_ROUNDS, 1),
            progress=context.progress,
        )
    )
    latency = summary["latency_ms"] or {"p50": float("inf"), "p99": float("inf")}
    passed = summary["answered"] >= 0.99 and latency["p50"] <= 40 and latency["p99"] <= 80
    return Measured(
        f"{100 * summary['answered']:.1f} % answered, p50 {latency['p50']:.1f} ms, p99 {latency['p99']:.1f} ms",
        passed,
        {"input": what, "outputs": "semantic, anomaly score and mask at source size, recorded", "replay": summary},
    )


SCENARIO = Scenario(
    "camera_rate",
    "a 480x360 camera at 15 Hz through the real node, separate processes",
    ">= 99 % answered, p50 stamp-to-mask <= 40 ms, p99 <= 80 ms",
    measure,
)
