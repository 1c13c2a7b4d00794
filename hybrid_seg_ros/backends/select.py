"""Which backend runs, and why."""

import dataclasses
import logging
from collections.abc import Callable

from hybrid_seg_ros.backends.base import Backend, BackendError
from hybrid_seg_ros.backends.fake import FakeBackend
from hybrid_seg_ros.backends.onnxruntime import OnnxRuntimeBackend
from hybrid_seg_ros.backends.onnxruntime_device import open_onnxruntime_device
from hybrid_seg_ros.backends.options import BackendKind, BackendOptions
from hybrid_seg_ros.backends.tensorrt.backend import open_tensorrt
from hybrid_seg_ros.bundle import Bundle
from hybrid_seg_ros.cuda.probe import cuda_devices

_log = logging.getLogger(__name__)
_KINDS = ("auto", "onnxruntime", "tensorrt", "fake")


def create(
    kind: BackendKind | str,
    bundle: Bundle,
    input_size: tuple[int, int] | None = None,
    options: BackendOptions | None = None,
) -> Backend:
    """Load the bundle's network into a backend that has passed the golden test.

    "auto" takes the best that works: TensorRT, then ONNX Runtime on CUDA, then ONNX Runtime on the CPU; why it is
    none of the better ones is in `describe().degraded` and in the log. Any other kind is that one or an error.

    Args:
        kind: "auto", "onnxruntime", "tensorrt" or "fake" (which does not run the network at all).
        bundle: the model.
        input_size: (width, height) of the network input; None = the manifest's.
        options: precision, threads, provider, engine cache, misbehaviour of the fake.

    Raises:
        BackendError: what was asked for does not work here; says what would.
    """
    options = options or BackendOptions()
    if kind == "auto":
        return _best(bundle, input_size, options)
    if kind == "onnxruntime":
        return open_onnxruntime(bundle, input_size, options)
    if kind == "fake":
        return FakeBackend(bundle.manifest, input_size, options.fake)
    if kind == "tensorrt":
        return open_tensorrt(bundle, input_size, options)
    raise BackendError(f"backend {kind!r}: expected one of {', '.join(_KINDS)}")


def open_onnxruntime(
    bundle: Bundle, input_size: tuple[int, int] | None, options: BackendOptions, degraded: str = ""
) -> Backend:
    """ONNX Runtime on the provider of the options; on a GPU with the project's own kernels around the network.

    Raises:
        BackendError: the provider is not there, or the golden test fails.
    """
    if options.provider in (None, "cpu"):
        return OnnxRuntimeBackend(bundle, input_size, options, degraded)
    return open_onnxruntime_device(bundle, input_size, options, degraded)


def on_cpu(bundle: Bundle, input_size: tuple[int, int] | None, options: BackendOptions, degraded: str) -> Backend:
    """ONNX Runtime on the CPU, whatever the options say of GPUs: what is left when they fail.

    Raises:
        BackendError: it does not work either.
    """
    precision = options.precision if options.precision == "int8" else None
    return OnnxRuntimeBackend(
        bundle, input_size, dataclasses.replace(options, provider="cpu", precision=precision), degraded
    )


def _best(bundle: Bundle, input_size: tuple[int, int] | None, options: BackendOptions) -> Backend:
    reasons: list[str] = []
    if options.provider == "cpu":
        return _said(OnnxRuntimeBackend(bundle, input_size, options))
    devices, problem = cuda_devices()
    if not devices:
        reasons.append(f"no GPU: {problem}")
    elif options.provider is None:
        candidates: tuple[tuple[str, Callable[[str], Backend]], ...] = (
            ("TensorRT", lambda _: open_tensorrt(bundle, input_size, options)),
            (
                "CUDA",
                lambda why: open_onnxruntime_device(
                    bundle, input_size, dataclasses.replace(options, provider="cuda"), why
                ),
            ),
        )
        for name, make in candidates:
            try:
                return _said(make("; ".join(reasons)))
            except BackendError as error:
                reasons.append(f"no {name}: {error}")
    else:
        return _said(open_onnxruntime(bundle, input_size, options))
    return _said(on_cpu(bundle, input_size, options, "; ".join(reasons)))


def _said(backend: Backend) -> Backend:
    info = backend.describe()
    log = _log.warning if info.degraded else _log.info
    log("backend auto: %s on %s%s", info.name, info.device, f"; {info.degraded}" if info.degraded else "")
    return backend
