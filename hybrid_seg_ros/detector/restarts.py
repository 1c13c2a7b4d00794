"""When a device that failed is tried again, and when it is given up: a pure state machine."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """How often, and how soon.

    Attributes:
        attempts: restarts in a row before the device is given up; 0 gives up at once.
        first_wait_s: before the first of them; doubled for every further one.
        longest_wait_s: and never more than this.
        healthy_s: after this long without a failure the count begins anew.
    """

    attempts: int = 3
    first_wait_s: float = 0.5
    longest_wait_s: float = 30.0
    healthy_s: float = 60.0


class Restarts:
    """Counts failures in a row.

    Args:
        policy: how often, how soon.
        clock: seconds that never go back.
    """

    def __init__(self, policy: RestartPolicy, clock: Callable[[], float]) -> None:
        self._policy, self._clock = policy, clock
        self._failures = 0
        self._last = 0.0
        self._due = 0.0

    def failed(self) -> None:
        """The device failed, while it ran or while it was started again."""
        now = self._clock()
        if now - self._last > self._policy.healthy_s:
            self._failures = 0
        self._failures, self._last = self._failures + 1, now
        wait = self._policy.first_wait_s * 2.0 ** min(self._failures - 1, 32)
        self._due = now + min(wait, self._policy.longest_wait_s)

    @property
    def given_up(self) -> bool:
        """Whether the attempts are used up."""
        return self._failures > self._policy.attempts

    @property
    def wait_s(self) -> float:
        """Seconds until the next attempt; 0 when it is due."""
        return max(0.0, self._due - self._clock())
