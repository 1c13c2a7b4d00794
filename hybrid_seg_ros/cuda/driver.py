"""The CUDA driver as far as a frame needs it, by way of pycuda: one primary context, its memory, streams and kernels.

Everything here belongs to the thread that opened the driver; `thread.DeviceThread` is that thread.
"""

import contextlib
import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.cuda.errors import DeviceError
from hybrid_seg_ros.cuda.launch import Launch
from hybrid_seg_ros.cuda.probe import cuda_devices

# pycuda has no types.
Stream = Any
Event = Any

_INSTALL = (
    "pip install pycuda (needs the CUDA toolkit and a C++ compiler; docs/deployment.md has the ways around both),"
    " or choose backend onnxruntime"
)


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """What an engine and a kernel depend on.

    Attributes:
        name: the GPU's product name.
        capability: compute capability, (major, minor).
        driver: CUDA version of the driver, such as "12.6".
        memory: bytes of device memory.
    """

    name: str
    capability: tuple[int, int]
    driver: str
    memory: int

    @property
    def architecture(self) -> int:
        """Compute capability as compilers write it, such as 87."""
        return 10 * self.capability[0] + self.capability[1]


class Driver:
    """The device's primary context, current in the thread that made this, until `close`.

    The primary context is the one that TensorRT, ONNX Runtime and PyTorch use too, so addresses are valid in all of
    them. Every allocation is on this object's books: `close` gives all of them back.

    Args:
        ordinal: which GPU.

    Raises:
        DeviceError: no driver, no GPU, no pycuda, or CUDA refuses; says which and what to install.
    """

    def __init__(self, ordinal: int = 0) -> None:
        self._cuda = load_pycuda(ordinal)
        with translated("opening the GPU"):
            self._cuda.init()
            device = self._cuda.Device(ordinal)
            self._context: Any = device.retain_primary_context()
            self._context.push()
            major, minor = device.compute_capability()
            version = self._cuda.get_driver_version()
            self.facts = DeviceFacts(
                name=device.name(),
                capability=(major, minor),
                driver=f"{version // 1000}.{version % 1000 // 10}",
                memory=device.total_memory(),
            )
        self._device_memory: dict[int, tuple[Any, int]] = {}
        self._pinned_memory: dict[int, npt.NDArray[np.uint8]] = {}
        self._modules: list[Any] = []

    @property
    def device_bytes(self) -> int:
        """Device memory this object has allocated and not freed."""
        return sum(size for _, size in self._device_memory.values())

    @property
    def pinned_bytes(self) -> int:
        """Page-locked host memory this object has allocated and not freed."""
        return sum(array.nbytes for array in self._pinned_memory.values())

    def free_bytes(self) -> int:
        """Free memory of the device, whoever uses the rest."""
        with translated("asking for free memory"):
            return int(self._cuda.mem_get_info()[0])

    def allocate(self, size: int, what: str) -> int:
        """Address of `size` bytes of device memory; `what` is for the message when there are none left."""
        with translated(f"allocating {size} bytes on the GPU for {what}"):
            memory = self._cuda.mem_alloc(max(size, 1))
        address = int(memory)
        self._device_memory[address] = memory, size
        return address

    def free(self, address: int) -> None:
        """Give device memory back."""
        memory, _ = self._device_memory.pop(address)
        with translated("freeing device memory"):
            memory.free()

    def upload(self, values: npt.NDArray[Any], what: str) -> int:
        """Address of a new copy of `values` in device memory."""
        address = self.allocate(values.nbytes, what)
        self.write(address, values)
        return address

    def write(self, address: int, values: npt.NDArray[Any]) -> None:
        """Copy host memory of any kind to the device; returns when it is there."""
        with translated("copying to the GPU"):
            self._cuda.memcpy_htod(address, np.ascontiguousarray(values))

    def read(self, address: int, shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        """A copy of an array in device memory; what still writes it must have been waited for."""
        values = np.empty(shape, dtype)
        with translated("copying from the GPU"):
            self._cuda.memcpy_dtoh(values, address)
        return values

    def pin(self, size: int) -> npt.NDArray[np.uint8]:
        """uint8[size] of page-locked host memory, which the GPU copies from and to at full speed; see `unpin`."""
        with translated(f"page-locking {size} bytes of host memory"):
            array: npt.NDArray[np.uint8] = self._cuda.pagelocked_empty(max(size, 1), np.uint8)
        self._pinned_memory[array.ctypes.data] = array
        return array

    def is_pinned(self, array: npt.NDArray[Any]) -> bool:
        """Whether an array lies in memory that `pin` gave, without gaps."""
        if not array.flags.c_contiguous:
            return False
        start, end = array.ctypes.data, array.ctypes.data + array.nbytes
        return any(first <= start and end <= first + own.nbytes for first, own in self._pinned_memory.items())

    def unpin(self, array: npt.NDArray[np.uint8]) -> None:
        """Give page-locked memory back; nothing may use it any more."""
        del self._pinned_memory[array.ctypes.data]
        with translated("freeing page-locked memory"):
            array.base.free()  # type: ignore[union-attr]  # pycuda's allocation

    def stream(self) -> Stream:
        """A new stream."""
        with translated("making a stream"):
            return self._cuda.Stream()

    def event(self, *, timing: bool = False) -> Event:
        """A new event; the host sleeps, rather than spins, while it waits for it."""
        flags = self._cuda.event_flags.BLOCKING_SYNC
        with translated("making an event"):
            return self._cuda.Event(flags if timing else flags | self._cuda.event_flags.DISABLE_TIMING)

    def settle(self) -> None:
        """Wait until nothing runs on the device any more, before what it uses is given back.

        A device that has failed says so here once more: that is known, and it does nothing any more either.
        """
        with contextlib.suppress(DeviceError), translated("waiting for the GPU"):
            self._cuda.Context.synchronize()

    def record(self, event: Event, stream: Stream) -> None:
        """The event happens when all that is on the stream by now is done."""
        with translated("recording an event"):
            event.record(stream)

    def order(self, stream: Stream, event: Event) -> None:
        """What comes on the stream from now on waits for the event."""
        with translated("ordering two streams"):
            stream.wait_for_event(event)

    def wait(self, event: Event) -> None:
        """Wait for the event; errors of kernels come to light here."""
        with translated("waiting for the GPU"):
            event.synchronize()

    def elapsed_ms(self, first: Event, last: Event) -> float:
        """Time on the device from one event to another that were both waited for, ms."""
        with translated("reading a time"):
            return float(first.time_till(last))

    def synchronize(self, stream: Stream) -> None:
        """Wait until everything on the stream is done; errors of kernels come to light here."""
        with translated("waiting for the GPU"):
            stream.synchronize()

    def copy_to_device(self, address: int, values: npt.NDArray[Any], stream: Stream) -> None:
        """Copy pinned host memory to the device; returns at once."""
        with translated("copying to the GPU"):
            self._cuda.memcpy_htod_async(address, values, stream)

    def copy_to_host(self, values: npt.NDArray[Any], address: int, stream: Stream) -> None:
        """Copy from the device into pinned host memory; returns at once."""
        with translated("copying from the GPU"):
            self._cuda.memcpy_dtoh_async(values, address, stream)

    def clear(self, address: int, size: int, stream: Stream) -> None:
        """Set device memory to zeros; returns at once."""
        with translated("clearing device memory"):
            self._cuda.memset_d8_async(address, 0, size, stream)

    def load(self, cubin: bytes) -> "Kernels":
        """Kernels compiled for this GPU."""
        with translated("loading the kernels"):
            module = self._cuda.module_from_buffer(cubin)
        self._modules.append(module)
        return Kernels(module)

    def close(self) -> None:
        """Free what is still allocated and let go of the context; may be called twice."""
        if self._context is None:
            return
        self.settle()
        for address in list(self._device_memory):
            self.free(address)
        for array in list(self._pinned_memory.values()):
            self.unpin(array)
        self._modules.clear()
        context, self._context = self._context, None
        with translated("closing the GPU"):
            context.pop()
            context.detach()


class Kernels:
    """The functions of one compiled module."""

    def __init__(self, module: Any) -> None:  # noqa: ANN401  # pycuda has no types
        self._module = module
        self._functions: dict[str, tuple[Any, tuple[np.dtype[Any], ...]]] = {}

    def launch(self, launch: Launch, stream: Stream) -> None:
        """Start a kernel; returns at once."""
        types = tuple(argument.dtype for argument in launch.arguments)
        with translated(f"launching {launch.kernel}"):
            known = self._functions.get(launch.kernel)
            if known is None:
                function = self._module.get_function(launch.kernel)
                function.prepare(types)
                known = self._functions[launch.kernel] = function, types
            elif known[1] != types:
                raise DeviceError(f"kernel {launch.kernel}: expected arguments of {known[1]}, found {types}")
            known[0].prepared_async_call(launch.grid, launch.block, stream, *(a.item() for a in launch.arguments))


def load_pycuda(ordinal: int = 0) -> Any:  # noqa: ANN401  # pycuda has no types
    """pycuda.driver, asked for only after the driver itself has said that there is a GPU.

    Raises:
        DeviceError: no driver, no such GPU, or no pycuda.
    """
    devices, problem = cuda_devices()
    if not devices:
        raise DeviceError(f"{problem}. To fix: install NVIDIA's driver, or choose backend onnxruntime")
    if ordinal >= devices:
        raise DeviceError(f"GPU {ordinal}: expected one of the {devices} that the driver sees")
    try:
        return importlib.import_module("pycuda.driver")
    except ImportError as error:
        raise DeviceError(f"{devices} CUDA device(s), but no pycuda ({error}). To fix: {_INSTALL}") from error


@contextlib.contextmanager
def translated(what: str) -> Iterator[None]:
    """Errors of pycuda as DeviceError, so that nobody else has to know its classes."""
    try:
        yield
    except DeviceError:
        raise
    except Exception as error:  # pycuda's classes exist only where pycuda does
        if not type(error).__module__.startswith("pycuda"):
            raise
        exhausted = type(error).__name__ == "MemoryError"
        raise DeviceError(f"{what}: {type(error).__name__}: {error}", out_of_memory=exhausted) from error
