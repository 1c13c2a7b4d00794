"""The node at fixed rates and at its peak, in the words of ros2_benchmark: peak is the highest rate at < 5 % drops."""

import dataclasses
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np

from hybrid_seg_ros.assessment.pooling import pooled_times
from hybrid_seg_ros.bags.answers import Answer, read_answers
from hybrid_seg_ros.bags.online import OnlineRun, run_online
from hybrid_seg_ros.report.document import Rate

DROPS = 0.05
"""Share of frames without an answer that a rate must stay below to count as held."""

# A probe plays at least so long, s, and so many frames: fewer cannot tell 5 % from 0.
_SECONDS = 5.0
_FRAMES = 60
_GROWTH = 1.5
_PRECISION = 1.06
_PROBES = 9

Kind = Literal["recorded", "fixed", "peak"]
Probe = Callable[[float], Rate]


def rate_of(summary: dict[str, Any], answers: list[Answer], kind: Kind) -> Rate:
    """One run through the node as a `Rate`.

    Args:
        summary: of `run_online`.
        answers: of the same run.
        kind: why this rate was played.
    """
    latencies = [a.latency_ms for a in answers if a.latency_ms is not None]
    arrivals = np.sort([a.arrived_s for a in answers if a.arrived_s is not None])
    sent, answered, wall = len(answers), len(latencies), float(summary["wall_s"])
    usage = summary["extra"].get("node_usage") or {}
    return Rate(
        input_hz=round(sent / wall, 2) if wall > 0 else 0.0,
        output_hz=round(answered / wall, 2) if wall > 0 else 0.0,
        frames_sent=sent,
        frames_answered=answered,
        drops=1 - answered / sent if sent else 0.0,
        latency_ms=pooled_times(latencies),
        arrival_jitter_ms=float(np.diff(arrivals).std() * 1e3) if len(arrivals) > 2 else None,
        cpu_percent=usage.get("cpu_percent"),
        memory_mib=usage.get("memory_mib"),
        kind=kind,
    )


def prober(run: OnlineRun, recorded_hz: float, frames: int, folder: Path, kind: Kind) -> Probe:
    """Plays a recording at a rate in Hz through a node of its own, and measures; nothing is recorded.

    Args:
        run: the recording and the node; its target, rate, loops and answers are replaced.
        recorded_hz: rate of the recording.
        frames: in the recording.
        folder: for logs and answers.
        kind: of the rates that come out.
    """

    def probe(hz: float) -> Rate:
        place = folder / f"{kind}_{hz:.2f}_hz"
        loops = max(1, math.ceil(max(_SECONDS * hz, _FRAMES) / frames))
        answers = place / "answers.csv"
        at_rate = dataclasses.replace(
            run, work_dir=place, target=None, rate=hz / recorded_hz, loops=loops, answers=answers
        )
        summary = run_online(at_rate)
        return rate_of(summary, read_answers(answers), kind)

    return probe


def find_peak(probe: Probe, start_hz: float) -> tuple[float | None, list[Rate]]:
    """The highest rate at which less than 5 % of the frames are dropped, within 6 %, and all rates that were tried.

    Grows or falls from `start_hz` until one rate is held and a higher one is not, then halves their ratio. A machine
    that cannot play as fast as asked limits the search: what it did play counts.

    Args:
        probe: plays at a rate, Hz.
        start_hz: a guess.

    Returns:
        The rate that was played, Hz, or None where not even the lowest was held; and the rates in the order tried.
    """
    tried: list[Rate] = []
    held: tuple[float, float] | None = None  # asked for, played
    failed: float | None = None
    hz = start_hz
    while len(tried) < _PROBES:
        rate = probe(hz)
        tried.append(rate)
        if rate.drops < DROPS:
            held = hz, rate.input_hz
            if rate.input_hz < 0.9 * hz:
                break
        else:
            failed = hz
        if held is None:
            hz /= _GROWTH
        elif failed is None:
            hz *= _GROWTH
        elif failed / held[0] <= _PRECISION:
            break
        else:
            hz = math.sqrt(held[0] * failed)
    return None if held is None else held[1], tried
