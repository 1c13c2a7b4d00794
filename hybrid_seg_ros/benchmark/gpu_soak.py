"""Ten thousand frames and a hundred times open and closed again on a GPU: is its memory the same, to the byte?"""

from contextlib import closing
from typing import Any

from tqdm import tqdm

from hybrid_seg_ros.backends import BackendError
from hybrid_seg_ros.backends.device import DeviceBackend
from hybrid_seg_ros.benchmark.gpu_device import require_gpu
from hybrid_seg_ros.benchmark.gpu_frame import picture
from hybrid_seg_ros.benchmark.gpu_library import Library, with_network
from hybrid_seg_ros.benchmark.scenario import Context, Measured, NotMeasuredError, Scenario
from hybrid_seg_ros.cuda.driver import Driver
from hybrid_seg_ros.detector import Outputs
from hybrid_seg_ros.detector.device_path import DevicePath
from hybrid_seg_ros.detector.plans import PlanCache
from hybrid_seg_ros.frames import Frame

_FRAMES, _SETTLED, _EVERY = 10_000, 500, 500
_CYCLES, _FIRST_CYCLES = 100, 5
_SIZES = ((640, 480), (480, 360), (960, 540))


def measure(context: Context) -> Measured:
    """With the best library that is there; see `measure_soak`."""
    require_gpu()
    try:
        values = with_network("gpu_soak", measure_soak, context)
    except BackendError as error:
        raise NotMeasuredError(str(error)) from error
    frames, cycles = values["frames"], values["cycles"]
    return Measured(
        f"{frames['growth_bytes']:+d} bytes from frame {frames['settled_after']} to {frames['count']}, "
        f"{cycles['growth_bytes']:+d} bytes from cycle {cycles['settled_after']} to {cycles['count']}, network by "
        f"{values['network_library']}",
        frames["growth_bytes"] == 0 and cycles["growth_bytes"] == 0 and frames["highest_growth_bytes"] == 0,
        values,
    )


def measure_soak(library: Library, context: Context) -> dict[str, Any]:
    """Everything of `gpu_soak`, by one library, at the bundle's own network size."""
    manifest = context.bundle.manifest
    anchor = Driver()  # what the context itself takes stays taken between two cycles
    try:
        with closing(DevicePath(manifest, backend := library.open(context.bundle, None), borrow=True)) as path:
            frames = _frames(path, backend, context)
        free = []
        cycles = context.count(_CYCLES, _FIRST_CYCLES + 3)
        for _ in tqdm(range(cycles), desc="opened and closed", disable=not context.progress):
            with closing(DevicePath(manifest, library.open(context.bundle, None), borrow=True)) as path:
                _run(path, path_size(context), range(6))
            free.append(anchor.free_bytes())
    finally:
        anchor.close()
    settled = free[_FIRST_CYCLES - 1]
    return {
        "frames": frames,
        "cycles": {
            "count": cycles,
            "settled_after": _FIRST_CYCLES,
            "free_bytes": {"settled": settled, "end": free[-1], "least": min(free[_FIRST_CYCLES:])},
            "growth_bytes": settled - free[-1],
        },
    }


def path_size(context: Context) -> tuple[int, int]:
    """(width, height) of the network input."""
    return context.bundle.manifest.input.width, context.bundle.manifest.input.height


def _run(path: DevicePath, network: tuple[int, int], numbers: range) -> None:
    """Frames of several cameras, two of them under way."""
    plans = PlanCache(network, "letterbox", "source", 4)
    images = [picture(size) for size in _SIZES]
    jobs: list[Any] = []
    for number in numbers:
        if len(jobs) == path.depth:
            jobs.pop(0).result()
        image = images[number % len(images)]
        plan = plans((image.shape[1], image.shape[0]))
        jobs.append(path.begin(Frame(image, stamp_ns=number), plan, Outputs.ALL, 0.0))
    for job in jobs:
        job.result()


def _frames(path: DevicePath, backend: DeviceBackend, context: Context) -> dict[str, Any]:
    count = context.count(_FRAMES, 2 * _SETTLED)
    free: list[int] = []
    for first in tqdm(range(0, count, _EVERY), desc="500 frames each", disable=not context.progress):
        _run(path, path_size(context), range(first, min(count, first + _EVERY)))
        free.append(backend.thread.run(lambda driver: driver.free_bytes()))
    own = backend.thread.run(lambda driver: {"device": driver.device_bytes, "page_locked": driver.pinned_bytes})
    settled = free[_SETTLED // _EVERY - 1]
    return {
        "count": count,
        "settled_after": _SETTLED,
        "free_bytes": {"settled": settled, "end": free[-1]},
        "growth_bytes": settled - free[-1],
        "highest_growth_bytes": max(settled - least for least in free[_SETTLED // _EVERY - 1 :]),
        "own_bytes": own,
    }


SCENARIO = Scenario(
    "gpu_soak",
    "on a GPU: 10,000 frames of three cameras, then 100 times opened and closed",
    "device memory the same to the byte",
    measure,
)
