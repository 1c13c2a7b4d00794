"""TensorRT as a Backend: find or build the engine, open it in a thread of its own, pass the golden test."""

from hybrid_seg_ros.backends.base import BackendError, BackendInfo
from hybrid_seg_ros.backends.device import DeviceBackend
from hybrid_seg_ros.backends.options import BackendOptions
from hybrid_seg_ros.backends.tensorrt.api import Library
from hybrid_seg_ros.backends.tensorrt.prepare import PreparedEngine, engine_options, prepare_engine
from hybrid_seg_ros.bundle import Bundle
from hybrid_seg_ros.cuda.errors import DeviceError
from hybrid_seg_ros.cuda.thread import DeviceThread


def open_tensorrt(
    bundle: Bundle,
    input_size: tuple[int, int] | None = None,
    options: BackendOptions | None = None,
    reason: str = "asked for",
    *,
    library: Library = "tensorrt",
) -> DeviceBackend:
    """The bundle's network in TensorRT on this machine's GPU; building its engine takes minutes, once.

    Args:
        bundle: the model.
        input_size: (width, height) of the network input; None = the manifest's.
        options: precision, where engines are kept, who is told of the build's progress.
        reason: why this backend was chosen.
        library: TensorRT, or TensorRT-RTX where it is absent.

    Raises:
        BackendError: no GPU, no TensorRT or pycuda, the build failed, or the engine fails the golden test.
    """
    options = options or BackendOptions()
    chosen = engine_options(
        bundle, precision=options.precision, input_size=input_size, workspace_mb=options.workspace_mb
    )
    try:
        thread = DeviceThread()  # before minutes of building, to find out that pycuda is missing
    except DeviceError as error:
        raise BackendError(f"{library}: {error}") from error
    try:
        prepared = prepare_engine(
            bundle,
            chosen,
            cache_dir=options.engine_cache,
            library=library,
            on_progress=lambda progress: options.on_progress(f"building the engine: {progress}"),
            cancel=options.cancel,
        )
    except BaseException:
        thread.close()
        raise
    return open_prepared(bundle, prepared, thread, reason)


def open_prepared(
    bundle: Bundle, prepared: PreparedEngine, thread: DeviceThread | None = None, reason: str = "asked for"
) -> DeviceBackend:
    """An engine that was found or built, in a thread of its own and through the golden test.

    Args:
        bundle: the model.
        prepared: its engine.
        thread: taken over; None = a new one.
        reason: why this backend was chosen.

    Raises:
        BackendError: no pycuda, no memory, or the engine fails the golden test.
    """
    try:
        owner = thread or DeviceThread()
    except DeviceError as error:
        raise BackendError(f"{prepared.trt.library}: {error}") from error
    precision = prepared.identity.options.precision
    return DeviceBackend(bundle, owner, lambda driver, stream: prepared.open(), _info(prepared, reason), precision)


def _info(prepared: PreparedEngine, reason: str) -> BackendInfo:
    gpu, options = prepared.identity.gpu, prepared.identity.options
    return BackendInfo(
        name=prepared.trt.library,
        device=f"cuda:0 ({gpu.name})",
        precision=options.precision,
        reason=reason,
        details={
            "version": prepared.trt.version,
            "compute capability": gpu.compute_capability,
            "engine": str(prepared.path) if prepared.path else "in memory only",
            "engine built": "; ".join(prepared.reasons) or "no, found in the cache",
        },
    )
