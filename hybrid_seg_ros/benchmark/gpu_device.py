"""The GPU that is measured: whether there is one, what it is, how fast it copies."""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from hybrid_seg_ros.benchmark.gpu_floors import Speed
from hybrid_seg_ros.benchmark.scenario import NotMeasuredError
from hybrid_seg_ros.cuda import graph
from hybrid_seg_ros.cuda.compile import find_compiler
from hybrid_seg_ros.cuda.driver import Driver, Stream, load_pycuda
from hybrid_seg_ros.cuda.errors import DeviceError

_COPIES = 20
_LARGEST_COPY = 1 << 29


def require_gpu() -> None:
    """Raise NotMeasuredError, with the reason, where no GPU can be measured; before anything is made."""
    try:
        load_pycuda()
    except DeviceError as error:
        raise NotMeasuredError(f"needs an NVIDIA GPU and pycuda: {error}") from error


def spread(times: Sequence[float], digits: int = 2) -> dict[str, float]:
    """Median, 99th percentile and number of some times, ready for JSON."""
    p50, p99 = np.percentile(times, (50, 99))
    return {"p50": round(float(p50), digits), "p99": round(float(p99), digits), "runs": len(times)}


def about(driver: Driver, speed: Speed) -> dict[str, Any]:
    """The GPU in words and numbers, ready for JSON."""
    return {
        "name": driver.facts.name,
        "compute_capability": "{}.{}".format(*driver.facts.capability),
        "driver_cuda": driver.facts.driver,
        "memory_gib": round(driver.facts.memory / 2**30, 1),
        "sms": speed.sms,
        "clock_ghz": round(speed.clock_hz / 1e9, 3),
        "copy_tb_per_s": round(speed.bandwidth / 1e12, 3),
        "kernel_compiler": find_compiler(driver.facts.architecture).version,
        "cuda_graphs": graph.available(),
    }


def measured_speed(driver: Driver, stream: Stream) -> Speed:
    """SMs and clock as the driver states them, bandwidth of a copy within device memory as measured now."""
    cuda = load_pycuda()
    attribute, device = cuda.device_attribute, cuda.Device(0)
    return Speed(
        bandwidth=copy_bandwidth(driver, stream),
        sms=int(device.get_attribute(attribute.MULTIPROCESSOR_COUNT)),
        clock_hz=1e3 * device.get_attribute(attribute.CLOCK_RATE),
    )


def copy_bandwidth(driver: Driver, stream: Stream) -> float:
    """Bytes read and written a second by copies within device memory, far larger than its cache."""
    size = min(_LARGEST_COPY, driver.free_bytes() // 8)
    source, target = (driver.allocate(size, "a copy") for _ in range(2))
    try:
        driver.clear(source, size, stream)
        copy_within(target, source, size, stream)
        first, last = driver.event(timing=True), driver.event(timing=True)
        driver.record(first, stream)
        for _ in range(_COPIES):
            copy_within(target, source, size, stream)
        driver.record(last, stream)
        driver.wait(last)
        return _COPIES * 2 * size / (1e-3 * driver.elapsed_ms(first, last))
    finally:
        driver.free(source)
        driver.free(target)


def copy_within(target: int, source: int, size: int, stream: Stream) -> None:
    """Copy device memory to device memory; returns at once."""
    load_pycuda().memcpy_dtod_async(target, source, size, stream)


class Wire:
    """The copies that every frame needs, and nothing else: image in, maps out, page-locked, one after the other.

    Args:
        driver: allocates.
        image_bytes: in.
        map_bytes: out.
    """

    def __init__(self, driver: Driver, image_bytes: int, map_bytes: int) -> None:
        self._stream: Stream = driver.stream()
        self._host = driver.pin(image_bytes), driver.pin(map_bytes)
        self._device = driver.allocate(image_bytes, "an image"), driver.allocate(map_bytes, "maps")

    def time_us(self, driver: Driver) -> float:
        """Wall clock of both copies."""
        start = time.perf_counter()
        driver.copy_to_device(self._device[0], self._host[0], self._stream)
        driver.copy_to_host(self._host[1], self._device[1], self._stream)
        driver.synchronize(self._stream)
        return 1e6 * (time.perf_counter() - start)

    def close(self, driver: Driver) -> None:
        """Give the memory back."""
        driver.synchronize(self._stream)
        self._stream = None  # in the thread that made it
        for array in self._host:
            driver.unpin(array)
        for address in self._device:
            driver.free(address)
