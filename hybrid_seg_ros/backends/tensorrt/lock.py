"""A lock between processes that tells who waits for whom."""

import contextlib
import fcntl
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from hybrid_seg_ros.backends.base import BackendError

_log = logging.getLogger(__name__)
_POLL_S = 0.1
TELL_S = 5.0


def log_wait(holder: str, waited_s: float) -> None:
    """The report that goes to the log."""
    _log.info("waiting for %s, which builds the same engine (%.0f s)", holder, waited_s)


@contextlib.contextmanager
def exclusive(
    path: Path,
    *,
    on_wait: Callable[[str, float], None] = log_wait,
    tell_s: float = TELL_S,
    cancel: threading.Event | None = None,
) -> Iterator[None]:
    """Hold the lock file at `path`; the kernel frees it when its holder ends, however it ends.

    Args:
        path: made where it is not there; it stays.
        on_wait: called with who holds it and the seconds waited: at once, then every `tell_s`.
        tell_s: see above, s.
        cancel: ends the waiting.

    Raises:
        BackendError: cancelled.
        OSError: the file cannot be made, or the file system has no locks.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
    try:
        start, told = time.monotonic(), -1.0
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                waited = time.monotonic() - start
                if told < 0 or waited - told >= tell_s:
                    on_wait(_holder(handle), waited)
                    told = waited
            if cancel is not None and cancel.wait(_POLL_S):
                raise BackendError("waiting for another process's engine build was cancelled")
            if cancel is None:
                time.sleep(_POLL_S)
        with contextlib.suppress(OSError):  # who holds it is only said, a full disk must not matter
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"process {os.getpid()} on {socket.gethostname()}".encode(), 0)
        yield
    finally:
        os.close(handle)


def _holder(handle: int) -> str:
    return os.pread(handle, 200, 0).decode(errors="replace") or "another process"
