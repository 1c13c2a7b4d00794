"""All scenarios, in the order of the report."""

from hybrid_seg_ros.benchmark import (
    camera_rate,
    eager,
    faults,
    full_size,
    gpu_eager,
    gpu_frame,
    gpu_kernels,
    gpu_soak,
    hybrid_cost,
    metrics,
    obstacles,
    planner_outputs,
    ros_overhead,
    soak,
    soak_cameras,
)
from hybrid_seg_ros.benchmark.scenario import Scenario

SCENARIOS: tuple[Scenario, ...] = (
    camera_rate.SCENARIO,
    full_size.SCENARIO,
    full_size.INT8,
    ros_overhead.SCENARIO,
    eager.SCENARIO,
    hybrid_cost.SCENARIO,
    soak.SCENARIO,
    metrics.SCENARIO,
    planner_outputs.SCENARIO,
    obstacles.POSITIONS,
    obstacles.DETECTION,
    obstacles.ALARMS,
    faults.SCENARIO,
    soak_cameras.SCENARIO,
    gpu_kernels.SCENARIO,
    gpu_frame.SCENARIO,
    gpu_eager.SCENARIO,
    gpu_soak.SCENARIO,
)
