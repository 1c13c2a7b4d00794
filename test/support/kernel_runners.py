"""Where a kernel runs in a test: as its host build over numpy's memory, or on the GPU over copies of it."""

from typing import Protocol

import numpy as np
from support import host_kernels

from hybrid_seg_ros.cuda.compile import compile_kernel
from hybrid_seg_ros.cuda.driver import Driver, Kernels
from hybrid_seg_ros.cuda.launch import Launch
from hybrid_seg_ros.cuda.sources import Kernel
from hybrid_seg_ros.cuda.user_cache import user_cache


class Runner(Protocol):
    def address(self, array: np.ndarray | None) -> int:
        """Where the kernel finds the array, and where what it writes becomes the array's; 0 for none."""

    def run(self, kernel: Kernel, launch: Launch) -> None:
        """Run it to its end, with the addresses that were asked for since the last run."""


class HostRunner:
    def address(self, array: np.ndarray | None) -> int:
        return host_kernels.address(array)

    def run(self, kernel: Kernel, launch: Launch) -> None:
        host_kernels.run(kernel, launch)


class DeviceRunner:
    """Through the driver, compiler and cache that the node uses."""

    def __init__(self, driver: Driver) -> None:
        self._driver, self._stream = driver, driver.stream()
        self._loaded: dict[Kernel, Kernels] = {}
        self._copies: list[tuple[int, np.ndarray]] = []

    def address(self, array: np.ndarray | None) -> int:
        if array is None:
            return 0
        assert array.flags.c_contiguous
        address = self._driver.upload(array, "a test")
        self._copies.append((address, array))
        return address

    def run(self, kernel: Kernel, launch: Launch) -> None:
        try:
            if kernel not in self._loaded:
                cubin = compile_kernel(kernel, self._driver.facts.architecture, cache=user_cache("kernels"))
                self._loaded[kernel] = self._driver.load(cubin)
            self._loaded[kernel].launch(launch, self._stream)
            self._driver.synchronize(self._stream)
            for address, array in self._copies:
                if array.flags.writeable:
                    array[...] = self._driver.read(address, array.shape, array.dtype)
        finally:
            for address, _ in self._copies:
                self._driver.free(address)
            self._copies.clear()
