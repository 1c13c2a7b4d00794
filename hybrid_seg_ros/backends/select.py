"""Which backend runs, and why."""

import dataclasses
import importlib.util
import logging

from hybrid_seg_ros.backends.base import Backend, BackendError
from hybrid_seg_ros.backends.cuda_probe import cuda_devices
from hybrid_seg_ros.backends.fake import FakeBackend
from hybrid_seg_ros.backends.onnxruntime import OnnxRuntimeBackend
from hybrid_seg_ros.backends.options import BackendKind, BackendOptions
from hybrid_seg_ros.bundle import Bundle

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
    none of the better ones is in `describe().reason` and in the log. Any other kind is that one or an error.

    Args:
        kind: "auto", "onnxruntime", "tensorrt" or "fake" (which does not run the network at all).
        bundle: the model.
        input_size: (width, height) of the network input; None = the manifest's.
        options: threads, provider, misbehaviour of the fake.

    Raises:
        BackendError: what was asked for does not work here; says what would.
    """
    options = options or BackendOptions()
    if kind == "auto":
        return _best(bundle, input_size, options)
    if kind == "onnxruntime":
        return OnnxRuntimeBackend(bundle, input_size, options)
    if kind == "fake":
        return FakeBackend(bundle.manifest, input_size, options.fake)
    if kind == "tensorrt":
        raise BackendError(
            f"tensorrt backend: {tensorrt_problem()}. To fix: choose backend onnxruntime,"
            " or auto for the best that works"
        )
    raise BackendError(f"backend {kind!r}: expected one of {', '.join(_KINDS)}")


def tensorrt_problem() -> str:
    """Why the TensorRT backend cannot run here."""
    devices, problem = cuda_devices()
    if not devices:
        return problem
    if importlib.util.find_spec("tensorrt") is None:
        return f"{devices} CUDA device(s), but the tensorrt Python package is not installed"
    return "a GPU and TensorRT are here, but this version of hybrid_seg_ros has no TensorRT backend"


def _best(bundle: Bundle, input_size: tuple[int, int] | None, options: BackendOptions) -> Backend:
    reasons = [f"no TensorRT: {tensorrt_problem()}"]
    if options.provider is None:
        devices, problem = cuda_devices()
        if devices:
            try:
                wanted = dataclasses.replace(options, provider="cuda")
                return _said(OnnxRuntimeBackend(bundle, input_size, wanted, "; ".join(reasons)))
            except BackendError as error:
                reasons.append(f"no CUDA: {error}")
        else:
            reasons.append(f"no CUDA: {problem}")
    return _said(OnnxRuntimeBackend(bundle, input_size, options, "; ".join(reasons)))


def _said(backend: Backend) -> Backend:
    info = backend.describe()
    _log.info("backend auto: %s on %s (%s)", info.name, info.device, info.reason)
    return backend
