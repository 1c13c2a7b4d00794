"""One thread for all cameras: takes the newest image of each in turn and drops what nobody could process."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Generic, TypeVar

Item = TypeVar("Item")
Finish = Callable[[], None]
"""The rest of an item's work, when its first part only started something."""


class LatestOnlyWorker(Generic[Item]):
    """Latest-only slots, one for each camera, emptied round-robin by one thread.

    A slow network drops frames and never adds delay; a fast camera cannot starve a slow one. Work belongs to
    an *epoch*: `pause` ends it, and results of an ended epoch cannot be committed, so nothing taken before a
    deactivation is published after the next activation.

    An item may be done in two parts: the first starts it on a device, the second waits for it and publishes. Then
    the first part of the next item, where one waits, comes between the two, so that the device never idles.

    Args:
        keys: the cameras.
        process: called in the worker's thread with (camera, item, epoch); publishes within `committing(epoch)`, or
            returns what is left to do.
        failed: called in the worker's thread with (camera, error) when either part raises; the thread goes on.
    """

    def __init__(
        self,
        keys: Sequence[str],
        process: Callable[[str, Item, int], Finish | None],
        failed: Callable[[str, Exception], None],
    ) -> None:
        self._keys = tuple(keys)
        self._process = process
        self._failed = failed
        self._slots: dict[str, Item] = {}
        self._dropped = dict.fromkeys(self._keys, 0)
        self._next = 0
        self._epoch = 0
        self._open = False
        self._stopping = False
        self._busy_since: float | None = None
        self._changed = threading.Condition()
        self._commit = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="hybrid_seg_worker", daemon=True)

    def start(self) -> None:
        """Start the thread; nothing is accepted before `resume`."""
        self._thread.start()

    def resume(self) -> None:
        """Accept items again."""
        with self._changed:
            self._open = True

    def pause(self) -> None:
        """Drop what waits, refuse what comes, and void what is being worked on; waits only for a commit."""
        with self._commit, self._changed:
            self._epoch += 1
            self._open = False
            for key in self._slots:
                self._dropped[key] += 1
            self._slots.clear()

    def stop(self, timeout_s: float | None = None) -> bool:
        """End the thread after the item it works on; False when it did not end in time."""
        self.pause()
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def offer(self, key: str, item: Item) -> None:
        """Put the newest item of `key`; one that still waited is dropped and counted."""
        with self._changed:
            if not self._open:
                return
            if key in self._slots:
                self._dropped[key] += 1
            self._slots[key] = item
            self._changed.notify()

    def dropped(self, key: str) -> int:
        """Items of `key` that were replaced or discarded before their turn."""
        return self._dropped[key]

    def busy_for(self) -> float:
        """Seconds that the present item has been worked on; 0 when there is none."""
        since = self._busy_since
        return 0.0 if since is None else time.monotonic() - since

    @contextmanager
    def committing(self, epoch: int) -> Iterator[bool]:
        """Holds off `pause` while results are published; gives False when their epoch has ended."""
        with self._commit:
            yield epoch == self._epoch

    def _take(self, *, wait: bool) -> tuple[str, Item, int] | None:
        with self._changed:
            while wait and not self._slots and not self._stopping:
                self._changed.wait()
            if self._stopping or not self._slots:
                return None
            while self._keys[self._next] not in self._slots:
                self._next = (self._next + 1) % len(self._keys)
            key = self._keys[self._next]
            self._next = (self._next + 1) % len(self._keys)
            return key, self._slots.pop(key), self._epoch

    def _run(self) -> None:
        started: tuple[str, Finish, float] | None = None
        while True:
            job = self._take(wait=started is None)
            if job is None and started is None:
                return
            following = None if job is None else self._begin(*job)
            del job  # a message of megabytes must not live until the next one
            if started is not None:
                key, finish, self._busy_since = started
                self._guarded(key, finish)
                del finish
            started = following
            self._busy_since = None if started is None else started[2]

    def _begin(self, key: str, item: Item, epoch: int) -> tuple[str, Finish, float] | None:
        """The first part of an item; what is left of it, and since when it has been worked on."""
        since = time.monotonic()
        if self._busy_since is None:
            self._busy_since = since
        finish = self._guarded(key, lambda: self._process(key, item, epoch))
        return None if finish is None else (key, finish, since)

    def _guarded(self, key: str, work: Callable[[], Finish | None]) -> Finish | None:
        try:
            return work()
        except Exception as error:
            self._failed(key, error)
            return None
