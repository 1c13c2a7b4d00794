"""Watches a worker from a thread of its own: is it late, does it hang; and beats while the process lives."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from hybrid_seg_ros.monitor.states import HealthState


@dataclass(frozen=True, slots=True)
class BusyLimits:
    """How long a worker may take for one item.

    Attributes:
        late_s: beyond this it is late.
        hung_s: beyond this it hangs.
        late_hold_s: it stays late until no item took longer than late_s for this long: a worker that is late with
            every item does not blink between them.
    """

    late_s: float = 0.5
    hung_s: float = 2.0
    late_hold_s: float = 2.0

    def __post_init__(self) -> None:
        """Raises ValueError unless late_s > 0, hung_s > 0 and late_hold_s >= 0."""
        if not (self.late_s > 0.0 and self.hung_s > 0.0):
            raise ValueError(f"late_s is {self.late_s:g} and hung_s is {self.hung_s:g}, expected both > 0")
        if not self.late_hold_s >= 0.0:
            raise ValueError(f"late_hold_s is {self.late_hold_s:g}, expected >= 0")


class BusyJudge:
    """The state of a worker from how long it has been busy with its present item."""

    def __init__(self) -> None:
        self._late_at: float | None = None

    def update(self, busy_s: float, limits: BusyLimits, now_s: float) -> HealthState:
        """OK, NETWORK_LATE or NETWORK_HUNG at `now_s` (monotonic seconds)."""
        if busy_s > limits.late_s:
            self._late_at = now_s
        if busy_s > limits.hung_s:
            return HealthState.NETWORK_HUNG
        if self._late_at is None or (busy_s <= limits.late_s and now_s - self._late_at >= limits.late_hold_s):
            return HealthState.OK
        return HealthState.NETWORK_LATE


class Watchdog:
    """Looks at a worker periodically, whatever the other threads do.

    It shares nothing with the worker but `busy_for`, so a worker that hangs in native code, or an executor that is
    blocked, does not stop it. Native code that hangs *and* keeps Python's global lock does: then the beats stop
    too, which is what consumers of the heartbeat watch for. Between looks the thread sleeps.

    All callables run in the watchdog's thread and must not block. What they raise goes to `failed`, and the watchdog
    goes on.

    Args:
        busy_for: seconds that the worker's present item has taken, 0 when there is none.
        limits: the limits of this moment.
        changed: called with (state, busy seconds) when the state becomes another.
        beat: called every `beat_period_s`, at first when the thread starts.
        failed: told what another callable raised.
        check_period_s: time between looks.
        beat_period_s: time between beats; those that could not be made in time are left out, not made up for.
    """

    def __init__(
        self,
        busy_for: Callable[[], float],
        limits: Callable[[], BusyLimits],
        changed: Callable[[HealthState, float], None],
        beat: Callable[[], None],
        failed: Callable[[Exception], None],
        *,
        check_period_s: float = 0.1,
        beat_period_s: float = 0.5,
    ) -> None:
        if not (check_period_s > 0.0 and beat_period_s > 0.0):
            raise ValueError(
                f"check_period_s is {check_period_s:g} and beat_period_s is {beat_period_s:g}, expected both > 0"
            )
        self._busy_for, self._limits, self._changed, self._beat, self._failed = busy_for, limits, changed, beat, failed
        self._check_period_s, self._beat_period_s = check_period_s, beat_period_s
        self._judge = BusyJudge()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hybrid_seg_watchdog", daemon=True)
        self.state = HealthState.OK
        """Of the last look."""

    def start(self) -> None:
        """Start the thread; once in its life."""
        self._thread.start()

    def stop(self, timeout_s: float | None = None) -> bool:
        """End the thread; False when it did not end in time. From a callable: it ends after that."""
        self._stopping.set()
        if self._thread.ident is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        next_check = next_beat = time.monotonic()
        while True:
            now = time.monotonic()
            if now >= next_check:
                self._guarded(self._look)
                next_check = _after(next_check, self._check_period_s, now)
            if now >= next_beat:
                self._guarded(self._beat)
                next_beat = _after(next_beat, self._beat_period_s, now)
            if self._stopping.wait(max(0.0, min(next_check, next_beat) - time.monotonic())):
                return

    def _look(self) -> None:
        busy_s = self._busy_for()
        state = self._judge.update(busy_s, self._limits(), time.monotonic())
        if state is not self.state:
            self.state = state
            self._changed(state, busy_s)

    def _guarded(self, call: Callable[[], None]) -> None:
        try:
            call()
        except Exception as error:
            with suppress(Exception):  # a watchdog that dies of its reporter watches nothing
                self._failed(error)


def _after(due_s: float, period_s: float, now_s: float) -> float:
    """The next time of a period that was due at `due_s`: in step where possible, else a period from now."""
    return due_s + period_s if due_s + period_s > now_s else now_s + period_s
