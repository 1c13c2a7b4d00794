"""Parameters of the monitors: what is believed, what is said, and what is done about it."""

from dataclasses import dataclass

from hybrid_seg_ros.monitor.reaction import parse_reactions
from hybrid_seg_ros.ros.parameter_spec import parameter

_GROUP = "Health"


@dataclass(frozen=True)
class HealthSettings:
    """When an input or a result is not to be believed."""

    # --- health
    stale_after_s: float = parameter(
        1.0,
        _GROUP,
        "Silence of a camera, s, after which its input is stale and /diagnostics says ERROR.",
        between=(0.01, 3600.0),
        read_only=False,
    )
    max_age_s: float = parameter(
        0.0,
        _GROUP,
        "Images whose stamp is older than this, s, when their turn comes are dropped; 0 takes every age. Bags "
        "played without use_sim_time are as old as their recording.",
        between=(0.0, 3600.0),
        read_only=False,
    )
    stamp_restart_s: float = parameter(
        1.0,
        _GROUP,
        "A stamp that lies this far, s, before the last one is a new timeline (a bag that loops, a clock that was "
        "set); smaller steps back are dropped.",
        between=(0.01, 3600.0),
    )
    no_image_warning_s: float = parameter(
        5.0,
        _GROUP,
        "After this long without an image, s, the log says who publishes what, and why it may not match.",
        between=(0.1, 3600.0),
        read_only=False,
    )
    log_throttle_s: float = parameter(
        10.0,
        _GROUP,
        "Each kind of problem is logged at most once in this time, s, for each camera; 0 logs every one.",
        between=(0.0, 3600.0),
        read_only=False,
    )
    flood_hz: float = parameter(
        200.0,
        _GROUP,
        "Images that come faster than this, Hz, are a flood: set it to a few times the camera's rate; 0 allows any.",
        between=(0.0, 10_000.0),
        per_camera=True,
    )
    diagnostics_period_s: float = parameter(
        1.0, _GROUP, "Time between messages on /diagnostics, s.", between=(0.05, 60.0)
    )
    heartbeat_period_s: float = parameter(
        0.1,
        _GROUP,
        "Time between beats of ~/heartbeat, s, and how often states are looked at when no image comes.",
        between=(0.02, 10.0),
    )
    network_late_s: float = parameter(
        0.5,
        _GROUP,
        "Time on one image after which the network is late, s.",
        between=(0.001, 3600.0),
        read_only=False,
    )
    network_hung_s: float = parameter(
        2.0,
        _GROUP,
        "Time on one image after which the network hangs, s.",
        between=(0.01, 3600.0),
        read_only=False,
    )
    clock_jump_s: float = parameter(
        1.0,
        _GROUP,
        "A step of this node's clock against the machine's steady one that is a jump, s; 0 does not look.",
        between=(0.0, 3600.0),
    )
    frozen_frames: int = parameter(
        10,
        _GROUP,
        "So many equal pictures in a row under new stamps are a frozen camera; 0 does not look (a simulator without "
        "noise, a test picture).",
        between=(0, 10_000),
    )
    loop_frames: int = parameter(
        30, _GROUP, "The longest circle of pictures that is found to repeat; 0 does not look.", between=(0, 1000)
    )
    image_quality: bool = parameter(
        True, _GROUP, "Look for dark, over-exposed, blurred and blocked pictures.", per_camera=True
    )
    quality_after_s: float = parameter(
        1.0, _GROUP, "How long a picture must be bad before it is said, s.", between=(0.0, 60.0)
    )
    domain_check: bool = parameter(
        True,
        _GROUP,
        "Look for scenes that are foreign as a whole, for which the network was not made.",
        per_camera=True,
    )
    domain_after_s: float = parameter(
        5.0, _GROUP, "How long a scene must be foreign before it is said, s.", between=(0.0, 600.0)
    )
    output_frames: int = parameter(
        5, _GROUP, "So many outputs in a row that are constant all over the image are a fault.", between=(1, 10_000)
    )
    parity_period_s: float = parameter(
        60.0,
        _GROUP,
        "Time between two runs of the bundle's golden image through the running network, s; 0 runs it at the start "
        "only.",
        between=(0.0, 86_400.0),
    )
    reactions: tuple[str, ...] = parameter(
        ("",),
        _GROUP,
        "What is done in which state of health, 'image.dark=silent' ...; keep, mark_unknown, silent or deactivate. "
        "docs/health.md lists states and defaults.",
    )
    deactivate_after_s: float = parameter(
        5.0,
        _GROUP,
        "How long a state must last before it deactivates, s; until then it silences.",
        between=(0.0, 3600.0),
    )

    def health_problems(self) -> list[str]:
        """What is wrong between these."""
        try:
            parse_reactions(self.reactions)
        except ValueError as error:
            return [f"reactions: {error}"]
        return []
