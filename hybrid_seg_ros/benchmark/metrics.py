"""Speed and memory of the metrics on a set of the size of Fishyscapes Lost and Found."""

import json
import subprocess
import sys
from typing import Any

from hybrid_seg_ros.benchmark.metrics_set import write_set
from hybrid_seg_ros.benchmark.scenario import Context, Measured, Scenario

_SIZE, _IMAGES = (2048, 1024), 100
_SECONDS, _GIB = 60.0, 2.0


def measure(context: Context) -> Measured:
    """From score maps on disk to every figure: pixels, points, curve, histogram, blocks, components of both tracks."""
    folder = context.work_dir / "score_maps"
    write_set(folder, context.count(_IMAGES, 4), _SIZE, context.progress)
    # A fresh process, so that its peak of memory is that of the metrics alone; compiling counts, too.
    command = [sys.executable, "-m", "hybrid_seg_ros.benchmark.metrics_set", str(folder)]
    command.append("progress" if context.progress else "quiet")
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return Measured(
        f"{found['images']} images in {found['seconds']:.1f} s, {found['peak_mib'] / 1024:.2f} GiB at most",
        found["seconds"] <= _SECONDS and found["peak_mib"] <= 1024 * _GIB,
        {"input": "generated scores, float32, 2048x1024", **found},
    )


SCENARIO = Scenario(
    "metrics",
    "all metrics of 100 score maps of 2048x1024, with components",
    "<= 60 s on two cores, <= 2 GiB",
    measure,
)
