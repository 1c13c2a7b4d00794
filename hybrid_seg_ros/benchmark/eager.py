"""The detector against plain PyTorch: same weights, the formula as written, the same frames, turn by turn."""

import time

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from hybrid_seg_ros.backends import NetworkOutput, usable_cores
from hybrid_seg_ros.benchmark.eager_process import EagerProcess
from hybrid_seg_ros.benchmark.recordings import pictures
from hybrid_seg_ros.benchmark.scenario import Context, Measured, Scenario
from hybrid_seg_ros.detector import Outputs, open_detector
from hybrid_seg_ros.detector.bands import Bands
from hybrid_seg_ros.detector.fused import FusedPostProcessor
from hybrid_seg_ros.detector.maps import Formula
from hybrid_seg_ros.detector.plans import PlanCache
from hybrid_seg_ros.frames import Frame

_SIZE = (2048, 1024)
_CLASSES = 19
_STRIDE = 4
EAGER_MODULE = "hybrid_seg_train.bench_eager"


def measure(context: Context) -> Measured:
    """End to end on 1024x2048 images, all outputs; and post-processing alone on random logits of 19 classes."""
    threads = usable_cores()
    rounds = context.count(12)
    images = pictures(_SIZE, 2)
    paths = []
    for index, image in enumerate(images):
        paths.append(str(context.work_dir / f"{index}.npy"))
        np.save(paths[-1], image)
    with (
        EagerProcess(EAGER_MODULE, "--bundle", str(context.bundle.path), "--threads", str(threads)) as eager,
        open_detector(context.bundle, "onnxruntime", input_size=_SIZE, threads=threads) as detector,
    ):
        eager.turn(do="end_to_end", image=paths[0], save=None)
        detector(Frame(images[0]))
        ours: list[float] = []
        theirs: list[dict[str, float]] = []
        for index in tqdm(range(rounds), desc="end to end", disable=not context.progress):
            which = index % len(images)
            theirs.append(eager.turn(do="end_to_end", image=paths[which], save=None))
            start = time.perf_counter()
            detector(Frame(images[which]))
            ours.append((time.perf_counter() - start) * 1e3)
        agreement = _agreement(context, eager, paths[0], detector(Frame(images[0])).labels)
        post_ours, post_theirs = _post_processing(context, eager, threads, rounds)
        about = eager.about
    whole, plain = float(np.median(ours)), float(np.median([t["total_ms"] for t in theirs]))
    ratio, post_ratio = plain / whole, post_theirs / post_ours
    return Measured(
        f"{ratio:.1f}x faster end to end ({plain:.0f} -> {whole:.0f} ms), post-processing of 19 classes "
        f"{post_ratio:.1f}x ({post_theirs:.0f} -> {post_ours:.0f} ms)",
        ratio >= 6,
        {
            "size": list(_SIZE),
            "threads": threads,
            "rounds": rounds,
            "eager": about,
            "detector_ms": round(whole, 2),
            "eager_ms": {k: round(float(np.median([t[k] for t in theirs])), 2) for k in theirs[0]},
            "ratio": round(ratio, 3),
            "labels_agree": agreement,
            "post_19_detector_ms": round(post_ours, 2),
            "post_19_eager_ms": round(post_theirs, 2),
            "post_19_ratio": round(post_ratio, 3),
        },
    )


def _agreement(context: Context, eager: EagerProcess, image: str, labels: npt.NDArray[np.uint8] | None) -> float:
    """Share of pixels with the same label: both sides must have done the same work."""
    saved = context.work_dir / "labels.npy"
    eager.turn(do="end_to_end", image=image, save=str(saved))
    return round(float((np.load(saved) == labels).mean()), 6)


def _post_processing(context: Context, eager: EagerProcess, threads: int, rounds: int) -> tuple[float, float]:
    """Median ms of ours and theirs for logits float32[19, 256, 512] -> all outputs at 1024 x 2048."""
    height, width = _SIZE[1] // _STRIDE, _SIZE[0] // _STRIDE
    rng = np.random.default_rng(0)
    raw = NetworkOutput(
        rng.normal(0, 3, (_CLASSES, height, width)).astype(np.float32),
        rng.normal(0, 3, (2, height, width)).astype(np.float32),
    )
    plan = PlanCache(_SIZE, "stretch", "source", _STRIDE)(_SIZE)
    bands = Bands(threads)
    post = FusedPostProcessor(Formula(), bands)
    ours, theirs = [], []
    try:
        post(raw, plan.rows, plan.columns, Outputs.ALL, 0.0)
        for _ in tqdm(range(rounds), desc="post-processing", disable=not context.progress):
            theirs.append(
                eager.turn(do="post", classes=_CLASSES, height=height, width=width, stride=_STRIDE)["post_ms"]
            )
            start = time.perf_counter()
            post(raw, plan.rows, plan.columns, Outputs.ALL, 0.0)
            ours.append((time.perf_counter() - start) * 1e3)
    finally:
        bands.close()
    return float(np.median(ours)), float(np.median(theirs))


SCENARIO = Scenario(
    "eager",
    "the same weights in plain PyTorch eager with the formula as written, against the detector, 1024x2048",
    ">= 6x faster end to end",
    measure,
)
