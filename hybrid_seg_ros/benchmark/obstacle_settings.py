"""The ways from score to obstacle that are measured: the quiet one of the planners' configurations, and others."""

from dataclasses import replace

from hybrid_seg_ros.assessment.obstacle_drives import Chosen
from hybrid_seg_ros.bundle import Score
from hybrid_seg_ros.obstacles.chain import ObstacleOptions
from hybrid_seg_ros.ros.obstacle_options import obstacle_options
from hybrid_seg_ros.ros.schema import Settings

QUIET = "quiet"
"""Name of what config/nav2.yaml and config/autoware.yaml choose."""

OPERATING_POINT, HITS, WINDOW = "fpr_1", 15, 20
"""The time filter wants many weak sightings rather than few strong ones."""


def node_defaults(threshold: float | str | None = None) -> Chosen:
    """The node's defaults at a threshold, the name of an operating point, or the bundle's default one.

    The errors of pose that the node's defaults allow for are left out: a drive's pose is known.
    """
    return Chosen(threshold, obstacle_options(Settings(pitch_sigma=0.0, height_sigma=0.0)))


def choices(score: Score) -> dict[str, Chosen]:
    """By name: the node's defaults with the quiet threshold and filter, and with others.

    Args:
        score: of the bundle; where it has no such point, its default one is taken.
    """
    base = node_defaults(OPERATING_POINT if OPERATING_POINT in score.operating_points else None)
    base = replace(base, options=_filtered(base.options, HITS, WINDOW, 0.0))
    return {QUIET: base, **{_name(*point): _changed(base, *point) for point in _CURVE}}


_CURVE: tuple[tuple[float, float, int, int], ...] = (
    (-1.44, -1.44, 2, 3),
    (-1.44, -1.44, 10, 14),
    (-3.33, -3.33, 2, 3),
    (-3.33, -3.33, 5, 7),
    (-3.33, -3.33, 10, 14),
    (-3.33, -3.33, 20, 26),
    (-3.86, -3.86, 20, 26),
    (0.0, -3.33, 5, 8),
    (1.0, -3.33, 2, 3),
)


def _name(on: float, off: float, hits: int, window: int) -> str:
    kept = f", kept above {off:g}" if off < on else ""
    return f"above {on:g}{kept}, {hits} of {window}"


def _changed(base: Chosen, on: float, off: float, hits: int, window: int) -> Chosen:
    return Chosen(on, _filtered(base.options, hits, window, on - off))


def _filtered(options: ObstacleOptions, hits: int, window: int, hysteresis: float) -> ObstacleOptions:
    chosen = replace(options.filter, confirm_hits=hits, confirm_window=window, hysteresis=hysteresis)
    return replace(options, filter=chosen)
