"""The whole frame on a GPU: latency, throughput, several cameras, and what open-set costs."""

import threading
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from hybrid_seg_ros.backends import BackendError
from hybrid_seg_ros.backends.device import DeviceBackend
from hybrid_seg_ros.benchmark.city_bundle import city_bundle
from hybrid_seg_ros.benchmark.gpu_device import about, measured_speed, require_gpu, spread
from hybrid_seg_ros.benchmark.gpu_library import Library, with_network
from hybrid_seg_ros.benchmark.scenario import Context, Measured, NotMeasuredError, Scenario
from hybrid_seg_ros.bundle import Manifest
from hybrid_seg_ros.cuda import graph
from hybrid_seg_ros.cuda.driver import Driver
from hybrid_seg_ros.cuda.launch import Launch
from hybrid_seg_ros.cuda.sources import Kernel
from hybrid_seg_ros.detector import Outputs
from hybrid_seg_ros.detector.device_path import DeviceJob, DevicePath
from hybrid_seg_ros.detector.plans import Plan, PlanCache
from hybrid_seg_ros.frames import Frame
from hybrid_seg_ros.ros.worker import LatestOnlyWorker

SIZE = (2048, 1024)
HYBRID = Outputs.LABELS | Outputs.SCORE | Outputs.MASK
_RUNS, _WARM_UP = 300, 10
_CAMERAS = {"front": (2048, 1024), "left": (1920, 1080), "right": (1920, 1080), "rear": (1280, 720)}
_CAMERA_S = 10.0


class KernelByKernel(DevicePath):
    """A device path that never records a CUDA graph, to be compared with one that does."""

    def _start(self, key: tuple[Kernel, Launch, Launch], work: Callable[[], None]) -> None:
        work()


def measure(context: Context) -> Measured:
    """With the best library that is there; see `measure_frames`."""
    require_gpu()
    try:
        values = with_network("gpu_frame", measure_frames, context)
    except BackendError as error:
        raise NotMeasuredError(str(error)) from error
    best = values["graph"] if "latency_ms" in values["graph"] else values["kernel_by_kernel"]
    cost, counts = values["hybrid_over_closed"]["cost"], values["cameras"]["frames"].values()
    fair = min(counts) >= 0.9 * max(counts)
    return Measured(
        f"{best['latency_ms']['p50']:.2f} ms (p99 {best['latency_ms']['p99']:.2f}), "
        f"{best['per_second']['2']:.0f} frames/s with two under way, network by {values['network_library']}; "
        f"hybrid over closed set {100 * cost:+.2f} %; "
        f"{len(counts)} cameras: {min(counts)} to {max(counts)} frames each",
        cost <= 0.01 and fair,
        values,
    )


def measure_frames(library: Library, context: Context) -> dict[str, Any]:
    """Everything of `gpu_frame`, by one library."""
    bundle = city_bundle(context.bundle, context.work_dir)
    manifest = bundle.manifest
    found: dict[str, Any] = {"size": list(SIZE), "classes": len(manifest.classes), "outputs": "label, score, mask"}
    with closing(KernelByKernel(manifest, backend := library.open(bundle, SIZE), borrow=True)) as path:
        found["gpu"] = backend.thread.run(_about)
        found["backend"] = {"precision": backend.describe().precision, **backend.describe().details}
        found["kernel_by_kernel"] = _one_camera(path, context)
        found["cameras"] = _cameras(path, context)
    found["graph"] = _with_graph(library, bundle.manifest, lambda: library.open(bundle, SIZE), context)
    path_class = DevicePath if "latency_ms" in found["graph"] else KernelByKernel
    closed_manifest = manifest.model_copy(update={"score": manifest.score.model_copy(update={"kind": "energy"})})
    with (
        closing(path_class(manifest, library.open(bundle, SIZE), borrow=True)) as hybrid,
        closing(path_class(closed_manifest, library.open_closed(bundle, SIZE), borrow=True)) as closed,
    ):
        found["hybrid_over_closed"] = _cost(hybrid, closed, context)
    return found


def _about(driver: Driver) -> dict[str, Any]:
    return about(driver, measured_speed(driver, driver.stream()))


def picture(size: tuple[int, int], seed: int = 0) -> npt.NDArray[np.uint8]:
    """uint8[H, W, 3] of coloured blocks; no stage's time depends on what is in a picture."""
    rng, (width, height) = np.random.default_rng(seed), size
    blocks = rng.integers(0, 256, (-(-height // 16), -(-width // 16), 3), np.uint8)
    return np.ascontiguousarray(blocks.repeat(16, axis=0).repeat(16, axis=1)[:height, :width])


def plan_of(source: tuple[int, int]) -> Plan:
    """From a camera's size to the network's and back."""
    return PlanCache(SIZE, "stretch", "source", 4)(source)


def frame_ms(path: DevicePath, image: npt.NDArray[np.uint8], plan: Plan, outputs: Outputs = HYBRID) -> float:
    """Wall clock of one frame, begun when nothing else is under way."""
    start = time.perf_counter()
    path.begin(Frame(image), plan, outputs, 0.0).result()
    return 1e3 * (time.perf_counter() - start)


def _one_camera(path: DevicePath, context: Context) -> dict[str, Any]:
    images, plan = [picture(SIZE, seed) for seed in range(2)], plan_of(SIZE)
    runs = context.count(_RUNS, 20)
    path.warm_up()
    times = [
        frame_ms(path, images[i % 2], plan)
        for i in tqdm(range(runs + _WARM_UP), desc="one camera", disable=not context.progress)
    ][_WARM_UP:]
    stages = [path.begin(Frame(images[i % 2]), plan, HYBRID, 0.0).result()[1] for i in range(runs)]
    return {
        "latency_ms": spread(times, 3),
        "device_ms": {
            "copy in": spread([t.preprocess_ms for t in stages], 3),
            "kernels and network": spread([t.network_ms for t in stages], 3),
            "copy out": spread([t.postprocess_ms for t in stages], 3),
        },
        "per_second": {str(depth): round(_per_second(path, images, plan, depth, runs), 1) for depth in (1, 2)},
    }


def _per_second(
    path: DevicePath, images: list[npt.NDArray[np.uint8]], plan: Plan, under_way: int, frames: int
) -> float:
    jobs: list[DeviceJob] = []
    start = time.perf_counter()
    for index in range(frames):
        if len(jobs) == under_way:
            jobs.pop(0).result()
        jobs.append(path.begin(Frame(images[index % 2]), plan, HYBRID, 0.0))
    for job in jobs:
        job.result()
    return frames / (time.perf_counter() - start)


def _with_graph(
    library: Library, manifest: Manifest, open_backend: Callable[[], DeviceBackend], context: Context
) -> dict[str, Any]:
    if not graph.available():
        return {"not measured": "no cuda-python; fix: pip install cuda-python"}
    try:
        with closing(DevicePath(manifest, open_backend(), borrow=True)) as path:
            return _one_camera(path, context)
    except BackendError as error:  # a library whose work cannot be recorded
        return {"not measured": f"{library.name}: {error}"}


def _cameras(path: DevicePath, context: Context) -> dict[str, Any]:
    """Cameras faster than the GPU through the node's own worker: who gets how many frames."""
    images = {name: picture(size) for name, size in _CAMERAS.items()}
    plans = {name: plan_of(size) for name, size in _CAMERAS.items()}
    counts, errors = dict.fromkeys(_CAMERAS, 0), []
    for name, image in images.items():
        frame_ms(path, image, plans[name])  # kernels of this size are compiled now

    def process(name: str, image: npt.NDArray[np.uint8], _: int) -> Callable[[], None]:
        job = path.begin(Frame(image), plans[name], HYBRID, 0.0)

        def finish() -> None:
            job.result()
            counts[name] += 1

        return finish

    worker = LatestOnlyWorker(list(_CAMERAS), process, lambda _, error: errors.append(error))
    worker.start()
    worker.resume()
    seconds, over = max(1.0, _CAMERA_S * context.effort), threading.Event()
    threading.Timer(seconds, over.set).start()
    while not over.wait(0.0005):
        for name, image in images.items():
            worker.offer(name, image)
    worker.stop()
    if errors:
        raise errors[0]
    return {
        "sizes": {name: list(size) for name, size in _CAMERAS.items()},
        "seconds": seconds,
        "frames": counts,
        "per_second": round(sum(counts.values()) / seconds, 1),
    }


def _cost(hybrid: DevicePath, closed: DevicePath, context: Context) -> dict[str, Any]:
    """The same outputs with and without the posterior head and its term, turn by turn."""
    image, plan, runs = picture(SIZE), plan_of(SIZE), context.count(_RUNS, 20)
    sides = {"hybrid": hybrid, "closed": closed}
    wall: dict[str, list[float]] = {name: [] for name in sides}
    device: dict[str, list[float]] = {name: [] for name in sides}
    for index in tqdm(range(runs + _WARM_UP), desc="hybrid, closed set", disable=not context.progress):
        # Who goes first changes every round, so that whatever follows a run costs both sides the same.
        for name in sorted(sides, reverse=bool(index % 2)):
            start = time.perf_counter()
            timings = sides[name].begin(Frame(image), plan, HYBRID, 0.0).result()[1]
            wall[name].append(1e3 * (time.perf_counter() - start))
            device[name].append(timings.network_ms)
    medians = {name: float(np.median(times[_WARM_UP:])) for name, times in wall.items()}
    on_device = {name: float(np.median(times[_WARM_UP:])) for name, times in device.items()}
    return {
        "frame_ms": {name: spread(times[_WARM_UP:], 3) for name, times in wall.items()},
        "kernels_and_network_ms": {name: spread(times[_WARM_UP:], 3) for name, times in device.items()},
        "cost": round(medians["hybrid"] / medians["closed"] - 1, 5),
        "device_cost": round(on_device["hybrid"] / on_device["closed"] - 1, 5),
    }


SCENARIO = Scenario(
    "gpu_frame",
    "on a GPU: the whole frame, host image to host label, score and mask, 1024x2048, 19 classes",
    "hybrid over closed set <= 1 %; no camera of four gets less than 90 % of another's frames",
    measure,
)
