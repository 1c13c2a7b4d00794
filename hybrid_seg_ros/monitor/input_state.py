"""The state of one camera's input, from what arrived and when."""

import enum
from collections import Counter
from dataclasses import dataclass, field

from hybrid_seg_ros.monitor.stage_times import RateMeter
from hybrid_seg_ros.monitor.stamps import StampOrder, StampVerdict


class InputState(enum.Enum):
    """What a camera's input is doing."""

    WAITING = "waiting"  # nothing has arrived yet
    OK = "ok"  # the last frame was good and recent
    STALE = "stale"  # frames came and stopped
    BAD = "bad"  # frames come and the last one could not be used


@dataclass(frozen=True, slots=True)
class InputReport:
    """A snapshot of one input.

    Attributes:
        state: see InputState.
        silent_s: seconds since the last message, or since watching began.
        received: messages that arrived.
        good: frames that could be used.
        rejected: unusable messages by kind ("repeated_stamp", "truncated", ...).
        problem: the last problem in words, "" when there was none.
        problem_age_s: seconds since that problem; infinite when there was none.
        size: (width, height) of the last good frame, or None.
        size_changes: how often the size changed in mid-stream.
        restarts: how often the stamps began a new timeline.
        rate_hz: rate of arrival over the last seconds.
    """

    state: InputState
    silent_s: float
    received: int
    good: int
    rejected: dict[str, int]
    problem: str
    problem_age_s: float
    size: tuple[int, int] | None
    size_changes: int
    restarts: int
    rate_hz: float


@dataclass
class InputMonitor:
    """Follows one input; every time is monotonic seconds given by the caller.

    Attributes:
        stale_after_s: silence after which an input that worked is stale.
        stamps: judges the acquisition stamps.
    """

    stale_after_s: float
    stamps: StampOrder = field(default_factory=StampOrder)
    received: int = 0
    good: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    restarts: int = 0
    size_changes: int = 0
    _since: float = 0.0
    _last_arrival: float | None = None
    _size: tuple[int, int] | None = None
    _problem: str = ""
    _problem_at: float | None = None
    _last_was_bad: bool = False
    _rate: RateMeter = field(default_factory=RateMeter)

    def watch(self, now_s: float) -> None:
        """Begin (again) to wait for input: counts stay, everything else is forgotten."""
        self.stamps.reset()
        self._since = now_s
        self._last_arrival = self._problem_at = self._size = None
        self._problem = ""
        self._last_was_bad = False
        self._rate = RateMeter()

    def arrived(self, stamp_ns: int, now_s: float) -> StampVerdict:
        """A message arrived; the verdict says whether its stamp allows it to be used."""
        self.received += 1
        self._last_arrival = now_s
        self._rate.tick(now_s)
        verdict = self.stamps.judge(stamp_ns)
        if verdict is StampVerdict.RESTARTED:
            self.restarts += 1
        return verdict

    def used(self, size: tuple[int, int]) -> bool:
        """A frame of (width, height) was good; True when the size changed in mid-stream."""
        self.good += 1
        self._last_was_bad = False
        changed = self._size is not None and self._size != size
        self.size_changes += changed
        self._size = size
        return changed

    def refuse(self, kind: str, problem: str, now_s: float) -> None:
        """A message could not be used, because of `problem`."""
        self.rejected[kind] += 1
        self._problem, self._problem_at = problem, now_s
        self._last_was_bad = True

    def report(self, now_s: float) -> InputReport:
        """The state at `now_s`."""
        silent = now_s - (self._since if self._last_arrival is None else self._last_arrival)
        if self._last_arrival is None:
            state = InputState.WAITING
        elif silent > self.stale_after_s:
            state = InputState.STALE
        else:
            state = InputState.BAD if self._last_was_bad else InputState.OK
        return InputReport(
            state=state,
            silent_s=silent,
            received=self.received,
            good=self.good,
            rejected=dict(self.rejected),
            problem=self._problem,
            problem_age_s=float("inf") if self._problem_at is None else now_s - self._problem_at,
            size=self._size,
            size_changes=self.size_changes,
            restarts=self.restarts,
            rate_hz=self._rate.rate(now_s),
        )
