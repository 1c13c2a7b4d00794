"""What a run through a recording came to, as numbers."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class Spread:
    """Distribution of one duration, ms."""

    count: int
    p50: float
    p99: float
    mean: float
    max: float


def spread(values_ms: Iterable[float]) -> Spread | None:
    """Distribution of durations in ms, or None of none; p99 is the linear-interpolated percentile."""
    values = np.fromiter(values_ms, np.float64)
    if not values.size:
        return None
    p50, p99 = np.percentile(values, [50, 99])
    return Spread(values.size, *(round(float(v), 3) for v in (p50, p99, values.mean(), values.max())))


@dataclass(frozen=True, slots=True)
class StageTime:
    """Typical and worst time of one stage, ms."""

    p50: float
    p99: float


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One run of the detector or the node over a recording.

    Attributes:
        source: the recording.
        image_topic: the topic that was read.
        frames_in: images that went in.
        frames_out: images that came out with every output asked for.
        rejected: images refused because they are not what they declare, with the first reason.
        dropped: images without an answer that were not refused.
        latency_ms: from handing an image over to holding its mask (offline: the detector's whole time).
        stages_ms: time of each stage by name.
        wall_s: how long the run took.
        rate_hz: images per second that went in (recorded rate x speed when online).
        extra: backend, versions and what else the run wants to say.
    """

    source: str
    image_topic: str
    frames_in: int
    frames_out: int
    rejected: int
    dropped: int
    latency_ms: Spread | None
    stages_ms: Mapping[str, StageTime]
    wall_s: float
    rate_hz: float
    first_rejection: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def answered(self) -> float:
        """Share of images answered, 0..1."""
        return self.frames_out / self.frames_in if self.frames_in else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Plain types, ready for JSON."""
        return {**asdict(self), "answered": round(self.answered, 4)}

    def write(self, path: Path) -> None:
        """As indented JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.to_dict(), indent=2) + "\n", encoding="utf-8")
