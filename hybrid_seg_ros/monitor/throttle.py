"""Say a thing once, then keep quiet about it for a while."""

from collections.abc import Hashable


class Throttle:
    """Lets one message per key through in each period.

    Unlike a per-call-site throttle, the key names the *kind* of trouble, so two kinds met at one line
    are both told.

    Args:
        period_s: seconds of silence after a message; 0 lets everything through.
        max_keys: the oldest key is forgotten beyond this many, so memory stays bounded.
    """

    def __init__(self, period_s: float, max_keys: int = 256) -> None:
        self.period_s = period_s
        self._max_keys = max_keys
        self._last: dict[Hashable, float] = {}

    def ready(self, key: Hashable, now_s: float) -> bool:
        """Whether the message `key` may be said at `now_s` (monotonic seconds); if so it counts as said."""
        last = self._last.get(key)
        if last is not None and now_s - last < self.period_s:
            return False
        self._last.pop(key, None)
        self._last[key] = now_s
        if len(self._last) > self._max_keys:
            del self._last[next(iter(self._last))]
        return True

    def clear(self) -> None:
        """Forget everything said: each message may be said again at once."""
        self._last.clear()
