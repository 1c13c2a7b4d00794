"""What becomes of many drives' findings: shares, rates with their intervals, errors by distance."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from hybrid_seg_ros.assessment.contact_error import RANGE_M, ContactError
from hybrid_seg_ros.assessment.drive_judge import DriveFindings
from hybrid_seg_ros.evaluation.tracking import ALARM_WINDOW_S, join_reports

BIN_M = 5.0
_CONFIDENCE = 0.95


def position_figures(errors: Sequence[ContactError]) -> dict[str, Any]:
    """Errors of contact points as shares of the distance, in all and in bins of BIN_M."""
    distance = np.array([item.distance for item in errors])
    share = np.array([item.error for item in errors]) / np.maximum(distance, 1e-9)
    within = np.array([item.error <= 2.0 * item.sigma for item in errors], np.bool_)
    bins = []
    for low in np.arange(RANGE_M[0], RANGE_M[1], BIN_M).tolist():
        chosen = (distance >= low) & (distance < low + BIN_M)
        bins.append({"from_m": low, "to_m": low + BIN_M, **_spread(share[chosen])})
    return {**_spread(share), "within_2_sigma": float(within.mean()) if errors else None, "bins": bins}


def detection_figures(drives: Sequence[DriveFindings]) -> dict[str, Any]:
    """Unknown obstacles on the road that had to be found, and how the filter followed all of them."""
    must = [item for drive in drives for item in drive.obstacles if item.counts]
    found = [item for item in must if item.in_time]
    tracking = join_reports(drive.tracking for drive in drives)
    near = sum(item.frames_near for item in must)
    detected = [item for item in must if item.detected_m is not None and item.detected_m >= 25.0]
    return {
        "obstacles": len(must),
        "seen_before_25_m": len(detected),
        "confirmed_before_25_m": len(found),
        "share": len(found) / len(must) if must else None,
        "never_confirmed": sum(item.confirmed_m is None for item in must),
        "confirmed_at_m": _quantiles([item.confirmed_m for item in must if item.confirmed_m is not None]),
        "late_kinds": dict(Counter(item.kind for item in must if not item.in_time).most_common()),
        "share_of_frames_confirmed_nearer": sum(item.confirmed_near for item in must) / near if near else None,
        "id_switches": tracking.id_switches,
        "fragmentations": tracking.fragmentations,
        "followed": len(tracking.objects),
        "delay_frames_longest": max(tracking.delays, default=0),
        "delay_frames_mean": float(np.mean(tracking.delays)) if tracking.delays else None,
        "longest_wait_frames": tracking.longest_wait,
        "false_alarms": tracking.false_tracks,
        "minutes": tracking.seconds / 60.0,
    }


def alarm_figures(drives: Sequence[DriveFindings]) -> dict[str, Any]:
    """False alarms per ten minutes with the exact Poisson interval that goes with the minutes driven."""
    tracking = join_reports(drive.tracking for drive in drives)
    times = ALARM_WINDOW_S / tracking.seconds if tracking.seconds > 0.0 else math.nan
    low, high = poisson_interval(tracking.false_tracks)
    return {
        "false_alarms": tracking.false_tracks,
        "minutes": tracking.seconds / 60.0,
        "per_10_minutes": tracking.false_tracks * times,
        "per_10_minutes_95": [low * times, high * times],
        "confirmed_tracks": tracking.confirmed_tracks,
        "share_of_frames_with_false": tracking.false_frames / tracking.frames if tracking.frames else None,
    }


def poisson_interval(count: int, confidence: float = _CONFIDENCE) -> tuple[float, float]:
    """The exact central interval of a Poisson mean of which `count` events were seen (Garwood 1936)."""
    tail = (1.0 - confidence) / 2.0
    low = 0.0 if count == 0 else _root(lambda mean: 1.0 - _at_most(count - 1, mean) - tail, count)
    return low, _root(lambda mean: tail - _at_most(count, mean), count)


def _at_most(count: int, mean: float) -> float:
    """Probability of no more than `count` events."""
    if mean <= 0.0:
        return 1.0
    terms = (math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(count + 1))
    return math.fsum(terms)


def _root(rising: Callable[[float], float], count: int) -> float:
    """Where a function that rises from below 0 to above is 0."""
    low, high = 0.0, count + 10.0 * math.sqrt(count + 1.0) + 10.0
    for _ in range(100):
        middle = (low + high) / 2.0
        low, high = (low, middle) if rising(middle) > 0.0 else (middle, high)
    return (low + high) / 2.0


def _spread(share: "np.ndarray[Any, np.dtype[np.float64]]") -> dict[str, Any]:
    if not share.size:
        return {"points": 0, "median": None, "p95": None}
    return {"points": int(share.size), "median": float(np.median(share)), "p95": float(np.quantile(share, 0.95))}


def _quantiles(values: Sequence[float]) -> dict[str, float] | None:
    if not values:
        return None
    low, middle, high = np.quantile(values, (0.1, 0.5, 0.9)).tolist()
    return {"p10": low, "p50": middle, "p90": high}
