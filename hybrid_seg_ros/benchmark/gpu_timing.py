"""Times of single kernels, which are shorter than it takes to launch them from Python."""

import contextlib
from collections.abc import Callable, Iterator

from hybrid_seg_ros.benchmark.gpu_device import copy_within
from hybrid_seg_ros.cuda.driver import Driver, Stream

_GROUP = 20
"""Runs queued behind one plug: fewer operations than a stream takes before it makes the host wait."""
_PLUG_S = 0.01
"""How long a plug lasts; launching a group takes the host a tenth of that."""
_PLUG_BYTES = 1 << 28


class Plug:
    """Copies that keep a stream busy while the host queues what is to be timed behind them.

    Without it the device would wait for the host between two launches, and events would measure that.
    """

    def __init__(self, driver: Driver, bandwidth: float) -> None:
        self._size = min(_PLUG_BYTES, driver.free_bytes() // 8)
        self._copies = max(1, round(_PLUG_S * bandwidth / (2 * self._size)))
        self._source, self._target = (driver.allocate(self._size, "a plug") for _ in range(2))

    def insert(self, stream: Stream) -> None:
        """Put it on the stream; returns at once."""
        for _ in range(self._copies):
            copy_within(self._target, self._source, self._size, stream)

    def close(self, driver: Driver) -> None:
        """Give the memory back."""
        driver.free(self._source)
        driver.free(self._target)


@contextlib.contextmanager
def plug(driver: Driver, bandwidth: float) -> Iterator[Plug]:
    """A plug for a while."""
    made = Plug(driver, bandwidth)
    try:
        yield made
    finally:
        made.close(driver)


def kernel_times_us(
    driver: Driver, stream: Stream, plug: Plug, launch: Callable[[int], None] | None, runs: int
) -> list[float]:
    """Device time of single launches, from an event before to an event behind; the events' own time is part of it.

    Args:
        driver: makes the events.
        stream: on which `launch` launches.
        plug: keeps the stream busy meanwhile.
        launch: launches run number n; None for nothing at all, which measures the events alone.
        runs: how many are timed, behind as many as make one group that are not.
    """
    times: list[float] = []
    number = 0
    while len(times) < runs + _GROUP:
        events = [(driver.event(timing=True), driver.event(timing=True)) for _ in range(_GROUP)]
        plug.insert(stream)
        for first, last in events:
            driver.record(first, stream)
            if launch is not None:
                launch(number)
            driver.record(last, stream)
            number += 1
        driver.synchronize(stream)
        times += [1e3 * driver.elapsed_ms(first, last) for first, last in events]
    return times[_GROUP : _GROUP + runs]


def batch_time_us(
    driver: Driver, stream: Stream, plug: Plug, launch: Callable[[int], None], batches: int
) -> list[float]:
    """Device time of a launch among others like it, back to back: a group's time over its number."""
    times = []
    for batch in range(batches + 1):
        first, last = driver.event(timing=True), driver.event(timing=True)
        plug.insert(stream)
        driver.record(first, stream)
        for number in range(_GROUP):
            launch(batch * _GROUP + number)
        driver.record(last, stream)
        driver.synchronize(stream)
        times.append(1e3 * driver.elapsed_ms(first, last) / _GROUP)
    return times[1:]
