"""Parameters of what planners get."""

import math
from dataclasses import dataclass

from hybrid_seg_ros.ros.parameter_spec import parameter

_GROUP = "Planner outputs"
MAX_CELLS = 1_000_000
"""Of ~/occupancy: a megabyte in each message."""


@dataclass(frozen=True)
class PlannerSettings:
    """Clouds, scans and grids in base_frame."""

    cloud_z_min: float = parameter(
        0.1, _GROUP, "Lower end of the planner's height band, m over the ground; points stand inside it.",
        between=(-5, 50),
    )  # fmt: skip
    cloud_z_max: float = parameter(
        0.5, _GROUP, "Upper end of the planner's height band, m over the ground.", between=(-5, 50)
    )
    cloud_layers: int = parameter(1, _GROUP, "Points on top of each other for each contact.", between=(1, 64))
    cloud_voxel_m: float = parameter(
        0.0,
        _GROUP,
        "Of the points in a square of this side only the one of the highest score is kept, m; 0 keeps all.",
        between=(0, 10),
    )
    scan_angle_min: float = parameter(
        -math.pi / 2, _GROUP, "Bearing of the scan's first ray, rad, positive to the left.", between=(-6.3, 6.3)
    )
    scan_angle_max: float = parameter(math.pi / 2, _GROUP, "Bearing of the scan's last ray, rad.", between=(-6.3, 6.3))
    scan_increment: float = parameter(math.pi / 720, _GROUP, "Between two rays, rad.", between=(1e-4, 1))
    scan_range_min: float = parameter(0.3, _GROUP, "Nearest distance of the scan, m.", between=(0.01, 100))
    scan_range_max: float = parameter(60.0, _GROUP, "Farthest distance of the scan, m.", between=(0.1, 1000))
    grid_resolution: float = parameter(0.2, _GROUP, "Side of a cell of ~/occupancy, m.", between=(0.01, 10))
    grid_length_m: float = parameter(50.0, _GROUP, "Extent of ~/occupancy ahead, m.", between=(1, 500))
    grid_width_m: float = parameter(
        30.0, _GROUP, "Extent of ~/occupancy across, m, as much to the left as to the right.", between=(1, 500)
    )
    planner_reliability: str = parameter(
        "reliable",
        _GROUP,
        "Reliability of the planner outputs. reliable serves reliable and best-effort subscribers alike.",
        choices=("reliable", "best_effort"),
    )
    planner_deadline_s: float = parameter(
        0.0,
        _GROUP,
        "Deadline that the planner outputs offer, s; subscribers that ask for it are told when it is missed. 0 offers "
        "none.",
        between=(0, 60),
    )
    planner_lease_s: float = parameter(
        0.0,
        _GROUP,
        "Liveliness lease that the planner outputs offer, s, asserted only while they may be believed. 0 offers none.",
        between=(0, 60),
    )
    merge_window_s: float = parameter(
        0.05, _GROUP, "Results of several cameras at most this far apart make one merged cloud, s.", between=(0, 10)
    )
    merge_patience_s: float = parameter(
        0.2, _GROUP, "The merged cloud waits no longer than this for a camera, s, and goes without it.", between=(0, 10)
    )

    def planner_problems(self) -> list[str]:
        """What is wrong between these."""
        found = []
        for low, high in (
            ("cloud_z_min", "cloud_z_max"),
            ("scan_angle_min", "scan_angle_max"),
            ("scan_range_min", "scan_range_max"),
        ):
            if not getattr(self, low) < getattr(self, high):
                found.append(
                    f"{low} is {getattr(self, low):g} and {high} is {getattr(self, high):g}, expected {low} < {high}"
                )
        if self.scan_angle_max - self.scan_angle_min > 2 * math.pi + 1e-6:
            found.append("scan_angle_min and scan_angle_max are more than a turn (2 pi) apart")
        columns, rows = (math.ceil(side / self.grid_resolution) for side in (self.grid_length_m, self.grid_width_m))
        if columns * rows > MAX_CELLS:
            found.append(
                f"grid_length_m and grid_width_m make {columns} x {rows} cells of grid_resolution "
                f"{self.grid_resolution:g} m, expected at most {MAX_CELLS}"
            )
        return found
