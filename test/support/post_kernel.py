"""The post-processing kernel, called with arrays."""

from dataclasses import dataclass

import numpy as np
from support.kernel_runners import HostRunner, Runner

from hybrid_seg_ros.bundle import ScoreKind
from hybrid_seg_ros.cuda import statistics
from hybrid_seg_ros.cuda.launch import DeviceAxis, DeviceRuns, postprocess_launch
from hybrid_seg_ros.cuda.sources import postprocess_kernel
from hybrid_seg_ros.cuda.taps import column_runs
from hybrid_seg_ros.detector.confidence import lookup_table
from hybrid_seg_ros.detector.maps import Formula, Maps
from hybrid_seg_ros.detector.plans import Plan
from hybrid_seg_ros.detector.types import Outputs
from hybrid_seg_ros.frames.geometry import AxisTable


def device_axis(table: AxisTable, on: Runner) -> DeviceAxis:
    return DeviceAxis(on.address(table.low), on.address(table.high), on.address(table.weight), table.low.size)


@dataclass(frozen=True)
class Raw:
    """Network outputs [K, h, w] and [2, h, w], both float32 or both float16."""

    logits: np.ndarray
    posterior: np.ndarray


def postprocess(
    raw: Raw, plan: Plan, formula: Formula, outputs: Outputs, threshold: float, *, any_size: bool = True,
    on: Runner | None = None,
) -> tuple[Maps, statistics.Statistics]:  # fmt: skip
    """What the kernel makes of raw outputs, by the launch that the device would get."""
    on = on or HostRunner()
    logits, posterior = np.ascontiguousarray(raw.logits), np.ascontiguousarray(raw.posterior)
    classes, height, width = logits.shape
    maps = Maps.allocate(outputs, plan.rows.low.size, plan.columns.low.size)
    runs, table, slots = column_runs(plan.columns), lookup_table(formula.confidence_table), statistics.empty()
    kind: ScoreKind = formula.kind
    kernel = postprocess_kernel(
        classes=classes,
        kind=kind,
        element="half" if logits.dtype == np.float16 else "float",
        grid_size=None if any_size else (width, height),
    )
    launch = postprocess_launch(
        logits=on.address(logits),
        posterior=on.address(posterior),
        grid_size=(width, height),
        rows=device_axis(plan.rows, on),
        columns=device_axis(plan.columns, on),
        runs=DeviceRuns(on.address(runs), runs.size - 1),
        threshold=threshold,
        temperature=formula.temperature,
        labels=on.address(maps.labels),
        score=on.address(maps.score),
        mask=on.address(maps.mask),
        confidence=on.address(maps.confidence),
        confidence_table=on.address(table),
        statistics=on.address(slots),
    )
    on.run(kernel, launch)
    return maps, statistics.read(slots)
