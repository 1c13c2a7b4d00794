"""Memory that is allocated once and grows only when a larger image comes."""

from typing import Any

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.cuda.driver import Driver, Stream


class Buffer:
    """Bytes on the device, and where wanted as many page-locked ones on the host to copy from or to.

    Args:
        driver: allocates them.
        what: for the message when there is no memory left.
        host: whether there is a host side, too.
    """

    def __init__(self, driver: Driver, what: str, *, host: bool = True) -> None:
        self._driver, self._what, self._host = driver, what, host
        self.address = 0
        self._size = 0
        self._pinned: npt.NDArray[np.uint8] | None = None

    def reserve(self, size: int) -> bool:
        """Make room for `size` bytes; True where the memory moved. Nothing may be using it."""
        if size <= self._size:
            return False
        self.release()
        self.address = self._driver.allocate(size, self._what)
        if self._host:
            self._pinned = self._driver.pin(size)
        self._size = size
        return True

    def host(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        """The first bytes of the host side as an array; valid until `reserve` moves it."""
        if self._pinned is None:
            raise ValueError(f"{self._what}: no host side of this buffer")
        count = int(np.prod(shape)) * np.dtype(dtype).itemsize
        return self._pinned[:count].view(dtype).reshape(shape)

    def fetch(self, shape: tuple[int, ...], dtype: npt.DTypeLike, stream: Stream) -> None:
        """Copy the first bytes to the host side; returns at once."""
        self._driver.copy_to_host(self.host(shape, dtype), self.address, stream)

    def release(self) -> None:
        """Give the memory back; may be called twice."""
        if self._size:
            self._driver.free(self.address)
            if self._pinned is not None:
                self._driver.unpin(self._pinned)
            self.address, self._size, self._pinned = 0, 0, None
