"""Does the running network still give the bundle's golden results?"""

from hybrid_seg_ros.monitor.states import HealthState


class ParityMonitor:
    """When the golden image is due again, and what its results say.

    A single bad result may be a bit that flipped; `failures` of them in a row are a drift. One good result clears it.

    Args:
        period_s: time between two runs; 0 never runs one.
        failures: bad results in a row that are a drift.
        now_s: monotonic seconds: the first run, which every backend makes before its first image, is just over.

    Attributes:
        state: PARITY_DRIFT or OK.
        problem: what the last bad result was, "" after a good one.
        runs: results so far.
        bad: bad ones among them.
    """

    def __init__(self, period_s: float, failures: int, now_s: float) -> None:
        if not period_s >= 0.0 or failures < 1:
            raise ValueError(f"period_s is {period_s:g} and failures {failures}, expected period_s >= 0, failures >= 1")
        self._period_s, self._failures = period_s, failures
        self._last_s = now_s
        self._in_a_row = 0
        self.state = HealthState.OK
        self.problem = ""
        self.runs = self.bad = 0

    def due(self, now_s: float) -> bool:
        """Whether the golden image is due at `now_s`; if so it counts as run, so that no other caller runs it too."""
        if self._period_s == 0.0 or now_s - self._last_s < self._period_s:
            return False
        self._last_s = now_s
        return True

    def passed(self) -> None:
        """The results were those of the bundle."""
        self.runs += 1
        self._in_a_row = 0
        self.problem, self.state = "", HealthState.OK

    def failed(self, problem: str) -> None:
        """The results were others, or there were none, because of `problem`."""
        self.runs, self.bad = self.runs + 1, self.bad + 1
        self._in_a_row += 1
        self.problem = problem
        if self._in_a_row >= self._failures:
            self.state = HealthState.PARITY_DRIFT
