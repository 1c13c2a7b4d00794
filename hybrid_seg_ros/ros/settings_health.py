"""Parameters of the monitors: what is believed, what is said, and what is done about it."""

from dataclasses import dataclass

from hybrid_seg_ros.ros.parameter_spec import parameter


@dataclass(frozen=True)
class HealthSettings:
    """When an input or a result is not to be believed."""

    # --- health
    stale_after_s: float = parameter(
        1.0,
        "Health",
        "Silence of a camera, s, after which its input is stale and /diagnostics says ERROR.",
        between=(0.01, 3600.0),
        read_only=False,
    )
    max_age_s: float = parameter(
        0.0,
        "Health",
        "Images whose stamp is older than this, s, when their turn comes are dropped; 0 takes every age. Bags "
        "played without use_sim_time are as old as their recording.",
        between=(0.0, 3600.0),
        read_only=False,
    )
    stamp_restart_s: float = parameter(
        1.0,
        "Health",
        "A stamp that lies this far, s, before the last one is a new timeline (a bag that loops, a clock that was "
        "set); smaller steps back are dropped.",
        between=(0.01, 3600.0),
    )
    no_image_warning_s: float = parameter(
        5.0,
        "Health",
        "After this long without an image, s, the log says who publishes what, and why it may not match.",
        between=(0.1, 3600.0),
        read_only=False,
    )
    log_throttle_s: float = parameter(
        10.0,
        "Health",
        "Each kind of problem is logged at most once in this time, s, for each camera; 0 logs every one.",
        between=(0.0, 3600.0),
        read_only=False,
    )
    diagnostics_period_s: float = parameter(
        1.0, "Health", "Time between messages on /diagnostics, s.", between=(0.05, 60.0)
    )
