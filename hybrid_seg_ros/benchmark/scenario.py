"""What a benchmark scenario is, and what it says."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hybrid_seg_ros.bundle import Bundle


class NotMeasuredError(RuntimeError):
    """A scenario cannot be measured here; says what is missing. The other scenarios go on."""


@dataclass(frozen=True, slots=True)
class Context:
    """What every scenario gets.

    Attributes:
        bundle: the network to measure with.
        work_dir: folder for recordings and logs of this run; emptied afterwards.
        data: root of the research data sets, or None.
        effort: share of the full number of repetitions and seconds, 0 < effort <= 1; figures of a run with less
            than 1 are for trying out, not for reporting.
        progress: show progress bars on stderr.
    """

    bundle: Bundle
    work_dir: Path
    data: Path | None = None
    effort: float = 1.0
    progress: bool = True

    def count(self, full: int, least: int = 3) -> int:
        """`full` repetitions at full effort, never fewer than `least`."""
        return max(least, round(full * self.effort))


@dataclass(frozen=True, slots=True)
class Measured:
    """What a scenario found.

    Attributes:
        headline: the figures the target speaks of, in one line.
        passed: whether the target is met.
        values: everything measured, ready for JSON.
    """

    headline: str
    passed: bool
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One promise.

    Attributes:
        name: file name of its result and name on the command line.
        title: what is measured, in one line.
        target: the promise, in one line.
        measure: does it; raises NotMeasuredError where it cannot be done here.
    """

    name: str
    title: str
    target: str
    measure: Callable[[Context], Measured]
