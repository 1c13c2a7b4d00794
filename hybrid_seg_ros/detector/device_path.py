"""The path of a frame over the GPU: one kernel before the network, one behind it, copies of other frames beside them.

    host image ─copy─► device ─pre-kernel─► network ─post-kernel─► maps ─copy of what is wanted─► host

Two frames may be under way. Their copies in, their kernels and their copies out run on three streams, so that while
one is computed, the next is on its way in and the last one on its way out. Kernels and network of a frame are one
CUDA graph where cuda-python is installed; the copies are not part of it, because a network runs for one frame at a
time and the copies of another must pass it.
"""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.backends.base import BackendError, BackendInfo
from hybrid_seg_ros.backends.device import DeviceBackend
from hybrid_seg_ros.bundle import Manifest
from hybrid_seg_ros.cuda import graph as graphs
from hybrid_seg_ros.cuda import statistics
from hybrid_seg_ros.cuda.compile import compile_kernel
from hybrid_seg_ros.cuda.driver import Driver, Event, Kernels
from hybrid_seg_ros.cuda.errors import DeviceError
from hybrid_seg_ros.cuda.launch import Launch, Normalisation, postprocess_launch, preprocess_launch
from hybrid_seg_ros.cuda.memory import Buffer
from hybrid_seg_ros.cuda.sources import Kernel, device_color, postprocess_kernel, preprocess_kernel
from hybrid_seg_ros.cuda.user_cache import user_cache
from hybrid_seg_ros.detector.confidence import lookup_table
from hybrid_seg_ros.detector.device_tables import TableCache
from hybrid_seg_ros.detector.maps import Formula, Maps
from hybrid_seg_ros.detector.plans import Plan
from hybrid_seg_ros.detector.ranges import ConstantOutputError, InvalidOutputError, constant_output
from hybrid_seg_ros.detector.types import Outputs, Timings
from hybrid_seg_ros.frames import Frame
from hybrid_seg_ros.frames.encodings import ENCODINGS
from hybrid_seg_ros.frames.raw import RawImage

T = TypeVar("T")

_log = logging.getLogger(__name__)
_COMPILED_AFTER_S = 0.3  # loading a kernel that was compiled before is faster
_SLOTS = 2
_GRAPHS = 16
_DTYPES: dict[Outputs, type[np.generic]] = {
    Outputs.LABELS: np.uint8,
    Outputs.SCORE: np.float32,
    Outputs.MASK: np.uint8,
    Outputs.CONFIDENCE: np.uint8,
}
_ENCODINGS = frozenset(name for name in ENCODINGS if device_color(name) is not None)


@dataclass(frozen=True, slots=True)
class _Source:
    """How an image's bytes are read."""

    encoding: str
    pitch: int


@dataclass
class _Slot:
    """Everything one frame under way has to itself."""

    image: Buffer
    maps: dict[Outputs, Buffer]
    statistics: Buffer
    begun: Event
    arrived: Event
    computed: Event
    returned: Event
    frame: int = 0
    abandoned: bool = False


class DeviceJob:
    """See `path.Job`."""

    def __init__(self, path: "DevicePath", slot: _Slot, outputs: Outputs, shape: tuple[int, int]) -> None:
        self._path, self._slot, self._outputs, self._shape = path, slot, outputs, shape
        self._frame = slot.frame

    def result(self) -> tuple[Maps, Timings]:
        """See `path.Job`."""
        return self._path.finish(self._slot, self._frame, self._outputs, self._shape)


class DevicePath:
    """See `path.FramePath`.

    Args:
        manifest: decides pre- and post-processing.
        backend: runs the network; closed with the path.
        borrow: give the page-locked arrays that the GPU writes instead of copies of them: they are overwritten when
            the second frame after theirs is begun, and gone when the path is closed.

    Raises:
        BackendError: the kernels cannot be compiled or loaded, or there is no memory.
    """

    depth = _SLOTS

    def __init__(self, manifest: Manifest, backend: DeviceBackend, *, borrow: bool = False) -> None:
        self._backend, self._borrow = backend, borrow
        self._normalisation = Normalisation.of(manifest.input)
        self._formula = Formula.of(manifest)
        self._kernels: dict[Kernel, Kernels] = {}
        self._graphs: OrderedDict[tuple[Kernel, Launch, Launch], graphs.Graph | None] = OrderedDict()
        self._frames = 0
        self._slots: list[_Slot] = []
        self._run(self._open)

    @property
    def raw_encodings(self) -> Collection[str]:
        """See `path.FramePath`."""
        return _ENCODINGS

    def begin(self, frame: Frame, plan: Plan, outputs: Outputs, threshold: float) -> DeviceJob:
        """See `path.FramePath`.

        Raises:
            BackendError: the device failed.
        """
        return self._run(lambda driver: self._begin(driver, frame, plan, outputs, threshold))

    def finish(self, slot: _Slot, frame: int, outputs: Outputs, shape: tuple[int, int]) -> tuple[Maps, Timings]:
        """The maps of the frame that was begun as number `frame`; see `path.Job`.

        Raises:
            BackendError: the device failed.
            InvalidOutputError: the network's outputs are not finite, or the same everywhere.
            RuntimeError: asked too late, its buffers hold another frame by now.
        """
        return self._run(lambda driver: self._finish(driver, slot, frame, outputs, shape))

    def warm_up(self) -> None:
        """See `path.FramePath`."""
        self._backend.warm_up()

    def describe(self) -> BackendInfo:
        """See `path.FramePath`."""
        return self._backend.describe()

    def close(self) -> None:
        """See `path.FramePath`."""
        try:
            if self._slots:
                self._run(self._release)
        finally:
            self._backend.close()

    def _run(self, work: Callable[[Driver], T]) -> T:
        try:
            return self._backend.thread.run(work)
        except DeviceError as error:
            raise BackendError(f"{self._backend.describe().name} backend: {error}") from error

    def _open(self, driver: Driver) -> None:
        self._incoming, self._compute, self._outgoing = driver.stream(), self._backend.stream, driver.stream()
        self._tables = TableCache(driver)
        table = lookup_table(self._formula.confidence_table)
        self._confidence_table = 0 if table is None else driver.upload(table, "the confidence table")
        self._slots = [
            _Slot(
                image=Buffer(driver, "an image"),
                maps={output: Buffer(driver, f"the {output.name} map".lower()) for output in _DTYPES},
                statistics=Buffer(driver, "a frame's statistics"),
                begun=driver.event(timing=True),
                arrived=driver.event(timing=True),
                computed=driver.event(timing=True),
                returned=driver.event(timing=True),
            )
            for _ in range(_SLOTS)
        ]
        for slot in self._slots:
            slot.statistics.reserve(4 * int(np.prod(statistics.SHAPE)))

    def _begin(self, driver: Driver, frame: Frame, plan: Plan, outputs: Outputs, threshold: float) -> DeviceJob:
        slot = self._slots[self._frames % _SLOTS]
        self._free(driver, slot)
        self._frames += 1
        slot.frame, slot.abandoned = self._frames, True  # until everything is on its way
        source, pixels = _source(frame)
        shape = (plan.size[1], plan.size[0])
        slot.image.reserve(pixels.nbytes)
        wanted = [output for output in _DTYPES if output in outputs]
        for output in wanted:
            slot.maps[output].reserve(shape[0] * shape[1] * np.dtype(_DTYPES[output]).itemsize)
        if not driver.is_pinned(pixels):
            staged = slot.image.host(pixels.shape, np.uint8)
            np.copyto(staged, pixels)
            pixels = staged
        driver.record(slot.begun, self._incoming)
        driver.copy_to_device(slot.image.address, pixels, self._incoming)
        driver.record(slot.arrived, self._incoming)
        driver.order(self._compute, slot.arrived)
        self._compute_maps(driver, slot, source, plan, wanted, threshold)
        driver.record(slot.computed, self._compute)
        driver.order(self._outgoing, slot.computed)
        for output in wanted:
            slot.maps[output].fetch(shape, _DTYPES[output], self._outgoing)
        slot.statistics.fetch(statistics.SHAPE, np.int32, self._outgoing)
        driver.record(slot.returned, self._outgoing)
        slot.abandoned = False
        return DeviceJob(self, slot, outputs, shape)

    def _free(self, driver: Driver, slot: _Slot) -> None:
        """Wait until nothing uses the slot's memory any more."""
        if slot.abandoned:  # its last frame failed half-way, before its end was recorded
            for stream in (self._incoming, self._compute, self._outgoing):
                driver.synchronize(stream)
            slot.abandoned = False
        elif slot.frame:
            driver.wait(slot.returned)

    def _compute_maps(
        self, driver: Driver, slot: _Slot, source: _Source, plan: Plan, wanted: list[Outputs], threshold: float
    ) -> None:
        tables, network = self._tables(plan), self._backend
        pre_kernel = preprocess_kernel(
            encoding=source.encoding,
            element=network.image.element,
            column_taps=tables.column_taps,
            row_taps=tables.row_taps,
        )
        grid_size = (network.logits.shape[2], network.logits.shape[1])
        post_kernel = postprocess_kernel(
            classes=network.logits.shape[0],
            kind=self._formula.kind,
            element=network.logits.element,
            grid_size=grid_size,
        )
        address = {output: slot.maps[output].address if output in wanted else 0 for output in _DTYPES}
        pre = preprocess_launch(
            encoding=source.encoding,
            image=slot.image.address,
            pitch=source.pitch,
            columns=tables.columns,
            rows=tables.rows,
            tensor=network.image.address,
            placement=plan.placement,
            normalisation=self._normalisation,
            statistics=slot.statistics.address,
        )
        post = postprocess_launch(
            logits=network.logits.address,
            posterior=network.posterior.address,
            grid_size=grid_size,
            rows=tables.row_axis,
            columns=tables.column_axis,
            runs=tables.runs,
            threshold=threshold,
            temperature=self._formula.temperature,
            labels=address[Outputs.LABELS],
            score=address[Outputs.SCORE],
            mask=address[Outputs.MASK],
            confidence=address[Outputs.CONFIDENCE],
            confidence_table=self._confidence_table,
            statistics=slot.statistics.address,
        )
        before, behind = self._loaded(driver, pre_kernel), self._loaded(driver, post_kernel)

        def work() -> None:
            before.launch(pre, self._compute)
            network.network.enqueue(self._compute.handle)
            behind.launch(post, self._compute)

        self._start((pre_kernel, pre, post), work)

    def _start(self, key: tuple[Kernel, Launch, Launch], work: Callable[[], None]) -> None:
        """Kernel by kernel what is new, as a graph what comes again.

        A graph holds every address and number: `key` has them all. The first run must not be recorded: libraries
        allocate in it.
        """
        if key not in self._graphs:
            work()
            if graphs.available():
                self._remember(key, None)
            return
        graph = self._graphs[key]
        self._graphs.move_to_end(key)
        if graph is None:
            graph = graphs.Graph(self._compute, work)
            self._graphs[key] = graph
        graph.launch(self._compute)

    def _remember(self, key: tuple[Kernel, Launch, Launch], graph: graphs.Graph | None) -> None:
        self._graphs[key] = graph
        if len(self._graphs) > _GRAPHS:
            _, oldest = self._graphs.popitem(last=False)
            if oldest is not None:
                oldest.close()

    def _loaded(self, driver: Driver, kernel: Kernel) -> Kernels:
        loaded = self._kernels.get(kernel)
        if loaded is None:
            start = time.monotonic()
            loaded = self._kernels[kernel] = driver.load(
                compile_kernel(kernel, driver.facts.architecture, cache=user_cache("kernels"))
            )
            if time.monotonic() - start > _COMPILED_AFTER_S:
                _log.info("compiled %s for this GPU in %.1f s; kept", kernel.entry, time.monotonic() - start)
        return loaded

    def _finish(
        self, driver: Driver, slot: _Slot, frame: int, outputs: Outputs, shape: tuple[int, int]
    ) -> tuple[Maps, Timings]:
        if slot.frame != frame:
            raise RuntimeError(f"the result of frame {frame} was asked for after frame {slot.frame} took its place")
        driver.wait(slot.returned)
        check_statistics(statistics.read(slot.statistics.host(statistics.SHAPE, np.int32)))
        found: dict[Outputs, npt.NDArray[Any] | None] = dict.fromkeys(_DTYPES)
        for output in _DTYPES:
            if output in outputs:
                array = slot.maps[output].host(shape, _DTYPES[output])
                found[output] = array if self._borrow else array.copy()
        maps = Maps(found[Outputs.LABELS], found[Outputs.SCORE], found[Outputs.MASK], found[Outputs.CONFIDENCE])
        timings = Timings(
            driver.elapsed_ms(slot.begun, slot.arrived),
            driver.elapsed_ms(slot.arrived, slot.computed),
            driver.elapsed_ms(slot.computed, slot.returned),
        )
        return maps, timings

    def _release(self, driver: Driver) -> None:
        driver.settle()
        for graph in self._graphs.values():
            if graph is not None:
                graph.close()
        self._graphs.clear()
        for slot in self._slots:
            for buffer in (slot.image, slot.statistics, *slot.maps.values()):
                buffer.release()
        self._slots.clear()
        # pycuda destroys streams and modules in the thread that made them, or leaves them.
        self._kernels.clear()
        del self._incoming, self._compute, self._outgoing, self._tables


def _source(frame: Frame) -> tuple[_Source, npt.NDArray[np.uint8]]:
    """How the device reads the frame, and its bytes uint8[rows, pitch] or uint8[H, W, 3]."""
    pixels = frame.pixels
    if isinstance(pixels, RawImage) and pixels.format.encoding in _ENCODINGS:
        return _Source(pixels.format.encoding, pixels.step), pixels.data
    image = frame.image
    return _Source("bgr8", 3 * image.shape[1]), image


def check_statistics(found: statistics.Statistics) -> None:
    """Raise InvalidOutputError where a frame's statistics say that the network went wrong."""
    if found.non_finite:
        raise InvalidOutputError(
            f"network output: expected finite values, found NaN or Inf behind {found.non_finite} pixels. To fix: check"
            " the model with `hybrid-seg inspect`; with a reduced-precision engine, use FP32"
        )
    if found.lowest is not None and found.lowest == found.highest:
        raise ConstantOutputError(constant_output(found.lowest))
