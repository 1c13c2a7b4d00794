"""A real GPU for tests: whether there is one, and a network on it that needs no library."""

from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
from support.bundles import TinyNetwork

from hybrid_seg_ros.backends.base import BackendInfo
from hybrid_seg_ros.backends.device import DeviceBackend
from hybrid_seg_ros.bundle import Bundle
from hybrid_seg_ros.cuda import compilers
from hybrid_seg_ros.cuda.compile import find_compiler
from hybrid_seg_ros.cuda.driver import Driver, load_pycuda
from hybrid_seg_ros.cuda.errors import DeviceError
from hybrid_seg_ros.cuda.launch import Launch
from hybrid_seg_ros.cuda.sources import Kernel, source_files
from hybrid_seg_ros.cuda.thread import DeviceThread

_SOURCE = Path(__file__).with_name("tiny_network.cu")
_BLOCK = 64


def require_gpu() -> None:
    """Skip the test, with the reason, where there is no GPU or no pycuda."""
    try:
        load_pycuda()
    except DeviceError as error:
        pytest.skip(str(error))


def tiny_network_cubin(arch: int) -> bytes:
    kernel, files = Kernel("tiny_network", _SOURCE.name, ()), {**source_files(), _SOURCE.name: _SOURCE.read_text()}
    with mock.patch.object(compilers, "source_files", return_value=files):
        return find_compiler(arch).compile(kernel, arch).cubin


class TinyDeviceNetwork:
    """The network of `make_bundle`; see `backends.device.DeviceNetwork`.

    `poison` is added to the logits and `scale` multiplies both outputs; they count from the next run on.
    """

    element: Any = "float"
    output_element: Any = "float"

    def __init__(
        self, driver: Driver, thread: DeviceThread, stream: Any, bundle: Bundle, size: tuple[int, int]
    ) -> None:
        self.input_size, self._classes = size, len(bundle.manifest.classes)
        self._stream: Any = stream
        self._driver, self._thread = driver, thread
        weights = TinyNetwork(self._classes)
        self._kernels: Any = driver.load(tiny_network_cubin(driver.facts.architecture))
        self._weights = [
            driver.upload(array, "a network")
            for array in (weights.stem, weights.heads["logits"], weights.heads["posterior"])
        ]
        self._values = {"scale": 1.0, "poison": 0.0}
        self._change = driver.upload(np.array([1, 0], np.float32), "a network")

    @property
    def poison(self) -> float:
        return self._values["poison"]

    @poison.setter
    def poison(self, value: float) -> None:
        self._set("poison", value)

    @property
    def scale(self) -> float:
        return self._values["scale"]

    @scale.setter
    def scale(self, value: float) -> None:
        self._set("scale", value)

    def _set(self, name: str, value: float) -> None:
        self._values[name] = value
        values = np.array([self._values["scale"], self._values["poison"]], np.float32)
        self._thread.run(lambda driver: driver.write(self._change, values))

    def bind(self, image: int, logits: int, posterior: int) -> None:
        self._tensors = image, logits, posterior

    def enqueue(self, stream: int) -> None:
        assert stream == self._stream.handle
        (width, height), (image, logits, posterior) = self.input_size, self._tensors
        numbers = (self._classes, height // 4, width // 4)
        addresses = (image, *self._weights, self._change, logits, posterior)
        arguments = (*(np.uint64(address) for address in addresses), *(np.int32(number) for number in numbers))
        grid = (-(-(width // 4) // _BLOCK), height // 4, 1)
        self._kernels.launch(Launch("tiny_network", grid, (_BLOCK, 1, 1), arguments), self._stream)

    def close(self) -> None:
        self._kernels = self._stream = None  # here and now, in the thread that made them
        for address in self._weights:
            self._driver.free(address)
        if self._weights:
            self._driver.free(self._change)
        self._weights = []


def open_tiny(bundle: Bundle, size: tuple[int, int] | None = None) -> DeviceBackend:
    """A bundle of `make_bundle` with its own seed on the GPU."""
    spec, thread = bundle.manifest.input, DeviceThread()
    wanted = size or (spec.width, spec.height)
    return DeviceBackend(
        bundle,
        thread,
        lambda driver, stream: TinyDeviceNetwork(driver, thread, stream, bundle, wanted),
        BackendInfo("tiny network", "cuda:0", "fp32"),
        "fp32",
    )
