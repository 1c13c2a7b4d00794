"""Faults put into the running node: are they told in time, is anything wrong published, does it go on after?"""

from typing import Any

from hybrid_seg_ros.bags.online import ParameterValue
from hybrid_seg_ros.benchmark.beside_node import beside_node
from hybrid_seg_ros.benchmark.scenario import Context, Measured, Scenario

NETWORK = (128, 96)
_MODULE = "hybrid_seg_ros.ros.trials.fault_main"
_ROUNDS = 5
_HANG_S = 3.0
_TIMEOUT_S = 240.0
WAY_S = 0.1
"""What the way over DDS and the listener may add to the times that the node states, s."""


def node_parameters(context: Context) -> dict[str, ParameterValue | list[str]]:
    """Of a node whose network costs nothing, with obstacles in metres."""
    return {
        "bundle": str(context.bundle.path.resolve()),
        "backend": "fake",
        "input_width": NETWORK[0],
        "input_height": NETWORK[1],
        "use_sim_time": True,
        "camera_z": 1.35,
        "camera_pitch": 0.052,
        "flood_hz": 60.0,
        "gate_drivable": False,  # the fake network knows no road,
        "threshold": -5.35,  # and obstacles from here on
        "parity_period_s": 0.0,
        "output_frames": 10_000,  # of black images the fake network makes one and the same class everywhere
        "domain_check": False,  # what the fake network says is foreign to every bundle
    }


def measure(context: Context) -> Measured:
    """Each fault in each round, a node for each round; the worst of each fault."""
    parameters = node_parameters(context) | {
        "fake_nan_at": 60,
        "fake_fail_at": 120,
        "fake_hang_at": 180,
        "fake_hang_s": _HANG_S,
    }
    rounds: list[list[dict[str, Any]]] = []
    for number in range(context.count(_ROUNDS, 1)):
        folder = context.work_dir / f"round_{number}"
        seen = beside_node(_MODULE, ["--hang-s", str(_HANG_S)], parameters, folder, _TIMEOUT_S)
        rounds.append(seen.summary)
    faults = [worst(list(outcomes)) for outcomes in zip(*rounds, strict=True)]
    late = [fault["fault"] for fault in faults if fault["measured_s"] > fault["stated_s"] + WAY_S]
    wrong = sum(len(fault["wrong"]) for fault in faults)
    slowest = max(faults, key=lambda fault: float(fault["recovered_s"]))
    told = f"{len(faults) - len(late)} of {len(faults)} faults told in time"
    if late:
        told += f" (late: {', '.join(late)})"
    return Measured(
        f"{told}, {wrong} wrong results, no restart, sound results again within {slowest['recovered_s']:.1f} s "
        f"({slowest['fault']})",
        not late and wrong == 0,
        {"rounds": len(rounds), "way_s": WAY_S, "hang_s": _HANG_S, "faults": faults},
    )


def worst(outcomes: list[dict[str, Any]]) -> dict[str, Any]:
    """One fault in several rounds: the longest times, the most images, everything wrong."""
    merged = dict(outcomes[0])
    for key in ("measured_s", "before", "recovered_s", "longest_beat_s"):
        merged[key] = max(outcome[key] for outcome in outcomes)
    merged["wrong"] = [what for outcome in outcomes for what in outcome["wrong"]]
    return merged


SCENARIO = Scenario(
    "faults",
    "twelve faults put into the real node: camera, network, clock, listeners",
    "each told within its stated time, nothing wrong published, sound again without a restart",
    measure,
)
