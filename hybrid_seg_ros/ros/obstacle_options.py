"""What the parameters mean for the obstacle chain; without ROS, so that measurements read the very same."""

from hybrid_seg_ros.obstacles.chain import ObstacleOptions
from hybrid_seg_ros.obstacles.extract import ExtractOptions
from hybrid_seg_ros.obstacles.gate import GateOptions
from hybrid_seg_ros.obstacles.track import FilterOptions
from hybrid_seg_ros.ros.schema import Settings
from hybrid_seg_ros.ros.settings_obstacles import polygon


def obstacle_options(settings: Settings) -> ObstacleOptions:
    """What the chain is told."""
    return ObstacleOptions(
        gate=GateOptions(
            drivable=settings.gate_drivable,
            drivable_margin=settings.gate_drivable_margin,
            horizon=settings.gate_horizon,
            region=polygon(settings.gate_region),
            hood=polygon(settings.gate_hood),
        ),
        extract=ExtractOptions(
            min_pixels=settings.obstacle_min_pixels,
            min_width_m=settings.obstacle_min_width_m,
            min_height_m=settings.obstacle_min_height_m,
            min_area_m2=settings.obstacle_min_area_m2,
            max_distance_m=settings.obstacle_max_distance_m,
            pixel_sigma=settings.pixel_sigma,
            pitch_sigma=settings.pitch_sigma,
            height_sigma=settings.height_sigma,
        ),
        filter=FilterOptions(
            confirm_hits=settings.filter_hits,
            confirm_window=settings.filter_window,
            drop_after=settings.filter_drop_after,
            hysteresis=settings.filter_hysteresis,
            max_speed_mps=settings.filter_max_speed_mps,
        ),
        known_classes=settings.obstacle_known_classes,
    )
