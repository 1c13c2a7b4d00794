"""ONNX Runtime's CUDA and TensorRT providers with every tensor in device memory: the way to the GPU without TensorRT.

Needs pycuda for the kernels around the network. Without it the same providers still serve, with tensors in host
memory (`OnnxRuntimeBackend`).
"""

from pathlib import Path
from typing import Any

import numpy as np

from hybrid_seg_ros.backends.base import Backend, BackendError, BackendInfo
from hybrid_seg_ros.backends.device import DeviceBackend, Element
from hybrid_seg_ros.backends.golden import Precision
from hybrid_seg_ros.backends.onnxruntime import (
    MODEL_FILES,
    PROVIDERS,
    OnnxRuntimeBackend,
    missing_provider,
    model_file,
    session_options,
)
from hybrid_seg_ros.backends.options import BackendOptions, ProviderKind
from hybrid_seg_ros.backends.sizes import resolve_input_size
from hybrid_seg_ros.bundle import Bundle, Manifest
from hybrid_seg_ros.cuda.driver import Driver, Stream, load_pycuda
from hybrid_seg_ros.cuda.errors import DeviceError
from hybrid_seg_ros.cuda.thread import DeviceThread

_ELEMENTS: dict[str, Element] = {"tensor(float)": "float", "tensor(float16)": "half"}
_DTYPES = {"float": np.float32, "half": np.float16}


def open_onnxruntime_device(
    bundle: Bundle, input_size: tuple[int, int] | None, options: BackendOptions, degraded: str = ""
) -> Backend:
    """ONNX Runtime on the GPU, with the project's own kernels around it where pycuda is there.

    Args:
        bundle: the model.
        input_size: (width, height) of the network input; None = the manifest's.
        options: provider "cuda" or "tensorrt", precision.
        degraded: what better way was asked for and is not there.

    Raises:
        BackendError: the provider is not there, or the golden test fails.
    """
    try:
        load_pycuda()
    except DeviceError as error:
        # The network gains most; the kernels around it are worth a message, not a refusal.
        why = f"image and maps stay on the CPU: {error}"
        return OnnxRuntimeBackend(bundle, input_size, options, f"{degraded}; {why}" if degraded else why)
    provider = options.provider or "cuda"
    precision = _precision(bundle, options)
    size = resolve_input_size(bundle.manifest.input, input_size)
    thread = DeviceThread()

    def open_network(driver: Driver, stream: Stream) -> OnnxRuntimeNetwork:
        return OnnxRuntimeNetwork(bundle, model_file(bundle, precision, provider), size, provider, stream)

    info = BackendInfo(
        name="onnxruntime",
        device="cuda:0",
        precision=precision,
        reason="asked for" if not degraded else "the best that works",
        degraded=degraded,
        details={"provider": PROVIDERS[provider]},
    )
    return DeviceBackend(bundle, thread, open_network, info, precision)


def _precision(bundle: Bundle, options: BackendOptions) -> Precision:
    if options.precision is None:
        return "fp16" if MODEL_FILES["fp16"] in bundle.manifest.files else "fp32"
    return options.precision


class OnnxRuntimeNetwork:
    """See `device.DeviceNetwork`.

    Args:
        bundle: the model, for its manifest.
        model: the ONNX file.
        size: (width, height) of the network input, px.
        provider: "cuda" or "tensorrt".
        stream: the one that `enqueue` will be given: ONNX Runtime wants to know when the session is made.

    Raises:
        BackendError: the provider is missing, or the file cannot be loaded.
    """

    def __init__(
        self, bundle: Bundle, model: Path, size: tuple[int, int], provider: ProviderKind, stream: Stream
    ) -> None:
        import onnxruntime

        wanted = PROVIDERS[provider]
        if wanted not in onnxruntime.get_available_providers():
            raise BackendError(missing_provider(wanted, onnxruntime.get_available_providers()))
        settings = {"user_compute_stream": str(stream.handle)}
        try:
            self._session: Any = onnxruntime.InferenceSession(
                str(model), sess_options=session_options(1), providers=[(wanted, settings), "CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime raises classes of its own that derive from Exception alone
            raise BackendError(f"{model}: expected a model ONNX Runtime can load, found: {error}") from error
        if self._session.get_providers()[0] != wanted:
            raise BackendError(missing_provider(wanted, self._session.get_providers()))
        self._manifest: Manifest = bundle.manifest
        self._size, self._stream = size, stream.handle
        self._run_options = onnxruntime.RunOptions()
        # Whoever launches kernels behind the network waits for all of them at once.
        self._run_options.add_run_config_entry("disable_synchronize_execution_providers", "1")
        self._binding: Any = self._session.io_binding()
        self._input = _ELEMENTS[self._session.get_inputs()[0].type]
        self._output = _ELEMENTS[self._session.get_outputs()[0].type]

    @property
    def input_size(self) -> tuple[int, int]:
        return self._size

    @property
    def element(self) -> Element:
        return self._input

    @property
    def output_element(self) -> Element:
        return self._output

    def bind(self, image: int, logits: int, posterior: int) -> None:
        """See `device.DeviceNetwork`."""
        (width, height), outputs = self._size, self._manifest.outputs
        grid = height // outputs.stride, width // outputs.stride
        self._binding.bind_input(
            self._manifest.input.name, "cuda", 0, _DTYPES[self._input], (1, 3, height, width), image
        )
        channels = len(self._manifest.classes)
        for name, count, address in ((outputs.logits, channels, logits), (outputs.posterior, 2, posterior)):
            self._binding.bind_output(name, "cuda", 0, _DTYPES[self._output], (1, count, *grid), address)

    def enqueue(self, stream: int) -> None:
        """See `device.DeviceNetwork`; only on the stream the session was made for.

        Raises:
            BackendError: another stream, or ONNX Runtime failed.
        """
        if stream != self._stream:
            raise BackendError("onnxruntime backend: expected the stream that the session was made for, found another")
        try:
            self._session.run_with_iobinding(self._binding, self._run_options)
        except Exception as error:  # as above
            raise BackendError(f"onnxruntime backend: the run failed: {error}") from error

    def close(self) -> None:
        """See `device.DeviceNetwork`."""
        self._binding = None
        self._session = None
