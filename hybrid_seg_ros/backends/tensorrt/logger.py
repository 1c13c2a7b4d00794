"""TensorRT's log: forwarded to `logging`, its last lines kept for error messages."""

import logging
from collections import deque
from typing import Any, Protocol

from hybrid_seg_ros.backends.tensorrt.api import TensorRT

_log = logging.getLogger("hybrid_seg_ros.tensorrt")
_KEPT = 100
_TOLD = 5


class TensorRTLog(Protocol):
    """An ILogger for TensorRT's objects, which must outlive them."""

    def last(self, count: int = _TOLD) -> str:
        """The last errors and warnings, else the last lines, as one line of text."""
        ...


def make_logger(trt: TensorRT) -> TensorRTLog:
    """An ILogger whose lines go to the logger "hybrid_seg_ros.tensorrt"; TensorRT's own INFO is our DEBUG."""
    base: Any = trt.module.ILogger
    severity = trt.module.ILogger.Severity
    levels = {
        severity.INTERNAL_ERROR: logging.ERROR,
        severity.ERROR: logging.ERROR,
        severity.WARNING: logging.WARNING,
        severity.INFO: logging.DEBUG,
    }

    class Log(base):  # type: ignore[misc]
        """Called from TensorRT's own threads; must not raise."""

        def __init__(self) -> None:
            base.__init__(self)
            self._lines: deque[tuple[int, str]] = deque(maxlen=_KEPT)

        def log(self, severity: Any, message: str) -> None:  # noqa: ANN401
            level = levels.get(severity)
            if level is None:  # VERBOSE: thousands of lines that only TensorRT's authors can read
                return
            self._lines.append((level, " ".join(message.split())))
            _log.log(level, "%s", message)

        def last(self, count: int = _TOLD) -> str:
            lines = list(self._lines)
            bad = [text for level, text in lines if level >= logging.WARNING]
            return " | ".join((bad or [text for _, text in lines])[-count:]) or "nothing"

    logger: TensorRTLog = Log()
    return logger
