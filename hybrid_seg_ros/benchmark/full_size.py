"""A large camera and a large network input, every output at the camera's own size."""

import functools

from hybrid_seg_ros.bags.online import OnlineRun, run_online
from hybrid_seg_ros.benchmark.recordings import record
from hybrid_seg_ros.benchmark.scenario import Context, Measured, NotMeasuredError, Scenario
from hybrid_seg_ros.bundle import UINT8_MODEL

_SIZE, _FPS, _NETWORK = (1920, 1080), 10.0, (1024, 512)


def measure(context: Context, precision: str = "auto") -> Measured:
    """1080p raw in, 1024x512 network input, semantic, score and mask at 1080p out; not recorded to disk.

    Raises:
        NotMeasuredError: the bundle has no 8-bit file for CPUs.
    """
    if precision == "int8" and UINT8_MODEL not in context.bundle.manifest.files:
        raise NotMeasuredError(f"{context.bundle.path}: no {UINT8_MODEL}. To fix: hybrid-seg-train quantize")
    bag = record(context.work_dir / "drive", _SIZE, _FPS, context.count(100, 10))
    summary = run_online(
        OnlineRun(
            bag=bag,
            work_dir=context.work_dir / "logs",
            parameters={
                "bundle": str(context.bundle.path.resolve()),
                "input_width": _NETWORK[0],
                "input_height": _NETWORK[1],
                "precision": precision,
            },
            progress=context.progress,
        )
    )
    latency = summary["latency_ms"] or {"p50": float("inf"), "p99": float("inf")}
    return Measured(
        f"{100 * summary['answered']:.1f} % answered, p50 {latency['p50']:.1f} ms, p99 {latency['p99']:.1f} ms",
        summary["answered"] >= 0.99 and latency["p50"] <= 90,
        {
            "input": "generated drive, 1920x1080 bgr8, 10 Hz",
            "network": list(_NETWORK),
            "precision": precision,
            "replay": summary,
        },
    )


SCENARIO = Scenario(
    "full_size",
    "1024x512 network input from a 1080p camera at 10 Hz, semantic, score and mask at 1080p",
    ">= 99 % answered, p50 stamp-to-mask <= 90 ms",
    measure,
)

INT8 = Scenario(
    "full_size_int8",
    "the same with the 8-bit network",
    ">= 99 % answered, p50 stamp-to-mask <= 90 ms",
    functools.partial(measure, precision="int8"),
)
