"""The whole frame on a GPU against PyTorch FP16: the same weights and formula, the same frames, turn by turn."""

from contextlib import closing, suppress
from typing import Any

import numpy as np
from tqdm import tqdm

from hybrid_seg_ros.backends import BackendError
from hybrid_seg_ros.benchmark.city_bundle import city_bundle
from hybrid_seg_ros.benchmark.eager_process import EagerProcess
from hybrid_seg_ros.benchmark.gpu_device import require_gpu, spread
from hybrid_seg_ros.benchmark.gpu_frame import HYBRID, SIZE, KernelByKernel, frame_ms, picture, plan_of
from hybrid_seg_ros.benchmark.gpu_library import Library, with_network
from hybrid_seg_ros.benchmark.scenario import Context, Measured, NotMeasuredError, Scenario
from hybrid_seg_ros.bundle import Bundle
from hybrid_seg_ros.cuda import graph
from hybrid_seg_ros.detector.device_path import DevicePath
from hybrid_seg_ros.frames import Frame

MODULE = "hybrid_seg_train.bench_eager_gpu"
_RUNS, _WARM_UP = 200, 10
# How PyTorch runs it -> how long it may take to get ready, s; compilers take minutes.
_MODES = {"eager": 120.0, "compile": 240.0, "compile max-autotune": 240.0}


def measure(context: Context) -> Measured:
    """With the best library that is there; see `measure_eager`."""
    require_gpu()
    try:
        values = with_network("gpu_eager", measure_eager, context)
    except BackendError as error:
        raise NotMeasuredError(str(error)) from error
    ratios = {mode: side["ratio"] for mode, side in values["torch"].items() if "ratio" in side}
    compiled = min((ratio for mode, ratio in ratios.items() if mode != "eager"), default=None)
    against = "not measured" if compiled is None else f"{compiled:.1f}x faster"
    return Measured(
        f"{ratios['eager']:.1f}x faster than eager, against torch.compile {against}; network by "
        f"{values['network_library']}, {values['ours_ms']:.2f} ms",
        ratios["eager"] >= 5 and compiled is not None and compiled >= 2,
        values,
    )


def measure_eager(library: Library, context: Context) -> dict[str, Any]:
    """Everything of `gpu_eager`, by one library.

    Raises:
        NotMeasuredError: not even PyTorch eager runs.
    """
    bundle = city_bundle(context.bundle, context.work_dir)
    image = picture(SIZE)
    saved = context.work_dir / "image.npy"
    np.save(saved, image)
    with closing(_path(library, bundle)) as path:
        labels = path.begin(Frame(image), plan_of(SIZE), HYBRID, 0.0).result()[0].labels
        sides: dict[str, Any] = {}
        for mode, limit_s in _MODES.items():
            try:
                sides[mode] = _turns(path, bundle, context, mode, limit_s)
            except NotMeasuredError as error:
                if mode == "eager":
                    raise
                sides[mode] = {"not measured": str(error)}
        theirs = np.load(context.work_dir / "labels.npy")
    return {
        "size": list(SIZE),
        "classes": len(bundle.manifest.classes),
        "outputs": "label, score, mask, in host memory",
        "formula": "network FP16 channels_last, upsampling FP16; log-sum-exp and log-softmax FP32, as autocast does",
        "ours_ms": sides["eager"]["ours_ms"]["p50"],
        "labels_agree": round(float((theirs == labels).mean()), 6),
        "torch": sides,
    }


def _path(library: Library, bundle: Bundle) -> DevicePath:
    """With a CUDA graph where the library's work can be recorded."""
    plan, image = plan_of(SIZE), picture(SIZE)
    if graph.available():
        path = DevicePath(bundle.manifest, library.open(bundle, SIZE), borrow=True)
        with suppress(BackendError):
            for _ in range(3 * path.depth):
                frame_ms(path, image, plan)
            return path
        path.close()
    return KernelByKernel(bundle.manifest, library.open(bundle, SIZE), borrow=True)


def _turns(path: DevicePath, bundle: Bundle, context: Context, mode: str, limit_s: float) -> dict[str, Any]:
    saved, plan = context.work_dir / "image.npy", plan_of(SIZE)
    image = np.load(saved)
    ours: list[float] = []
    theirs: list[float] = []
    with EagerProcess(MODULE, "--bundle", str(bundle.path), "--mode", mode, timeout_s=limit_s) as torch:
        labels = str(context.work_dir / "labels.npy") if mode == "eager" else None
        ready = torch.turn(image=str(saved), save=labels, timeout_s=limit_s)["total_ms"]
        for _ in tqdm(range(context.count(_RUNS, 20) + _WARM_UP), desc=f"PyTorch {mode}", disable=not context.progress):
            theirs.append(torch.turn(image=str(saved), save=None, timeout_s=limit_s)["total_ms"])
            ours.append(frame_ms(path, image, plan))
    ours, theirs = ours[_WARM_UP:], theirs[_WARM_UP:]
    return {
        "about": torch.about,
        "first_frame_ms": round(ready, 1),
        "torch_ms": spread(theirs, 3),
        "ours_ms": spread(ours, 3),
        "ratio": round(float(np.median(theirs) / np.median(ours)), 3),
    }


SCENARIO = Scenario(
    "gpu_eager",
    "on a GPU: the whole frame against PyTorch FP16 channels_last with the formula as written, 1024x2048, 19 classes",
    ">= 5x lower latency than eager, >= 2x than torch.compile",
    measure,
)
