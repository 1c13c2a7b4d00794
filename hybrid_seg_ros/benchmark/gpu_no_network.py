"""Frames through the device path with a network that does nothing: what is around it, against the copies alone."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from hybrid_seg_ros.backends.base import BackendInfo
from hybrid_seg_ros.backends.device import DeviceBackend, Element
from hybrid_seg_ros.benchmark.gpu_device import Wire, spread
from hybrid_seg_ros.benchmark.gpu_floors import Work
from hybrid_seg_ros.benchmark.scenario import Context
from hybrid_seg_ros.bundle import Bundle
from hybrid_seg_ros.cuda.driver import Driver
from hybrid_seg_ros.cuda.thread import DeviceThread
from hybrid_seg_ros.detector import Outputs
from hybrid_seg_ros.detector.device_path import DevicePath
from hybrid_seg_ros.detector.plans import PlanCache
from hybrid_seg_ros.frames import Frame

_RUNS, _WARM_UP = 400, 20
_OUTPUTS = Outputs.LABELS | Outputs.MASK


class NoNetwork:
    """See `backends.device.DeviceNetwork`; leaves its outputs as they are."""

    element: Element = "half"
    output_element: Element = "half"

    def __init__(self, input_size: tuple[int, int]) -> None:
        self.input_size = input_size

    def bind(self, image: int, logits: int, posterior: int) -> None:
        """See `backends.device.DeviceNetwork`."""

    def enqueue(self, stream: int) -> None:
        """See `backends.device.DeviceNetwork`."""

    def close(self) -> None:
        """See `backends.device.DeviceNetwork`."""


class NoNetworkBackend(DeviceBackend):
    """A DeviceBackend that runs nothing, and so passes no golden test; its outputs are random numbers, written once."""

    def __init__(self, bundle: Bundle, size: tuple[int, int]) -> None:
        self.thread = DeviceThread()
        self._info = BackendInfo("no network", "cuda:0", "fp16")
        self._network = None
        try:
            self.thread.run(lambda driver: self._open(driver, bundle, lambda *_: NoNetwork(size)))
            self.thread.run(self._fill)
        except BaseException:
            self.close()
            raise

    def _fill(self, driver: Driver) -> None:
        rng = np.random.default_rng(0)
        for tensor in (self.logits, self.posterior):
            driver.write(tensor.address, rng.normal(0, 3, tensor.shape).astype(tensor.dtype))


def measure(context: Context, work: Work) -> dict[str, Any]:
    """Image to label and mask, turn by turn with the page-locked copies of the same bytes."""
    backend = NoNetworkBackend(context.bundle, work.network)
    path = DevicePath(context.bundle.manifest, backend, borrow=True)
    try:
        thread = backend.thread
        wire = thread.run(lambda driver: Wire(driver, work.image_bytes, work.map_bytes(_OUTPUTS)))
        try:
            shape = (work.source[1], work.source[0], 3)
            locked = thread.run(lambda driver: driver.pin(work.image_bytes)).reshape(shape)
            ordinary = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
            locked[...] = ordinary
            runs = context.count(_RUNS, 20)
            found: dict[str, Any] = {
                name: _turns(path, image, work, lambda: thread.run(wire.time_us), runs, name, context.progress)
                for name, image in (("page_locked", locked), ("ordinary", ordinary))
            }
        finally:
            thread.run(wire.close)
    finally:
        path.close()
    found["bytes"] = {"in": work.image_bytes, "out": work.map_bytes(_OUTPUTS)}
    found["classes"] = len(context.bundle.manifest.classes)
    return found


def _turns(
    path: DevicePath,
    image: npt.NDArray[np.uint8],
    work: Work,
    copy_us: Callable[[], float],
    runs: int,
    name: str,
    progress: bool,
) -> dict[str, Any]:
    plan = PlanCache(work.network, "stretch", "source", work.stride)(work.source)
    frames, copies, device = [], [], []
    for _ in tqdm(range(runs + _WARM_UP), desc=f"no network, {name} image", disable=not progress):
        copies.append(copy_us())
        start = time.perf_counter()
        timings = path.begin(Frame(image), plan, _OUTPUTS, 0.0).result()[1]
        frames.append(1e6 * (time.perf_counter() - start))
        device.append((1e3 * timings.preprocess_ms, 1e3 * timings.network_ms, 1e3 * timings.postprocess_ms))
    frames, copies, device = frames[_WARM_UP:], copies[_WARM_UP:], device[_WARM_UP:]
    stages = np.array(device)
    return {
        "frame_us": spread(frames),
        "copies_us": spread(copies),
        "over_copies": round(float(np.median(frames) / np.median(copies)), 3),
        "device_us": {
            stage: spread(stages[:, index].tolist()) for index, stage in enumerate(("copy in", "kernels", "copy out"))
        },
        "device_over_copies": round(float(np.median(stages.sum(axis=1)) / np.median(copies)), 3),
    }
