"""The fake GPU with what benchmarks ask of one beside frames: its attributes, and copies within its memory."""

import threading
import types
from typing import Any

import pytest
from support import fake_pycuda
from support.device_network import open_backend
from support.fake_pycuda import CudaError, FakeGpu, FakeStream

from hybrid_seg_ros.backends.device import DeviceBackend
from hybrid_seg_ros.benchmark import gpu_device, gpu_kernels
from hybrid_seg_ros.bundle import Bundle


class BenchGpu(FakeGpu):
    """See `FakeGpu`; several threads may have its context."""

    device_attribute = types.SimpleNamespace(MULTIPROCESSOR_COUNT="sms", CLOCK_RATE="kHz")

    def __init__(self, memory: int) -> None:
        super().__init__(memory)
        self._threads: list[threading.Thread] = []

    def Device(self, ordinal: int) -> Any:  # noqa: N802  # pycuda's name
        device = super().Device(ordinal)
        device.get_attribute = {"sms": 16, "kHz": 1_300_000}.__getitem__
        device.retain_primary_context = self._retain
        return device

    def _retain(self) -> Any:
        """The one context of the device, in as many threads as want it."""
        self.contexts += 1
        return types.SimpleNamespace(
            push=lambda: self._threads.append(threading.current_thread()),
            pop=lambda: self._threads.remove(threading.current_thread()),
            detach=self._detach,
        )

    def _detach(self) -> None:
        self.contexts -= 1

    def check_thread(self) -> None:
        if threading.current_thread() not in self._threads:
            raise CudaError("invalid device context: not current in this thread")

    def memcpy_dtod_async(self, target: int, source: int, size: int, stream: FakeStream) -> None:
        to, of = self._bytes(target, size), self._bytes(source, size)
        stream.add(lambda: to.__setitem__(slice(None), of))

    def open(self, bundle: Bundle, size: tuple[int, int] | None) -> DeviceBackend:
        """The network on this GPU, that of the CPU in truth."""
        return open_backend(self, bundle, size)


def install(monkeypatch: pytest.MonkeyPatch, gpu: BenchGpu, *, graphs: bool) -> None:
    """Let benchmarks find this GPU, whose every copy is a small one."""
    fake_pycuda.install(monkeypatch, gpu, graphs=graphs)
    monkeypatch.setattr(gpu_kernels, "compile_kernel", fake_pycuda.cubin)
    monkeypatch.setattr(gpu_device, "find_compiler", lambda arch: types.SimpleNamespace(version="the host's g++"))
