"""The one thread that owns a GPU's context, and with it every stream, buffer, kernel and engine."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NoReturn, TypeVar

from hybrid_seg_ros.cuda.driver import Driver
from hybrid_seg_ros.cuda.errors import DeviceError

T = TypeVar("T")


class DeviceThread:
    """Runs functions, in order, in a thread in which the driver's context is current.

    A CUDA context is current in a thread, not in a process: whoever wants something of the GPU asks this thread,
    whichever thread it is in itself.

    Args:
        ordinal: which GPU.

    Raises:
        DeviceError: see `Driver`.
    """

    def __init__(self, ordinal: int = 0) -> None:
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="cuda")
        try:
            self._driver: Driver | None = self._executor.submit(Driver, ordinal).result()
        except BaseException:
            self._executor.shutdown()
            raise

    def run(self, function: Callable[[Driver], T]) -> T:
        """The function's result; what it raises is raised here.

        Raises:
            DeviceError: closed.
        """
        if self._driver is None:
            self._refuse()
        return self._executor.submit(self._call, function).result()

    def close(self, release: Callable[[Driver], None] | None = None) -> None:
        """Run `release` in the thread, close the driver and end the thread; may be called twice."""
        if self._driver is None:
            return
        try:
            if release is not None:
                self.run(release)
        finally:
            driver, self._driver = self._driver, None
            try:
                self._executor.submit(driver.close).result()
            finally:
                self._executor.shutdown()

    def _call(self, function: Callable[[Driver], T]) -> T:
        if self._driver is None:
            self._refuse()
        return function(self._driver)

    def _refuse(self) -> NoReturn:
        raise DeviceError("the GPU's thread is closed")
