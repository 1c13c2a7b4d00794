"""Two streams of one drive joined by stamp, in whatever order they were recorded; memory holds what runs ahead."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class ByStamp(Generic[T]):
    """Gives the items of a stream by their stamps; asked for in nearly the stream's own order.

    Args:
        items: (stamp ns, item) in the order of the stream.
        stamps: the stamps of all of them; what is known to be missing is not looked for.
    """

    def __init__(self, items: Iterator[tuple[int, T]], stamps: Iterable[int]) -> None:
        self._items = items
        self._left = Counter(stamps)
        self._ahead: dict[int, list[T]] = {}

    def at(self, stamp_ns: int) -> T | None:
        """The next item of that stamp, or None where there is none (any more)."""
        if not self._left[stamp_ns]:
            return None
        self._left[stamp_ns] -= 1
        while not self._ahead.get(stamp_ns):
            entry = next(self._items, None)
            if entry is None:
                return None
            self._ahead.setdefault(entry[0], []).append(entry[1])
        waiting = self._ahead[stamp_ns]
        item = waiting.pop(0)
        if not waiting:
            del self._ahead[stamp_ns]
        return item
