"""Ten thousand frames: does resident memory grow?"""

import json
import subprocess
import sys
from typing import Any

from hybrid_seg_ros.bags.online import OnlineRun, run_online
from hybrid_seg_ros.benchmark.recordings import record
from hybrid_seg_ros.benchmark.scenario import Context, Measured, Scenario

_FRAMES, _SETTLED = 10_000, 500
_SIZE, _FPS = (160, 96), 150.0
_NETWORK = (128, 96)
_LIMIT_MIB = 5.0


def measure(context: Context) -> Measured:
    """Resident memory from frame 500 to frame 10,000: of the bare detector, and of the node over DDS."""
    frames = context.count(_FRAMES, 2 * _SETTLED)
    detector = _detector(context, frames)
    rounds = max(2, round(frames / _SETTLED))
    bag = record(context.work_dir / "drive", _SIZE, _FPS, _SETTLED)
    summary = run_online(
        OnlineRun(
            bag=bag,
            work_dir=context.work_dir / "logs",
            parameters={
                "bundle": str(context.bundle.path.resolve()),
                "input_width": _NETWORK[0],
                "input_height": _NETWORK[1],
            },
            loops=rounds,
            memory_from=_SETTLED,
            progress=context.progress,
        )
    )
    node = summary["extra"]["node_memory_mib"]
    worst = max(detector["growth_mib"], node["growth_mib"])
    return Measured(
        f"detector {detector['growth_mib']:+.2f} MiB over {frames} frames, node {node['growth_mib']:+.2f} MiB over "
        f"{summary['frames_in']} images of which {summary['frames_out']} answered",
        worst < _LIMIT_MIB,
        {
            "frame": list(_SIZE),
            "network": list(_NETWORK),
            "settled_after": _SETTLED,
            "detector": detector,
            "node": node,
            "replay": summary,
        },
    )


def _detector(context: Context, frames: int) -> dict[str, Any]:
    """In a fresh process, so that what other scenarios left behind is not counted or reused."""
    command = [sys.executable, "-m", "hybrid_seg_ros.benchmark.soak_detector"]
    command += [str(context.bundle.path), str(frames), str(_SETTLED), *map(str, (*_SIZE, *_NETWORK))]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


SCENARIO = Scenario(
    "soak",
    "10,000 frames of 160x96 through detector and node",
    "resident memory grows < 5 MiB after the first 500",
    measure,
)
