"""The network run by ONNX Runtime, on exactly the provider that was asked for."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hybrid_seg_ros.backends import golden
from hybrid_seg_ros.backends.base import BackendError, BackendInfo, FloatArray, NetworkOutput
from hybrid_seg_ros.backends.cores import usable_cores
from hybrid_seg_ros.backends.golden import Precision
from hybrid_seg_ros.backends.options import BackendOptions, ProviderKind
from hybrid_seg_ros.backends.parity import check_at
from hybrid_seg_ros.backends.sizes import check_tensor, resolve_input_size
from hybrid_seg_ros.bundle import INT8_MODEL, UINT8_MODEL, Bundle, Manifest

PROVIDERS: dict[ProviderKind, str] = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
}
# TF32 keeps 10 bits of mantissa: fast, but outside the golden test's tolerance.
_PROVIDER_OPTIONS: dict[ProviderKind, dict[str, str]] = {"cpu": {}, "cuda": {"use_tf32": "0"}, "tensorrt": {}}
MODEL_FILES: dict[Precision, str] = {"fp32": "model.onnx", "fp16": "model.fp16.onnx", "int8": INT8_MODEL}
_WARM_UP_RUNS = 3


class OnnxRuntimeBackend:
    """One ONNX Runtime session at one input size; outputs go to two buffers made once."""

    def __init__(
        self,
        bundle: Bundle,
        input_size: tuple[int, int] | None = None,
        options: BackendOptions | None = None,
        degraded: str = "",
    ) -> None:
        """Load the bundle's network and pass the golden test; `degraded` is what better way there might have been.

        Raises:
            BackendError: onnxruntime is missing, the provider is not the one asked for, the model does not
                fit the manifest, or the golden test fails.
        """
        options = options or BackendOptions()
        self._provider: ProviderKind = options.provider or "cpu"
        self._threads = usable_cores() if options.threads is None else options.threads
        self._degraded = degraded
        self._manifest = bundle.manifest
        self._size = resolve_input_size(bundle.manifest.input, input_size)
        self._precision: Precision = options.precision or "fp32"
        self._session: Any = _open_session(bundle, self._precision, self._provider, self._threads)
        _check_signature(self._session, bundle)
        self._golden = self._check_golden(bundle)
        self._binding: Any = self._session.io_binding()
        self._logits, self._posterior = self._bind_outputs()

    @property
    def input_size(self) -> tuple[int, int]:
        return self._size

    def warm_up(self) -> None:
        """A few runs on zeros: the arena and the execution plan settle after the second."""
        width, height = self._size
        zeros = np.zeros((1, 3, height, width), np.float32)
        for _ in range(_WARM_UP_RUNS):
            self.infer(zeros)

    def infer(self, image: FloatArray) -> NetworkOutput:
        """Run the network.

        Raises:
            BackendError: closed, a tensor of another shape, or ONNX Runtime failed.
        """
        if self._session is None:
            raise BackendError("onnxruntime backend: infer after close")
        check_tensor(image, self._size)
        try:
            self._binding.bind_cpu_input(self._manifest.input.name, image)
            self._session.run_with_iobinding(self._binding)
        except Exception as error:  # onnxruntime raises classes of its own that derive from Exception alone
            raise BackendError(f"onnxruntime backend: the run failed: {error}") from error
        return NetworkOutput(self._logits, self._posterior)

    def close(self) -> None:
        self._binding = None
        self._session = None

    def describe(self) -> BackendInfo:
        import onnxruntime

        details = {
            "version": onnxruntime.__version__,
            "provider": PROVIDERS[self._provider],
            **self._golden,
        }
        if self._provider == "cpu":
            details["threads"] = str(self._threads)
        return BackendInfo(
            name="onnxruntime",
            device="cpu" if self._provider == "cpu" else "cuda:0",
            precision=self._precision,
            reason="the best that works" if self._degraded else "asked for",
            degraded=self._degraded,
            details=details,
        )

    def _check_golden(self, bundle: Bundle) -> dict[str, str]:
        if self._precision == "fp32":
            return {"golden_difference": f"{golden.check(self._run_any_size, bundle):.2e}"}
        image = bundle.golden().image
        return check_at(self._run_any_size, bundle, (image.shape[1], image.shape[0]), self._precision)

    def _run_any_size(self, image: FloatArray) -> NetworkOutput:
        names = self._manifest.outputs
        try:
            logits, posterior = self._session.run([names.logits, names.posterior], {self._manifest.input.name: image})
        except Exception as error:
            raise BackendError(f"onnxruntime backend: the golden run failed: {error}") from error
        return NetworkOutput(logits[0], posterior[0])

    def _bind_outputs(self) -> tuple[FloatArray, FloatArray]:
        """Let the session write both outputs into arrays of ours: no allocation per frame."""
        width, height = self._size
        outputs = self._manifest.outputs
        grid = (height // outputs.stride, width // outputs.stride)
        buffers = []
        for name, channels in ((outputs.logits, len(self._manifest.classes)), (outputs.posterior, 2)):
            buffer = np.empty((1, channels, *grid), np.float32)
            self._binding.bind_output(name, "cpu", 0, np.float32, buffer.shape, buffer.ctypes.data)
            buffers.append(buffer)
        return buffers[0][0], buffers[1][0]


def session_options(threads: int) -> Any:  # noqa: ANN401  # onnxruntime has no types
    """The onnxruntime.SessionOptions of every session of this package.

    Threads spin while a run goes on, and not between runs. Measured turn by turn on two cores, spinning saves 3 to 5 %
    of a run at 480 x 352 and nothing at 1024 x 512; until the next frame it would only take cores from the rest of
    the robot.

    Args:
        threads: threads of one run.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.add_session_config_entry("session.intra_op.allow_spinning", "1")
    options.add_session_config_entry("session.force_spinning_stop", "1")
    options.log_severity_level = 3
    return options


def model_file(bundle: Bundle, precision: Precision, provider: ProviderKind) -> Path:
    """The ONNX file of that precision for a provider: CPUs are fast with another 8 bit form than GPUs.

    Raises:
        BackendError: the bundle has none.
    """
    name = UINT8_MODEL if (precision, provider) == ("int8", "cpu") else MODEL_FILES[precision]
    if name not in bundle.manifest.files:
        found = ", ".join(sorted(file for file in bundle.manifest.files if file.endswith(".onnx")))
        fix = "hybrid-seg-train quantize" if precision == "int8" else "export the bundle again"
        raise BackendError(
            f"{bundle.path}: expected {name} for precision {precision}, found {found}. To fix: {fix}, or set precision"
            " to auto"
        )
    return bundle.file(name)


def _open_session(bundle: Bundle, precision: Precision, provider: ProviderKind, threads: int) -> Any:  # noqa: ANN401
    try:
        import onnxruntime
    except ImportError as error:
        raise BackendError(f"onnxruntime backend: {error}. To fix: pip install onnxruntime") from error
    wanted = PROVIDERS[provider]
    available: Sequence[str] = onnxruntime.get_available_providers()
    if wanted not in available:
        raise BackendError(missing_provider(wanted, available))
    model = model_file(bundle, precision, provider)
    try:
        session = onnxruntime.InferenceSession(
            str(model), sess_options=session_options(threads), providers=[(wanted, _PROVIDER_OPTIONS[provider])]
        )
    except Exception as error:
        raise BackendError(f"{model}: expected a model ONNX Runtime can load, found: {error}") from error
    # A provider whose libraries do not load is dropped by ONNX Runtime without an error.
    if session.get_providers()[0] != wanted:
        raise BackendError(missing_provider(wanted, session.get_providers()))
    return session


def missing_provider(wanted: str, found: Sequence[str]) -> str:
    """What to say where an execution provider is not there."""
    return (
        f"onnxruntime backend: expected {wanted}, found {', '.join(found)}. To fix: pip uninstall onnxruntime &&"
        " pip install onnxruntime-gpu (with the CUDA, cuDNN and TensorRT libraries it names), or choose provider cpu"
    )


def _check_signature(session: Any, bundle: Bundle) -> None:  # noqa: ANN401
    """Names and types of the graph's inputs and outputs against the manifest."""
    manifest: Manifest = bundle.manifest
    wanted = {manifest.input.name: (1, 3)}
    outputs = {manifest.outputs.logits: (1, len(manifest.classes)), manifest.outputs.posterior: (1, 2)}
    for kind, expected, nodes in (("input", wanted, session.get_inputs()), ("output", outputs, session.get_outputs())):
        found = {node.name: (node.type, node.shape) for node in nodes}
        missing = sorted(expected.keys() - found.keys())
        spare = sorted(found.keys() - expected.keys()) if kind == "input" else []
        wrong = [
            f"{name} is {found[name][0]} {found[name][1]}, not float [1, {channels}, H, W]"
            for name, (_, channels) in expected.items()
            if name in found and not _fits(found[name], channels)
        ]
        if missing or spare or wrong:
            raise BackendError(
                f"{bundle.file('model.onnx')}: expected the {kind}s {sorted(expected)} of manifest.yaml, found"
                f" {sorted(found)}{'; ' if wrong else ''}{'; '.join(wrong)}. To fix: export the bundle again"
            )


def _fits(found: tuple[str, Sequence[Any]], channels: int) -> bool:
    kind, shape = found
    if kind != "tensor(float)" or len(shape) != 4:
        return False
    # A dynamic dimension is a name or None.
    return all(not isinstance(side, int) or side == want for side, want in zip(shape, (1, channels), strict=False))
