"""A condition that must last before it counts, and be gone for a while before it does not."""


class Lasting:
    """Switches on after `after_s` seconds of bad evidence, and off after `clear_s` seconds of good evidence.

    Evidence that is neither changes nothing: it is what lies between two levels of a hysteresis, and it neither
    starts, stops nor completes a switch. Where no evidence came for more than `max_gap_s`, or time went backwards,
    what has lasted begins anew; what was on stays on.

    A condition that holds in every frame is thus told within `after_s` and one frame period of its first frame,
    wherever the period is at most `max_gap_s`.

    Args:
        after_s: how long bad evidence must last, s; 0: the first one counts.
        clear_s: how long good evidence must last, s.
        max_gap_s: longest time between two calls that belong together, s.

    Raises:
        ValueError: a time is negative or no number.
    """

    def __init__(self, after_s: float, clear_s: float, max_gap_s: float = 2.0) -> None:
        for name, value in (("after_s", after_s), ("clear_s", clear_s), ("max_gap_s", max_gap_s)):
            if not value >= 0:
                raise ValueError(f"{name} must be >= 0 s, found {value}")
        self._after_s, self._clear_s, self._max_gap_s = after_s, clear_s, max_gap_s
        self.reset()

    @property
    def on(self) -> bool:
        """Whether the condition counts."""
        return self._on

    @property
    def pending(self) -> bool:
        """Whether a switch has begun: evidence against the present state is lasting."""
        return self._since is not None

    def reset(self) -> None:
        """Off, and nothing has lasted."""
        self._on = False
        self._since: float | None = None
        self._last: float | None = None

    def update(self, *, bad: bool, good: bool, now_s: float) -> bool:
        """Take the evidence at `now_s` (seconds of any steady clock); whether the condition counts now."""
        if self._last is not None and not 0 <= now_s - self._last <= self._max_gap_s:
            self._since = None
        self._last = now_s
        against, for_it = (good, bad) if self._on else (bad, good)
        if against:
            since = self._since = now_s if self._since is None else self._since
            if now_s - since >= (self._clear_s if self._on else self._after_s):
                self._on, self._since = not self._on, None
        elif for_it:
            self._since = None
        return self._on
