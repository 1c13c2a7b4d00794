"""A network on the fake GPU: ONNX Runtime over the host memory that stands for the device's."""

import ctypes
from typing import Any

import numpy as np
import onnxruntime
from support.fake_pycuda import FakeGpu

from hybrid_seg_ros.backends.base import BackendInfo
from hybrid_seg_ros.backends.device import DeviceBackend
from hybrid_seg_ros.bundle import Bundle
from hybrid_seg_ros.cuda.driver import Driver
from hybrid_seg_ros.cuda.thread import DeviceThread


def array_at(address: int, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    return np.frombuffer((ctypes.c_uint8 * size).from_address(address), dtype).reshape(shape)


class HostNetwork:
    """See `backends.device.DeviceNetwork`; what it is told to do happens on the fake stream.

    Attributes:
        poison: added to the logits: NaN for a network that went wrong.
        scale: multiplies both outputs: 0 for one that answers the same everywhere.
    """

    element: Any = "float"
    output_element: Any = "float"

    def __init__(self, gpu: FakeGpu, bundle: Bundle, size: tuple[int, int]) -> None:
        self.gpu, self.bundle, self.input_size = gpu, bundle, size
        self.session = onnxruntime.InferenceSession(str(bundle.file("model.onnx")))
        self.poison, self.scale, self.closed = 0.0, 1.0, False

    def bind(self, image: int, logits: int, posterior: int) -> None:
        (width, height), classes = self.input_size, len(self.bundle.manifest.classes)
        stride = self.bundle.manifest.outputs.stride
        grid = height // stride, width // stride
        self.image = array_at(image, (1, 3, height, width), np.float32)
        self.logits = array_at(logits, (1, classes, *grid), np.float32)
        self.posterior = array_at(posterior, (1, 2, *grid), np.float32)

    def enqueue(self, stream: int) -> None:
        self.gpu.streams[stream].add(self._run)

    def _run(self) -> None:
        names = self.bundle.manifest.outputs
        logits, posterior = self.session.run(
            [names.logits, names.posterior], {self.bundle.manifest.input.name: self.image}
        )
        self.logits[...] = self.scale * logits + self.poison
        self.posterior[...] = self.scale * posterior

    def close(self) -> None:
        self.closed = True


def open_backend(gpu: FakeGpu, bundle: Bundle, size: tuple[int, int] | None = None) -> DeviceBackend:
    """The bundle's network on the fake GPU, which must be installed."""
    spec = bundle.manifest.input
    wanted = size or (spec.width, spec.height)

    def make(driver: Driver, stream: Any) -> HostNetwork:
        return HostNetwork(gpu, bundle, wanted)

    return DeviceBackend(bundle, DeviceThread(), make, BackendInfo("host", "cuda:0", "fp32"), "fp32")
