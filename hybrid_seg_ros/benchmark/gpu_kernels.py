"""The two kernels around the network alone, each against the least that its bytes and exponentials can take."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from hybrid_seg_ros.backends import BackendError
from hybrid_seg_ros.benchmark import gpu_no_network
from hybrid_seg_ros.benchmark.city_bundle import city_bundle
from hybrid_seg_ros.benchmark.gpu_device import about, measured_speed, require_gpu, spread
from hybrid_seg_ros.benchmark.gpu_floors import Floor, Work, post_floor, pre_floor
from hybrid_seg_ros.benchmark.gpu_timing import batch_time_us, kernel_times_us, plug
from hybrid_seg_ros.benchmark.scenario import Context, Measured, NotMeasuredError, Scenario
from hybrid_seg_ros.cuda import statistics
from hybrid_seg_ros.cuda.compile import compile_kernel
from hybrid_seg_ros.cuda.driver import Driver, Stream
from hybrid_seg_ros.cuda.errors import DeviceError
from hybrid_seg_ros.cuda.launch import Launch, Normalisation, postprocess_launch, preprocess_launch
from hybrid_seg_ros.cuda.sources import Kernel, postprocess_kernel, preprocess_kernel
from hybrid_seg_ros.cuda.thread import DeviceThread
from hybrid_seg_ros.cuda.user_cache import user_cache
from hybrid_seg_ros.detector import Outputs
from hybrid_seg_ros.detector.device_tables import DeviceTables
from hybrid_seg_ros.detector.plans import Plan
from hybrid_seg_ros.frames.geometry import Placement

WORK = Work()
OUTPUTS = {
    "label + mask": Outputs.LABELS | Outputs.MASK,
    "label + score + mask": Outputs.LABELS | Outputs.SCORE | Outputs.MASK,
    "all": Outputs.ALL,
    "label": Outputs.LABELS,
}
MAIN = "label + mask"
_RUNS, _BATCHES = 400, 20
# Together several times the largest cache of a GPU, so that every run finds its inputs in memory, not in the cache.
_SETS = 12


def measure(context: Context) -> Measured:
    """Kernels by CUDA events, then whole frames without the network against the copies of their bytes."""
    require_gpu()
    try:
        thread = DeviceThread()
        try:
            values = thread.run(lambda driver: _kernels(driver, context))
        finally:
            thread.close()
        city = replace(context, bundle=city_bundle(context.bundle, context.work_dir))
        values["without_network"] = gpu_no_network.measure(city, WORK)
    except (DeviceError, BackendError) as error:
        raise NotMeasuredError(f"the GPU failed: {error}") from error
    pre, post = values["pre"], values["post"][MAIN]
    both, floor = pre["us"]["p50"] + post["us"]["p50"], pre["floor_us"] + post["floor_us"]
    share = floor / both
    over = values["without_network"]["page_locked"]["over_copies"]
    return Measured(
        f"pre {pre['us']['p50']:.1f} + post {post['us']['p50']:.1f} = {both:.1f} us, {100 * share:.0f} % of the floor; "
        f"image to label + mask without the network {over:.2f}x the copies",
        both <= 30 and share >= 0.6 and over <= 1.2,
        values,
    )


def _kernels(driver: Driver, context: Context) -> dict[str, Any]:
    stream = driver.stream()
    speed = measured_speed(driver, stream)
    tables = DeviceTables.upload(driver, Plan.make(Placement.fit(WORK.source, WORK.network, "stretch"), "source", 4))
    runs, batches = context.count(_RUNS, 20), context.count(_BATCHES)
    with plug(driver, speed.bandwidth) as stopper:

        def timed(launch: Callable[[int], None], floor: Floor, moved: int) -> dict[str, Any]:
            alone = spread(kernel_times_us(driver, stream, stopper, launch, runs))
            return {
                "us": alone,
                "back_to_back_us": spread(batch_time_us(driver, stream, stopper, launch, batches)),
                "bytes": moved,
                "byte_floor_us": round(floor.byte_us, 2),
                "exp_floor_us": round(floor.exp_us, 2),
                "floor_us": round(floor.us, 2),
                "bound": floor.bound,
                "share_of_floor": round(floor.us / alone["p50"], 3),
            }

        pre = timed(_pre_launches(driver, stream, tables), pre_floor(WORK, speed), WORK.pre_bytes)
        post = {
            name: timed(
                _post_launches(driver, stream, tables, outputs),
                post_floor(WORK, speed, outputs),
                WORK.post_bytes(outputs),
            )
            for name, outputs in OUTPUTS.items()
        }
        events = spread(kernel_times_us(driver, stream, stopper, None, runs))
    return {
        "gpu": about(driver, speed),
        "size": list(WORK.source),
        "classes": WORK.classes,
        "element": "half",
        "buffers": f"{_SETS} sets in turn, so that inputs come from memory and not from the cache",
        "events_alone_us": events,
        "pre": pre,
        "post": post,
    }


def _launcher(driver: Driver, stream: Stream, kernel: Kernel, launches: list[Launch]) -> Callable[[int], None]:
    loaded = driver.load(compile_kernel(kernel, driver.facts.architecture, cache=user_cache("kernels")))
    return lambda number: loaded.launch(launches[number % len(launches)], stream)


def _pre_launches(driver: Driver, stream: Stream, tables: DeviceTables) -> Callable[[int], None]:
    image = np.random.default_rng(0).integers(0, 256, WORK.image_bytes, np.uint8)
    launches = [
        preprocess_launch(
            encoding="bgr8",
            image=driver.upload(image, "an image"),
            pitch=3 * WORK.source[0],
            columns=tables.columns,
            rows=tables.rows,
            tensor=driver.allocate(WORK.pre_bytes - WORK.image_bytes, "a tensor"),
            placement=Placement.fit(WORK.source, WORK.network, "stretch"),
            normalisation=Normalisation(rgb=True, scale=(0.017, 0.017, 0.017), offset=(-2.1, -2.0, -1.8)),
            statistics=driver.allocate(4 * int(np.prod(statistics.SHAPE)), "statistics"),
        )
        for _ in range(_SETS)
    ]
    kernel = preprocess_kernel(
        encoding="bgr8", element="half", column_taps=tables.column_taps, row_taps=tables.row_taps
    )
    return _launcher(driver, stream, kernel, launches)


def _post_launches(driver: Driver, stream: Stream, tables: DeviceTables, outputs: Outputs) -> Callable[[int], None]:
    grid = WORK.network[0] // WORK.stride, WORK.network[1] // WORK.stride
    rng = np.random.default_rng(0)
    logits, posterior = (
        rng.normal(0, 3, (channels, grid[1], grid[0])).astype(np.float16) for channels in (WORK.classes, 2)
    )

    def room(output: Outputs, size: int) -> int:
        return driver.allocate(WORK.pixels * size, "a map") if output in outputs else 0

    launches = [
        postprocess_launch(
            logits=driver.upload(logits, "logits"),
            posterior=driver.upload(posterior, "a posterior"),
            grid_size=grid,
            rows=tables.row_axis,
            columns=tables.column_axis,
            runs=tables.runs,
            threshold=0.0,
            labels=room(Outputs.LABELS, 1),
            score=room(Outputs.SCORE, 4),
            mask=room(Outputs.MASK, 1),
            confidence=room(Outputs.CONFIDENCE, 1),
            statistics=driver.upload(statistics.empty(), "statistics"),
        )
        for _ in range(_SETS)
    ]
    kernel = postprocess_kernel(classes=WORK.classes, kind="hybrid", element="half", grid_size=grid)
    return _launcher(driver, stream, kernel, launches)


SCENARIO = Scenario(
    "gpu_kernels",
    "on a GPU: the kernels before and behind the network, 1024x2048 in and out, 19 classes",
    "pre + post <= 30 us and >= 60 % of the byte or exp floor; image to label + mask without the network <= 1.2x the "
    "copies of these bytes",
    measure,
)
