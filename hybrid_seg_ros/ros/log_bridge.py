"""Brings what the ROS-free rooms say through `logging` to the ROS log, and so to /rosout."""

import logging
from collections.abc import Callable

from rclpy.impl.rcutils_logger import RcutilsLogger

PACKAGE = "hybrid_seg_ros"


class RosHandler(logging.Handler):
    """Writes records to a node's logger at their own level."""

    def __init__(self, logger: RcutilsLogger) -> None:
        super().__init__()
        # One call site for each level: rclpy refuses a call site that changes its level.
        self._levels: list[tuple[int, Callable[[str], object]]] = [
            (logging.CRITICAL, lambda text: logger.fatal(text)),
            (logging.ERROR, lambda text: logger.error(text)),
            (logging.WARNING, lambda text: logger.warning(text)),
            (logging.INFO, lambda text: logger.info(text)),
            (logging.NOTSET, lambda text: logger.debug(text)),
        ]

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        write = next(write for level, write in self._levels if record.levelno >= level)
        write(self.format(record))


def forward_logging(logger: RcutilsLogger) -> None:
    """Send the package's `logging` records to `logger` from now on, in place of standard error."""
    package = logging.getLogger(PACKAGE)
    package.handlers = [RosHandler(logger)]
    package.setLevel(logging.DEBUG)
    package.propagate = False
