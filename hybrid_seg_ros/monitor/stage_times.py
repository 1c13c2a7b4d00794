"""Rolling percentiles and rates over a bounded window; written by one thread, read by another."""

import math
import threading
from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Summary of a window of samples, in the samples' unit; NaN where the window is empty."""

    count: int
    p50: float
    p99: float
    max: float


def percentile(ordered: list[float], fraction: float) -> float:
    """Nearest-rank percentile of a sorted list: the smallest sample with at least `fraction` at or below it."""
    if not ordered:
        return math.nan
    return ordered[max(0, math.ceil(fraction * len(ordered)) - 1)]


class RollingPercentiles:
    """Percentiles of the last `window` samples."""

    def __init__(self, window: int = 512) -> None:
        self._samples: deque[float] = deque(maxlen=window)

    def add(self, value: float) -> None:
        """Take one sample; NaN is ignored."""
        if not math.isnan(value):
            self._samples.append(value)

    def summary(self) -> Percentiles:
        """p50, p99 and maximum of the window."""
        ordered = sorted(self._samples)
        top = ordered[-1] if ordered else math.nan
        return Percentiles(len(ordered), percentile(ordered, 0.50), percentile(ordered, 0.99), top)


class StageTimes:
    """One RollingPercentiles per named stage (milliseconds)."""

    def __init__(self, window: int = 512) -> None:
        self._window = window
        self._stages: dict[str, RollingPercentiles] = {}
        self._lock = threading.Lock()

    def add(self, stage: str, milliseconds: float) -> None:
        """Take one duration of `stage`."""
        with self._lock:
            if stage not in self._stages:
                self._stages[stage] = RollingPercentiles(self._window)
            self._stages[stage].add(milliseconds)

    def summary(self) -> dict[str, Percentiles]:
        """Percentiles by stage, in the order the stages were first seen."""
        with self._lock:
            return {stage: samples.summary() for stage, samples in self._stages.items()}


class RateMeter:
    """Events per second over the last `window_s` seconds (at most `max_events` of them are kept)."""

    def __init__(self, window_s: float = 5.0, max_events: int = 1024) -> None:
        self._window_s = window_s
        self._times: deque[float] = deque(maxlen=max_events)
        self._lock = threading.Lock()

    def tick(self, now_s: float) -> None:
        """One event at `now_s` (monotonic seconds)."""
        with self._lock:
            self._times.append(now_s)

    def rate(self, now_s: float) -> float:
        """Hz; 0 with fewer than two events in the window."""
        with self._lock:
            while self._times and now_s - self._times[0] > self._window_s:
                self._times.popleft()
            if len(self._times) < 2:
                return 0.0
            span = self._times[-1] - self._times[0]
            return (len(self._times) - 1) / span if span > 0 else 0.0
