"""Does the node's clock jump, and do the images' stamps agree with it."""

from dataclasses import dataclass

from hybrid_seg_ros.monitor.stamps import NANOSECONDS
from hybrid_seg_ros.monitor.states import HealthState

SYSTEM_RATES = (1.0, 1.0)
"""A system clock runs with the steady one."""
SIMULATED_RATES = (0.0, 100.0)
"""Simulated time may pause, and a bag may be played a hundred times as fast as it was recorded."""


@dataclass(frozen=True, slots=True)
class ClockJump:
    """A jump of the clock.

    Attributes:
        seconds: how far beyond what the time that passed explains; negative is back.
        at_s: when it was seen, steady seconds.
    """

    seconds: float
    at_s: float


class ClockMonitor:
    """Compares the node's clock with a steady one between two looks.

    Between looks that are d steady seconds apart, the clock must advance between rates[0]·d − tolerance and
    rates[1]·d + tolerance. So neither a pause of simulated time, nor a bag played faster or slower is a jump, and a
    bag that begins anew is one. Smaller steps and slow corrections (NTP) are none. The first time on a clock that
    stood at 0 (simulated time before the first /clock) is none either.

    Args:
        tolerance_s: larger than the step between two messages on /clock.
        rates: slowest and fastest rate of the clock against the steady one: SYSTEM_RATES or SIMULATED_RATES.
        hold_s: how long a jump is a state, so that a slow reader meets it.

    Attributes:
        last: the last jump, None before the first.
        jumps: how many there were.
    """

    def __init__(
        self, tolerance_s: float = 0.5, rates: tuple[float, float] = SYSTEM_RATES, hold_s: float = 2.0
    ) -> None:
        if not (tolerance_s > 0.0 and 0.0 <= rates[0] <= rates[1] and hold_s >= 0.0):
            raise ValueError(
                f"tolerance_s is {tolerance_s:g}, rates {rates}, hold_s {hold_s:g}; expected tolerance_s > 0,"
                " 0 <= slowest rate <= fastest rate, hold_s >= 0"
            )
        self._tolerance_s, self._rates, self._hold_s = tolerance_s, rates, hold_s
        self._before: tuple[int, float] | None = None
        self.last: ClockJump | None = None
        self.jumps = 0

    def update(self, ros_now_ns: int, steady_now_s: float) -> ClockJump | None:
        """Look at both clocks, read one right after the other; the jump since the last look, or None."""
        before, self._before = self._before, (ros_now_ns, steady_now_s)
        if before is None or before[0] == 0:
            return None
        advanced_s = (ros_now_ns - before[0]) / NANOSECONDS
        passed_s = steady_now_s - before[1]
        lowest, highest = self._rates[0] * passed_s, self._rates[1] * passed_s
        off_s = advanced_s - min(max(advanced_s, lowest), highest)
        if abs(off_s) <= self._tolerance_s:
            return None
        self.last = ClockJump(off_s, steady_now_s)
        self.jumps += 1
        return self.last

    def state(self, steady_now_s: float) -> HealthState:
        """CLOCK_JUMP for `hold_s` after a jump, else OK."""
        if self.last is not None and steady_now_s - self.last.at_s <= self._hold_s:
            return HealthState.CLOCK_JUMP
        return HealthState.OK


class StampAge:
    """Compares the stamps of one camera's images with the node's clock.

    Args:
        future_s: a stamp further ahead of the clock than this is of the future.
        old_s: a stamp further behind is old; infinite never calls one old.
        frames: images in a row until that is a state; one image on the other side clears it.

    Attributes:
        age_s: of the last image, negative ahead of the clock; NaN before the first.
        state: STAMPS_FUTURE, STAMPS_OLD or OK.
    """

    def __init__(self, future_s: float = 0.1, old_s: float = 60.0, frames: int = 3) -> None:
        if not (future_s >= 0.0 and old_s > 0.0 and frames >= 1):
            raise ValueError(
                f"future_s is {future_s:g}, old_s {old_s:g}, frames {frames}; expected future_s >= 0, old_s > 0,"
                " frames >= 1"
            )
        self._future_s, self._old_s, self._frames = future_s, old_s, frames
        self._now = HealthState.OK
        self._in_a_row = 0
        self.age_s = float("nan")
        self.state = HealthState.OK

    def update(self, stamp_ns: int, ros_now_ns: int) -> HealthState:
        """Take the stamp of an image that arrived at `ros_now_ns` by the node's clock; the state."""
        self.age_s = (ros_now_ns - stamp_ns) / NANOSECONDS
        found = HealthState.OK
        if self.age_s < -self._future_s:
            found = HealthState.STAMPS_FUTURE
        elif self.age_s > self._old_s:
            found = HealthState.STAMPS_OLD
        self._in_a_row = self._in_a_row + 1 if found is self._now else 1
        self._now = found
        if found is HealthState.OK or self._in_a_row >= self._frames:
            self.state = found
        return self.state
