"""Row bands of one frame, shared out among a few threads."""

import contextlib
import itertools
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

# More bands than threads: a thread that the rest of the robot interrupts delays one band, not half the image.
_BANDS_PER_THREAD = 4
_MIN_ROWS = 16


class Bands:
    """Runs a function over bands of rows; the caller works too, so one thread means no pool at all."""

    def __init__(self, threads: int) -> None:
        if threads < 1:
            raise ValueError(f"threads is {threads}, expected at least 1")
        self.threads = threads
        self._pool = ThreadPoolExecutor(threads - 1, thread_name_prefix="bands") if threads > 1 else None

    def run(self, work: Callable[[int, int, int], None], rows: int) -> None:
        """Call work(worker, first, last) until every row is in exactly one band; returns when all are done.

        Args:
            work: releases the GIL for most of its time; `worker` (0 .. threads - 1) owns its scratch memory.
            rows: number of rows.

        Raises:
            What `work` raised.
        """
        bands = max(1, min(self.threads * _BANDS_PER_THREAD, rows // _MIN_ROWS))
        edges = [rows * band // bands for band in range(bands + 1)]
        # next() of one count object is atomic under the GIL and locked in free-threaded builds.
        ticket = itertools.count()

        def drain(worker: int) -> None:
            while (band := next(ticket)) < bands:
                work(worker, edges[band], edges[band + 1])

        if self._pool is None or bands == 1:
            drain(0)
            return
        others: list[Future[None]] = []
        try:
            with contextlib.suppress(RuntimeError):  # closed meanwhile by another thread: the caller does the rest
                others.extend(self._pool.submit(drain, worker) for worker in range(1, min(self.threads, bands)))
            drain(0)
        finally:
            # Also after an error: nobody may still write into arrays the caller gives up.
            errors = [other.exception() for other in others]
        for error in errors:
            if error is not None:
                raise error

    def close(self) -> None:
        """End the threads; may be called twice."""
        if self._pool is not None:
            self._pool.shutdown(wait=True)
