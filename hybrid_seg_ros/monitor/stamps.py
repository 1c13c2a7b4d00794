"""Judges the order of acquisition stamps: what is new, what is a repeat, what is a new timeline."""

import enum

NANOSECONDS = 1_000_000_000


class StampVerdict(enum.Enum):
    """What one stamp is with respect to those before it."""

    NEW = "new"
    REPEATED = "repeated"
    BACKWARDS = "backwards"
    RESTARTED = "restarted"

    @property
    def accepted(self) -> bool:
        """Whether the frame may be processed."""
        return self in (StampVerdict.NEW, StampVerdict.RESTARTED)


class StampOrder:
    """Accepts strictly increasing stamps, and starts anew when the timeline itself did.

    A frame that is late or doubled must not become a result; a bag that loops or a clock that was set
    must not be rejected for ever. The timeline starts anew when

    * a stamp lies at least `restart_s` before the last accepted one, or
    * `restart_count` rejected stamps in a row increase among themselves: a loop shorter than `restart_s`.

    Args:
        restart_s: jump back, s, that is a new timeline at once.
        restart_count: rejected but mutually increasing stamps in a row that make a new timeline.
    """

    def __init__(self, restart_s: float = 1.0, restart_count: int = 3) -> None:
        self._restart_ns = round(restart_s * NANOSECONDS)
        self._restart_count = restart_count
        self._last: int | None = None
        self._rejected: int | None = None
        self._rejected_in_order = 0

    @property
    def last(self) -> int | None:
        """The last accepted stamp, ns, or None before the first."""
        return self._last

    def judge(self, stamp_ns: int) -> StampVerdict:
        """The verdict on the next stamp in order of arrival; accepted stamps become the last one."""
        last = self._last
        if last is None or stamp_ns > last:
            return self._accept(stamp_ns, StampVerdict.NEW)
        if last - stamp_ns >= self._restart_ns > 0:
            return self._accept(stamp_ns, StampVerdict.RESTARTED)
        in_order = self._rejected is not None and stamp_ns > self._rejected
        self._rejected_in_order = self._rejected_in_order + 1 if in_order else 1
        self._rejected = stamp_ns
        if self._rejected_in_order >= self._restart_count:
            return self._accept(stamp_ns, StampVerdict.RESTARTED)
        return StampVerdict.REPEATED if stamp_ns == last else StampVerdict.BACKWARDS

    def reset(self) -> None:
        """Forget the timeline."""
        self._last = self._rejected = None
        self._rejected_in_order = 0

    def _accept(self, stamp_ns: int, verdict: StampVerdict) -> StampVerdict:
        self._last = stamp_ns
        self._rejected = None
        self._rejected_in_order = 0
        return verdict
