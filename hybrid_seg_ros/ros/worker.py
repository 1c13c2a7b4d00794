"""One thread for all cameras: takes the newest image of each in turn and drops what nobody could process."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Generic, TypeVar

Item = TypeVar("Item")


class LatestOnlyWorker(Generic[Item]):
    """Latest-only slots, one for each camera, emptied round-robin by one thread.

    A slow network drops frames and never adds delay; a fast camera cannot starve a slow one. Work belongs to
    an *epoch*: `pause` ends it, and results of an ended epoch cannot be committed, so nothing taken before a
    deactivation is published after the next activation.

    Args:
        keys: the cameras.
        process: called in the worker's thread with (camera, item, epoch); publishes within `committing(epoch)`.
        failed: called in the worker's thread with (camera, error) when `process` raises; the thread goes on.
    """

    def __init__(
        self,
        keys: Sequence[str],
        process: Callable[[str, Item, int], None],
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

    def _take(self) -> tuple[str, Item, int] | None:
        with self._changed:
            while not self._slots and not self._stopping:
                self._changed.wait()
            if self._stopping:
                return None
            while self._keys[self._next] not in self._slots:
                self._next = (self._next + 1) % len(self._keys)
            key = self._keys[self._next]
            self._next = (self._next + 1) % len(self._keys)
            return key, self._slots.pop(key), self._epoch

    def _run(self) -> None:
        while (job := self._take()) is not None:
            key, item, epoch = job
            del job
            self._busy_since = time.monotonic()
            try:
                self._process(key, item, epoch)
            except Exception as error:
                self._failed(key, error)
            finally:
                self._busy_since = None
            del item  # a message of megabytes must not live until the next one
