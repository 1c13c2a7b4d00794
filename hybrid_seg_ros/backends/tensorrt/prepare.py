"""From a bundle to an engine that can run: the steps of the other modules in their order."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hybrid_seg_ros.backends.sizes import resolve_input_size
from hybrid_seg_ros.backends.tensorrt.api import Library, TensorRT, load_tensorrt
from hybrid_seg_ros.backends.tensorrt.build import build_plan
from hybrid_seg_ros.backends.tensorrt.cache import cache_folder, find_or_build
from hybrid_seg_ros.backends.tensorrt.engine import TensorRTNetwork, deserialize
from hybrid_seg_ros.backends.tensorrt.gpu import describe_gpu
from hybrid_seg_ros.backends.tensorrt.identity import EngineIdentity
from hybrid_seg_ros.backends.tensorrt.layers import LayerRow, layer_rows
from hybrid_seg_ros.backends.tensorrt.lock import log_wait
from hybrid_seg_ros.backends.tensorrt.logger import make_logger
from hybrid_seg_ros.backends.tensorrt.options import (
    DEFAULT_WORKSPACE_MB,
    EngineOptions,
    Precision,
    default_precision,
)
from hybrid_seg_ros.backends.tensorrt.progress import ProgressReporter, Report, log_progress
from hybrid_seg_ros.backends.tensorrt.source import network_source
from hybrid_seg_ros.bundle import Bundle


@dataclass(frozen=True, slots=True)
class PreparedEngine:
    """A plan that fits this machine, ready to be opened in the thread that owns the CUDA context.

    Attributes:
        trt: the library it was built with.
        plan: its bytes, hash checked.
        identity: what it is.
        path: where it is kept; None = in memory only.
        reasons: why it was built anew; empty = it came from the cache.
        seconds: how long finding or building took, s.
    """

    trt: TensorRT
    plan: bytes
    identity: EngineIdentity
    path: Path | None
    reasons: tuple[str, ...]
    seconds: float

    def open(self) -> TensorRTNetwork:
        """Load it onto the GPU; see `TensorRTNetwork`."""
        return TensorRTNetwork(self.trt, self.plan, self.identity, make_logger(self.trt))

    def layers(self) -> list[LayerRow]:
        """What TensorRT made of the network; loads the engine for a moment."""
        log = make_logger(self.trt)
        runtime, engine = deserialize(self.trt, self.plan, log)
        rows = layer_rows(self.trt, engine)
        del engine, runtime  # in this order
        return rows


def engine_options(
    bundle: Bundle,
    *,
    precision: Precision | None = None,
    input_size: tuple[int, int] | None = None,
    workspace_mb: int = DEFAULT_WORKSPACE_MB,
    half_io: bool = True,
) -> EngineOptions:
    """Options with the bundle's defaults filled in.

    Raises:
        BackendError: a size that the network does not take.
        ValueError: a workspace below 1 MB.
    """
    size = resolve_input_size(bundle.manifest.input, input_size)
    return EngineOptions(precision or default_precision(bundle), size, workspace_mb, half_io)


def prepare_engine(
    bundle: Bundle,
    options: EngineOptions,
    *,
    cache_dir: Path | None = None,
    force: bool = False,
    library: Library = "tensorrt",
    on_progress: Report = log_progress,
    on_wait: Callable[[str, float], None] = log_wait,
    cancel: threading.Event | None = None,
) -> PreparedEngine:
    """Find the bundle's engine for this machine, or build and keep it.

    Args:
        bundle: the model.
        options: how it is to be built.
        cache_dir: where engines are kept; None = see `cache_folder`.
        force: build even if the cache has it.
        library: TensorRT, or TensorRT-RTX where TensorRT itself is absent.
        on_progress: called every few seconds while building, from another thread.
        on_wait: called every few seconds while another process builds it.
        cancel: ends waiting and building.

    Raises:
        BackendError: no GPU, no TensorRT, no such precision in the bundle, or the build failed or was cancelled.
    """
    start = time.monotonic()
    trt = load_tensorrt(library)
    source = network_source(bundle, options)
    wanted = EngineIdentity(
        onnx_sha256=source.onnx_sha256,
        library=trt.library,
        version=trt.version,
        gpu=describe_gpu(),
        options=options,
        tensors=source.tensors,
    )

    def build(timing_cache: bytes) -> tuple[bytes, bytes]:
        log = make_logger(trt)
        with ProgressReporter(on_progress, cancel=cancel) as reporter:
            built = build_plan(
                trt,
                source.onnx,
                source.tensors,
                workspace_mb=options.workspace_mb,
                reporter=reporter,
                log=log,
                timing_cache=timing_cache,
            )
        return built.plan, built.timing_cache

    folder = cache_folder(bundle.path, cache_dir)
    also = [bundle.path] if cache_dir is None else []
    cached = find_or_build(wanted, build, folder, also=also, force=force, on_wait=on_wait, cancel=cancel)
    seconds = time.monotonic() - start
    return PreparedEngine(trt, cached.plan, cached.identity, cached.path, cached.reasons, seconds)
