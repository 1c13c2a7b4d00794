"""Waits for SIGINT and SIGTERM in the main thread, whichever thread the kernel hands them to."""

import os
import signal
import threading
import time

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
SAME_SIGNAL_S = 1.0


class StopSignals:
    """Takes over SIGINT and SIGTERM of the process; make it in the main thread.

    rclpy's own handlers would end the context under the worker, in the middle of a publication. Blocking the
    signals for `sigwait` is no way either: libraries start threads when they are imported, which do not block
    them. Python's wake-up pipe gets every signal.
    """

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        os.set_blocking(self._write, False)
        signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        for number in STOP_SIGNALS:
            signal.signal(number, lambda *_: None)

    def wait(self) -> None:
        """Until a signal or `wake` comes."""
        os.read(self._read, 1)

    def wake(self) -> None:
        """End `wait` as a signal would."""
        os.write(self._write, b"\0")

    def end_process_on_next(self) -> None:
        """From now on a signal ends the process at once, with code 1: somebody insists.

        What comes within a second is still the first one: a terminal and launch both pass Ctrl-C on.
        """

        def insist() -> None:
            time.sleep(SAME_SIGNAL_S)
            os.set_blocking(self._read, False)
            try:
                while os.read(self._read, 64):
                    pass
            except BlockingIOError:
                os.set_blocking(self._read, True)
            self.wait()
            os._exit(1)

        threading.Thread(target=insist, name="hybrid_seg_insist", daemon=True).start()

    def ignore(self) -> None:
        """From now on signals change nothing: the process has ended but for the interpreter.

        That restores the default handlers before it goes, and a Ctrl-C that comes twice would kill it in its last
        moments: launch would call a clean end a death.
        """
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
