"""Accuracy of what was known when each frame came: a late answer is an answer about the past.

Streaming accuracy of Li, Wang and Ramanan, "Towards Streaming Perception" (ECCV 2020): at every frame's stamp the
truth of that frame is compared with the newest result that had arrived by then.
"""

import heapq
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Current(Generic[T]):
    """What a listener knows at some time: the result, and the stamp of the frame that it is of."""

    stamp_ns: int
    result: T


class CurrentResults(Generic[T]):
    """Which result is current at which time; holds what has not arrived yet and the newest that has."""

    def __init__(self) -> None:
        self._coming: list[tuple[int, int, int, T]] = []  # heap on arrival, stamp, then a number that is never equal
        self._count = 0
        self._current: Current[T] | None = None
        self._last_ns: int | None = None

    def arrive(self, stamp_ns: int, arrival_ns: int, result: T) -> None:
        """Tell of a result; before `at` is asked for a time at or after its arrival.

        Args:
            stamp_ns: stamp of the frame that it is of; each frame has one result at most.
            arrival_ns: when it arrived, on the stamps' clock.
            result: anything.

        Raises:
            ValueError: it arrived before its frame.
        """
        if arrival_ns < stamp_ns:
            raise ValueError(
                f"the result of the frame stamped {stamp_ns} ns arrived at {arrival_ns} ns, before its frame;"
                " expected stamps and arrivals of one clock"
            )
        heapq.heappush(self._coming, (arrival_ns, stamp_ns, self._count, result))
        self._count += 1

    def at(self, time_ns: int) -> Current[T] | None:
        """The newest result that had arrived by then, or None; times must not go back.

        A result that arrives after that of a newer frame is never current: a listener goes by the stamps.

        Raises:
            ValueError: asked for an earlier time than before.
        """
        if self._last_ns is not None and time_ns < self._last_ns:
            raise ValueError(f"asked for {time_ns} ns after {self._last_ns} ns; expected ascending times")
        self._last_ns = time_ns
        while self._coming and self._coming[0][0] <= time_ns:
            _, stamp_ns, _, result = heapq.heappop(self._coming)
            if self._current is None or stamp_ns > self._current.stamp_ns:
                self._current = Current(stamp_ns, result)
        return self._current
