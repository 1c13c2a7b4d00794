"""Half an hour with four cameras and random faults: does the node live, does it leak, is every frame accounted for?"""

from statistics import median
from typing import Any

from hybrid_seg_ros.benchmark.beside_node import beside_node
from hybrid_seg_ros.benchmark.faults import node_parameters
from hybrid_seg_ros.benchmark.scenario import Context, Measured, Scenario

_MODULE = "hybrid_seg_ros.ros.trials.soak_main"
_SECONDS = 1800
_CAMERAS, _RATE_HZ = ("front", "left", "right", "rear"), 15.0
_SEED = 6
_LIMIT_MIB = 5.0
_WARM = 0.2
_WINDOW = 0.1
_SHORTEST_S = 30
_REPORTED = 20


def measure(context: Context) -> Measured:
    """The node's own counts of frames, its resident memory, and what a listener saw."""
    seconds = context.count(_SECONDS, _SHORTEST_S)
    parameters = node_parameters(context) | {
        "cameras": list(_CAMERAS),
        # again and again: NaN, an exception, a network that hangs
        "fake_every": 2000,
        "fake_nan_at": 200,
        "fake_fail_at": 400,
        "fake_hang_at": 600,
        "fake_hang_s": 2.5,
    }
    arguments = ["--cameras", *_CAMERAS, "--rate-hz", str(_RATE_HZ), "--seconds", str(seconds), "--seed", str(_SEED)]
    seen = beside_node(_MODULE, [*arguments, "--quiet"], parameters, context.work_dir, 1.5 * seconds + 180)
    found: dict[str, Any] = dict(seen.summary)
    samples = found.pop("memory_mib")
    memory = {**growth(samples), "samples_mib": samples[:: max(1, len(samples) // 60)]}
    frames = found.pop("frames")
    received = sum(camera["frames in"] for camera in frames.values())
    missing = sum(abs(camera["missing"]) for camera in frames.values())
    wrong = found.pop("wrong")
    faults = sum(found["faults"].values())
    crashed = seen.status != 0 or "Traceback" in seen.log
    told = f"{found['told']} of {found['due']} that lasted told"
    return Measured(
        f"{seconds / 60:.1f} min, {faults} faults ({told}), {'CRASH' if crashed else 'no crash'}, memory "
        f"{memory['growth_mib']:+.2f} MiB, {missing} of {received} frames not accounted for, {len(wrong)} of "
        f"{found['results']} results wrong",
        not crashed and memory["growth_mib"] < _LIMIT_MIB and missing == 0 and not wrong,
        {
            "seconds": seconds,
            "cameras": list(_CAMERAS),
            "rate_hz": _RATE_HZ,
            "seed": _SEED,
            "exit_status": seen.status,
            "memory": memory,
            "frames": frames,
            "wrong": len(wrong),
            "wrong_first": wrong[:_REPORTED],
            **found,
        },
    )


def growth(samples: list[list[float]]) -> dict[str, float]:
    """Medians of resident memory after the warm-up and at the end, and their difference.

    Args:
        samples: [s, MiB], in order.
    """
    last = samples[-1][0]
    warm = [mib for at, mib in samples if _WARM * last <= at <= (_WARM + _WINDOW) * last]
    end = [mib for at, mib in samples if at >= (1 - _WINDOW) * last]
    start_mib, end_mib = median(warm or end), median(end)
    return {"warm_mib": start_mib, "end_mib": end_mib, "growth_mib": round(end_mib - start_mib, 2)}


SCENARIO = Scenario(
    "soak_cameras",
    "30 minutes of four cameras at 15 Hz with random faults through the real node, fake backend",
    "no crash, resident memory grows < 5 MiB after the warm-up, every frame accounted for, nothing wrong published",
    measure,
)
