"""A network on a GPU, whichever library runs it: its tensors, its thread, its parity test."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

import numpy as np

from hybrid_seg_ros.backends.base import BackendError, BackendInfo, FloatArray, NetworkOutput
from hybrid_seg_ros.backends.golden import Precision
from hybrid_seg_ros.backends.parity import check_at
from hybrid_seg_ros.backends.sizes import check_tensor
from hybrid_seg_ros.bundle import Bundle
from hybrid_seg_ros.cuda.driver import Driver, Stream
from hybrid_seg_ros.cuda.errors import DeviceError
from hybrid_seg_ros.cuda.thread import DeviceThread

Element = Literal["half", "float"]
_DTYPES: dict[Element, type[np.floating[Any]]] = {"half": np.float16, "float": np.float32}
_WARM_UP_RUNS = 3


class DeviceNetwork(Protocol):
    """A loaded network whose tensors lie in device memory; used in the device's thread only."""

    @property
    def input_size(self) -> tuple[int, int]:
        """(width, height) of the network input, px."""
        ...

    @property
    def element(self) -> Element:
        """What the input tensor is made of."""
        ...

    @property
    def output_element(self) -> Element:
        """What both output tensors are made of."""
        ...

    def bind(self, image: int, logits: int, posterior: int) -> None:
        """Use the tensors at these device addresses from now on."""
        ...

    def enqueue(self, stream: int) -> None:
        """Start a run on a CUDA stream, given by its handle; returns at once."""
        ...

    def close(self) -> None:
        """Release everything; may be called twice."""
        ...


@dataclass(frozen=True, slots=True)
class DeviceTensor:
    """A tensor in device memory.

    Attributes:
        address: of the first element.
        shape: [C, H, W].
        element: of what.
    """

    address: int
    shape: tuple[int, int, int]
    element: Element

    @property
    def dtype(self) -> np.dtype[Any]:
        """NumPy's name of the element."""
        return np.dtype(_DTYPES[self.element])

    @property
    def nbytes(self) -> int:
        """Size in bytes."""
        return int(np.prod(self.shape)) * self.dtype.itemsize


class DeviceBackend:
    """A Backend whose tensors a detector may also use where they lie: see `stream`, `image`, `logits`, `posterior`.

    Attributes:
        thread: owns everything.
        network: enqueued on `stream`.
        stream: on which the network runs.
        image: input tensor [3, H, W].
        logits: output tensor [K, h, w].
        posterior: output tensor [2, h, w].
    """

    def __init__(
        self,
        bundle: Bundle,
        thread: DeviceThread,
        open_network: Callable[[Driver, Stream], DeviceNetwork],
        info: BackendInfo,
        precision: Precision,
    ) -> None:
        """Open the network in the thread, allocate its tensors and pass the golden test; closes the thread on failure.

        Args:
            bundle: the model.
            thread: taken over.
            open_network: called in the thread with the driver and the stream the network will run on.
            info: what `describe` says; the golden test's result is added.
            precision: of the network, which decides how far the golden test lets it stray.

        Raises:
            BackendError: the network does not load, does not fit into memory, or fails the golden test.
        """
        self.thread = thread
        self.stream: Stream = None
        self._info = info
        self._network: DeviceNetwork | None = None
        try:
            thread.run(lambda driver: self._open(driver, bundle, open_network))
            found = check_at(self._run, bundle, self.input_size, precision)
        except DeviceError as error:
            self.close()
            raise BackendError(f"{info.name} backend: {error}") from error
        except BaseException:
            self.close()
            raise
        self._info = replace(info, details={**info.details, **found})

    @property
    def input_size(self) -> tuple[int, int]:
        return self.image.shape[2], self.image.shape[1]

    @property
    def network(self) -> DeviceNetwork:
        """The network itself.

        Raises:
            BackendError: closed.
        """
        if self._network is None:
            raise BackendError(f"{self._info.name} backend: infer after close")
        return self._network

    def warm_up(self) -> None:
        """A few runs on zeros: clocks rise, and what the library decides at its first run is decided."""
        zeros = np.zeros((1, *self.image.shape), np.float32)
        for _ in range(_WARM_UP_RUNS):
            self.infer(zeros)

    def infer(self, image: FloatArray) -> NetworkOutput:
        """Run the network on a tensor in host memory; detectors use the tensors in device memory instead.

        Raises:
            BackendError: closed, a tensor of another shape, or the GPU failed.
        """
        check_tensor(image, self.input_size)
        return self._run(image)

    def close(self) -> None:
        self.thread.close(self._release)

    def describe(self) -> BackendInfo:
        return self._info

    def _open(self, driver: Driver, bundle: Bundle, open_network: Callable[[Driver, Stream], DeviceNetwork]) -> None:
        self.stream = driver.stream()
        network = self._network = open_network(driver, self.stream)
        outputs, (width, height) = bundle.manifest.outputs, network.input_size
        grid = height // outputs.stride, width // outputs.stride

        def tensor(what: str, shape: tuple[int, int, int], element: Element) -> DeviceTensor:
            made = DeviceTensor(0, shape, element)
            return replace(made, address=driver.allocate(made.nbytes, what))

        self.image = tensor("the network's input", (3, height, width), network.element)
        self.logits = tensor("the logits", (len(bundle.manifest.classes), *grid), network.output_element)
        self.posterior = tensor("the posterior", (2, *grid), network.output_element)
        network.bind(self.image.address, self.logits.address, self.posterior.address)

    def _release(self, driver: Driver) -> None:
        network, self._network = self._network, None
        if network is not None:
            driver.settle()
            network.close()
        self.stream = None  # pycuda destroys it in this thread, or not at all

    def _run(self, image: FloatArray) -> NetworkOutput:
        try:
            return self.thread.run(lambda driver: self._run_here(driver, image))
        except DeviceError as error:
            raise BackendError(f"{self._info.name} backend: the run failed: {error}") from error

    def _run_here(self, driver: Driver, image: FloatArray) -> NetworkOutput:
        network = self.network
        driver.write(self.image.address, image.astype(self.image.dtype))
        network.enqueue(self.stream.handle)
        driver.synchronize(self.stream)
        logits, posterior = (
            driver.read(tensor.address, tensor.shape, tensor.dtype).astype(np.float32)
            for tensor in (self.logits, self.posterior)
        )
        return NetworkOutput(logits, posterior)
