"""Ctrl-C at any time, and while a program is still being imported."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

INTERRUPTED = 130
"""Exit status of what Ctrl-C ended, as in a shell."""


class Interrupts:
    """Whether there was a Ctrl-C: native code that calls Python makes errors of its own of it.

    Attributes:
        came: whether there was one.
    """

    def __init__(self) -> None:
        self.came = False

    def __call__(self, number: int, frame: object) -> None:
        """What Python does on SIGINT, remembered."""
        self.came = True
        raise KeyboardInterrupt


@contextmanager
def noticed_interrupts() -> Iterator[Interrupts]:
    """While the block runs, SIGINT raises KeyboardInterrupt, and is remembered even where that is lost.

    As with `quiet_imports`, nothing changes where SIGINT does not raise KeyboardInterrupt now.
    """
    interrupts = Interrupts()
    with _handled(interrupts):
        yield interrupts


@contextmanager
def quiet_imports(program: str) -> Iterator[None]:
    """While the block runs, SIGINT ends the process at once: one line on stderr and status 130.

    An exception would not do: it shows a traceback through other people's packages, and native code that is being
    imported makes errors of its own of it. Nothing that an import has begun needs to be ended in order.

    Nothing changes where SIGINT does not raise KeyboardInterrupt now: ignored (nohup), handled otherwise, or in a
    thread other than the main one. A handler that the block installs stays.

    Args:
        program: its name, for the line.
    """

    def end(number: int, frame: object) -> None:
        os.write(2, f"{program}: interrupted\n".encode())
        os._exit(INTERRUPTED)

    with _handled(end):
        yield


@contextmanager
def _handled(handler: Callable[[int, object], None]) -> Iterator[None]:
    default = signal.default_int_handler
    if signal.getsignal(signal.SIGINT) is default:
        with suppress(ValueError):  # not the main thread, which alone is interrupted
            signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        if signal.getsignal(signal.SIGINT) is handler:
            signal.signal(signal.SIGINT, default)
