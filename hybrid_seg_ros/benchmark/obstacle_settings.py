"""The ways from score to obstacle that are measured: the quiet one of the planners' configurations, and others."""

from dataclasses import replace

from hybrid_seg_ros.assessment.obstacle_drives import Chosen
from hybrid_seg_ros.ros.obstacle_options import obstacle_options
from hybrid_seg_ros.ros.schema import Settings

QUIET = "quiet"
"""Name of what config/nav2.yaml and config/autoware.yaml choose."""

THRESHOLD, HYSTERESIS, AREA_M2 = 0.0, 5.0, 0.5
"""A peak that noise seldom has, in a region wide enough to show the whole thing, that is larger than kerbs show."""


def node_defaults(threshold: float | str | None = None) -> Chosen:
    """The node's defaults at a threshold, the name of an operating point, or the bundle's default one.

    The errors of pose that the node's defaults allow for are left out: a drive's pose is known.
    """
    return Chosen(threshold, obstacle_options(Settings(pitch_sigma=0.0, height_sigma=0.0)))


def choices() -> dict[str, Chosen]:
    """By name: the node's defaults with the quiet threshold, hysteresis and least area, and with others."""
    base = node_defaults(THRESHOLD)
    filter_ = base.options.filter
    quiet = _changed(base, THRESHOLD, THRESHOLD - HYSTERESIS, filter_.confirm_hits, filter_.confirm_window, AREA_M2)
    return {QUIET: quiet, **{_name(*point): _changed(base, *point) for point in _CURVE}}


_CURVE: tuple[tuple[float, float, int, int, float], ...] = (
    (0.0, -5.0, 2, 3, 0.0),
    (0.0, -5.0, 2, 3, 0.35),
    (0.0, -4.0, 2, 3, 0.35),
    (0.0, -5.0, 3, 5, 0.5),
    (1.0, -5.0, 1, 1, 0.5),
    (-0.97, -5.0, 2, 3, 0.5),
    (-0.97, -0.97, 2, 3, 0.0),
    (-2.92, -2.92, 15, 20, 0.0),
    (-2.92, -2.92, 15, 20, 0.2),
    (-5.0, -5.0, 2, 3, 0.5),
)


def _name(on: float, off: float, hits: int, window: int, area_m2: float) -> str:
    kept = f", kept above {off:g}" if off < on else ""
    least = f", from {area_m2:g} m² on" if area_m2 else ""
    return f"above {on:g}{kept}, {hits} of {window}{least}"


def _changed(base: Chosen, on: float, off: float, hits: int, window: int, area_m2: float) -> Chosen:
    options = base.options
    filter_ = replace(options.filter, confirm_hits=hits, confirm_window=window, hysteresis=on - off)
    return Chosen(on, replace(options, filter=filter_, extract=replace(options.extract, min_area_m2=area_m2)))
