"""Signs of life while an engine is built: nobody waits ten minutes without one."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from hybrid_seg_ros.backends.tensorrt.api import TensorRT

_log = logging.getLogger(__name__)
INTERVAL_S = 3.0


@dataclass(frozen=True, slots=True)
class BuildProgress:
    """Where a build is.

    Attributes:
        phase: outermost to innermost, joined by " > "; what is done before TensorRT tells, too.
        step: steps of the innermost phase that are done.
        steps: steps of the innermost phase; 0 = unknown.
        elapsed_s: since the build began, s.
    """

    phase: str
    step: int
    steps: int
    elapsed_s: float

    def __str__(self) -> str:
        count = f", step {self.step} of {self.steps}" if self.steps else ""
        return f"{self.phase}{count}, {self.elapsed_s:.0f} s"


Report = Callable[[BuildProgress], None]


def log_progress(progress: BuildProgress) -> None:
    """The report that goes to the log."""
    _log.info("building the engine: %s", progress)


class ProgressReporter:
    """Calls `report` every few seconds, from a thread of its own, between entering and leaving it.

    A report that raises is said once in the log and never called again: it must not end a build.
    """

    def __init__(
        self, report: Report, *, interval_s: float | None = None, cancel: threading.Event | None = None
    ) -> None:
        self._report: Report | None = report
        self._interval_s = INTERVAL_S if interval_s is None else interval_s
        self._cancel = cancel or threading.Event()
        self._lock = threading.Lock()
        self._phases: dict[str, list[int]] = {}  # name -> [done, steps], in the order they began
        self._fallback = "starting"
        self._start = time.monotonic()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="engine build progress", daemon=True)

    def __enter__(self) -> "ProgressReporter":
        self._start = time.monotonic()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()

    @property
    def cancelled(self) -> bool:
        return self._cancel.is_set()

    def say(self, phase: str) -> None:
        """The phase until TensorRT itself names one."""
        with self._lock:
            self._fallback = phase

    def now(self) -> BuildProgress:
        """Where the build is at this moment."""
        with self._lock:
            elapsed = time.monotonic() - self._start
            if not self._phases:
                return BuildProgress(self._fallback, 0, 0, elapsed)
            done, steps = next(reversed(self._phases.values()))
            return BuildProgress(" > ".join(self._phases), done, steps, elapsed)

    def phase_started(self, name: str, steps: int) -> None:
        """TensorRT entered a phase."""
        with self._lock:
            self._phases[name] = [0, steps]

    def step_done(self, name: str, step: int) -> None:
        """TensorRT finished step number `step`, from 0, of a phase."""
        with self._lock:
            if name in self._phases:
                self._phases[name][0] = step + 1

    def phase_finished(self, name: str) -> None:
        """TensorRT left a phase, perhaps before its last step."""
        with self._lock:
            self._phases.pop(name, None)

    def _run(self) -> None:
        while not self._done.wait(self._interval_s):
            if self._report is None:
                return
            try:
                self._report(self.now())
            except Exception:
                _log.exception("a progress report failed; the build goes on without")
                self._report = None


def progress_monitor(trt: TensorRT, reporter: ProgressReporter) -> Any:  # noqa: ANN401  # an object of TensorRT
    """TensorRT's IProgressMonitor that feeds the reporter and ends the build when it is cancelled."""
    base: Any = trt.module.IProgressMonitor

    class Monitor(base):  # type: ignore[misc]
        """Called from TensorRT's own threads; must not raise."""

        def __init__(self) -> None:
            base.__init__(self)

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            reporter.phase_started(phase_name, num_steps)

        def step_complete(self, phase_name: str, step: int) -> bool:
            reporter.step_done(phase_name, step)
            return not reporter.cancelled

        def phase_finish(self, phase_name: str) -> None:
            reporter.phase_finished(phase_name)

    return Monitor()
