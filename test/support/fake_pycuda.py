"""pycuda.driver over host memory: what a GPU would do, as late as it may do it.

Work on a stream runs only when somebody waits for it, so whoever forgets to wait finds old bytes. Every address is
checked against what is allocated. Kernels are the project's own, compiled for this CPU (`host_kernels`). A stream can
be recorded into a graph and replayed, as cuda-python does.
"""

import json
import sys
import threading
import types
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from support import host_kernels

from hybrid_seg_ros.cuda.launch import Launch
from hybrid_seg_ros.cuda.sources import Kernel

Work = Callable[[], None]


class CudaError(Exception):
    pass


class LaunchError(CudaError):
    pass


class OutOfMemory(CudaError):
    pass


for _kind, _name in ((CudaError, "Error"), (LaunchError, "LaunchError"), (OutOfMemory, "MemoryError")):
    _kind.__module__, _kind.__name__ = "pycuda._driver", _name


class FakeStream:
    """Work in order; an event recorded here is done when the work before it is."""

    def __init__(self, gpu: "FakeGpu") -> None:
        self.gpu, self.queue = gpu, []
        self.recording: list[Work] | None = None
        self.handle = len(gpu.streams) + 0x5000
        gpu.streams[self.handle] = self

    queue: list[Work]

    def add(self, work: Work) -> None:
        self.gpu.check_thread()
        (self.queue if self.recording is None else self.recording).append(work)

    def drain(self) -> None:
        while self.queue:
            self.queue.pop(0)()

    def synchronize(self) -> None:
        self.gpu.check_thread()
        if self.recording is not None:
            raise CudaError("operation not permitted when stream is capturing")
        self.gpu.fail_if_told("synchronize")
        self.drain()

    def wait_for_event(self, event: "FakeEvent") -> None:
        self.add(event.drain)


class FakeEvent:
    def __init__(self, gpu: "FakeGpu", flags: int = 0) -> None:
        self.gpu, self.stream, self.done, self.flags = gpu, None, True, flags

    stream: FakeStream | None

    def record(self, stream: FakeStream) -> None:
        self.stream, self.done = stream, False
        stream.add(self._finish)

    def _finish(self) -> None:
        self.done = True

    def drain(self) -> None:
        while not self.done and self.stream is not None and self.stream.queue:
            self.stream.queue.pop(0)()

    def synchronize(self) -> None:
        self.gpu.check_thread()
        self.gpu.fail_if_told("synchronize")
        self.drain()

    def time_till(self, other: "FakeEvent") -> float:
        if self.flags & 2 or other.flags & 2:
            raise CudaError("invalid resource handle: timing is disabled")
        return 0.25


class Allocation:
    def __init__(self, gpu: "FakeGpu", size: int) -> None:
        self.gpu, self.block = gpu, np.full(size, 0xCD, np.uint8)
        gpu.blocks[int(self)] = self.block

    def __int__(self) -> int:
        return int(self.block.ctypes.data)

    def free(self) -> None:
        self.gpu.check_thread()
        del self.gpu.blocks[int(self)]


class Pinned:
    """What pycuda puts under a page-locked array."""

    def __init__(self, gpu: "FakeGpu", size: int) -> None:
        self.gpu, self.memory = gpu, np.full(size, 0xCD, np.uint8)
        self.__array_interface__ = self.memory.__array_interface__
        gpu.pinned += size

    def free(self) -> None:
        self.gpu.pinned -= self.memory.size
        self.memory[:] = 0xDD


class Function:
    def __init__(self, gpu: "FakeGpu", name: str, kernel: Kernel) -> None:
        self.gpu, self.name, self.kernel = gpu, name, kernel

    def prepare(self, types: tuple[np.dtype[Any], ...]) -> None:
        self.types = types

    def prepared_async_call(self, grid: Any, block: Any, stream: FakeStream, *arguments: Any) -> None:
        self.gpu.fail_if_told("launch")
        values = tuple(kind.type(value) for kind, value in zip(self.types, arguments, strict=True))
        stream.add(lambda: host_kernels.run(self.kernel, Launch(self.name, grid, block, values)))
        self.gpu.launches += 1


class FakeGpu:
    """One GPU; stands in for pycuda.driver and for the little of cuda-python that graphs need.

    Attributes:
        memory: bytes it has; allocations beyond fail.
        faults: operation -> how many of its next calls fail ("allocate", "launch", "synchronize").
        blocks: live device memory by address.
        pinned: live page-locked bytes.
        launches: kernels started one by one.
        graph_launches: graphs started.
        contexts: contexts retained and not let go of.
    """

    def __init__(self, memory: int = 1 << 30) -> None:
        self.memory = memory
        self.faults: dict[str, int] = {}
        self.blocks: dict[int, np.ndarray] = {}
        self.streams: dict[int, FakeStream] = {}
        self.pinned = self.launches = self.graph_launches = self.contexts = 0
        self._owner: threading.Thread | None = None
        self._graphs: dict[int, list[Work]] = {}

    # --- pycuda.driver
    event_flags = types.SimpleNamespace(DEFAULT=0, BLOCKING_SYNC=1, DISABLE_TIMING=2)

    def init(self) -> None:
        pass

    @property
    def Context(self) -> Any:
        return types.SimpleNamespace(synchronize=self._drain_all)

    def _drain_all(self) -> None:
        self.check_thread()
        for stream in self.streams.values():
            stream.drain()

    def get_driver_version(self) -> int:
        return 12060

    def Device(self, ordinal: int) -> Any:
        def retain() -> Any:
            self.contexts += 1
            return types.SimpleNamespace(push=push, pop=pop, detach=detach)

        def push() -> None:
            self._owner = threading.current_thread()

        def pop() -> None:
            self.check_thread()
            self._owner = None

        def detach() -> None:
            self.contexts -= 1

        return types.SimpleNamespace(
            retain_primary_context=retain,
            compute_capability=lambda: (8, 7),
            name=lambda: "Orin (a fake one)",
            total_memory=lambda: self.memory,
        )

    def check_thread(self) -> None:
        if threading.current_thread() is not self._owner:
            raise CudaError("invalid device context: not current in this thread")

    def fail_if_told(self, operation: str) -> None:
        if self.faults.get(operation, 0) > 0:
            self.faults[operation] -= 1
            raise {"allocate": OutOfMemory("cuMemAlloc failed: out of memory")}.get(
                operation, LaunchError(f"{operation} failed: an illegal memory access was encountered")
            )

    @property
    def used(self) -> int:
        return sum(block.size for block in self.blocks.values())

    def mem_get_info(self) -> tuple[int, int]:
        return self.memory - self.used, self.memory

    def mem_alloc(self, size: int) -> Allocation:
        self.check_thread()
        self.fail_if_told("allocate")
        if self.used + size > self.memory:
            raise OutOfMemory("cuMemAlloc failed: out of memory")
        return Allocation(self, size)

    def pagelocked_empty(self, shape: int, dtype: Any) -> np.ndarray:
        self.check_thread()
        return np.asarray(Pinned(self, shape))

    def Stream(self) -> FakeStream:
        self.check_thread()
        return FakeStream(self)

    def Event(self, flags: int = 0) -> FakeEvent:
        return FakeEvent(self, flags)

    def _bytes(self, address: int, size: int) -> np.ndarray:
        for first, block in self.blocks.items():
            if first <= address and address + size <= first + block.size:
                return block[address - first : address - first + size]
        raise CudaError(f"invalid argument: {size} bytes at {address:#x} are not allocated")

    def memcpy_htod(self, address: int, values: np.ndarray) -> None:
        self._drain_all()  # the default stream waits for all others
        self._bytes(address, values.nbytes)[:] = values.reshape(-1).view(np.uint8)

    def memcpy_dtoh(self, values: np.ndarray, address: int) -> None:
        self._drain_all()
        values.reshape(-1).view(np.uint8)[:] = self._bytes(address, values.nbytes)

    def memcpy_htod_async(self, address: int, values: np.ndarray, stream: FakeStream) -> None:
        target = self._bytes(address, values.nbytes)
        source = values.reshape(-1).view(np.uint8)
        assert np.shares_memory(source, values), "the copy would outlive its source"
        stream.add(lambda: target.__setitem__(slice(None), source))

    def memcpy_dtoh_async(self, values: np.ndarray, address: int, stream: FakeStream) -> None:
        source = self._bytes(address, values.nbytes)
        target = values.reshape(-1).view(np.uint8)
        assert np.shares_memory(target, values), "the copy would go nowhere"
        stream.add(lambda: target.__setitem__(slice(None), source))

    def memset_d8_async(self, address: int, value: int, count: int, stream: FakeStream) -> None:
        target = self._bytes(address, count)
        stream.add(lambda: target.fill(value))

    def module_from_buffer(self, cubin: bytes) -> Any:
        entry, file, defines = json.loads(cubin)
        kernel = Kernel(entry, file, tuple((name, value) for name, value in defines))
        return types.SimpleNamespace(get_function=lambda name: Function(self, name, kernel))

    # --- cuda.bindings.driver
    CUstreamCaptureMode = types.SimpleNamespace(CU_STREAM_CAPTURE_MODE_THREAD_LOCAL=1)

    def cuStreamBeginCapture(self, stream: int, mode: int) -> tuple[int]:
        self.streams[stream].recording = []
        return (0,)

    def cuStreamEndCapture(self, stream: int) -> tuple[int, int]:
        work, self.streams[stream].recording = self.streams[stream].recording, None
        assert work is not None
        self._graphs[len(self._graphs) + 1] = work
        return 0, len(self._graphs)

    def cuGraphInstantiate(self, graph: int, flags: int) -> tuple[int, int]:
        return 0, graph

    def cuGraphDestroy(self, graph: int) -> tuple[int]:
        return (0,)

    def cuGraphExecDestroy(self, executable: int) -> tuple[int]:
        self._graphs[executable] = []
        return (0,)

    def cuGraphLaunch(self, executable: int, stream: int) -> tuple[int]:
        self.graph_launches += 1
        for work in self._graphs[executable]:
            self.streams[stream].add(work)
        return (0,)


def cubin(kernel: Kernel, arch: int, *, cache: Any) -> bytes:
    """What `compile_kernel` gives for this GPU: which kernel it is."""
    return json.dumps([kernel.entry, kernel.file, kernel.defines]).encode()


def install(monkeypatch: pytest.MonkeyPatch, gpu: FakeGpu, *, graphs: bool = False) -> None:
    """Let the package find this GPU, and nothing but it."""
    monkeypatch.setattr("hybrid_seg_ros.cuda.driver.cuda_devices", lambda: (1, ""))
    monkeypatch.setattr("hybrid_seg_ros.detector.device_path.compile_kernel", cubin)
    monkeypatch.setitem(sys.modules, "pycuda", types.ModuleType("pycuda"))
    monkeypatch.setitem(sys.modules, "pycuda.driver", gpu)
    monkeypatch.setitem(sys.modules, "cuda.bindings.driver", gpu if graphs else None)
    monkeypatch.setitem(sys.modules, "cuda.cuda", None)
