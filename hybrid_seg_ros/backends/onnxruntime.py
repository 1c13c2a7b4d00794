"""The network run by ONNX Runtime, on exactly the provider that was asked for."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from hybrid_seg_ros.backends import golden
from hybrid_seg_ros.backends.base import BackendError, BackendInfo, FloatArray, NetworkOutput
from hybrid_seg_ros.backends.cores import usable_cores
from hybrid_seg_ros.backends.options import BackendOptions, ProviderKind
from hybrid_seg_ros.backends.sizes import check_tensor, resolve_input_size
from hybrid_seg_ros.bundle import Bundle, Manifest

_PROVIDERS: dict[ProviderKind, str] = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
}
# TF32 keeps 10 bits of mantissa: fast, but outside the golden test's tolerance.
_PROVIDER_OPTIONS: dict[ProviderKind, dict[str, str]] = {"cpu": {}, "cuda": {"use_tf32": "0"}, "tensorrt": {}}
_WARM_UP_RUNS = 3


class OnnxRuntimeBackend:
    """One ONNX Runtime session at one input size; outputs go to two buffers made once."""

    def __init__(
        self,
        bundle: Bundle,
        input_size: tuple[int, int] | None = None,
        options: BackendOptions | None = None,
        reason: str = "asked for",
    ) -> None:
        """Load the bundle's model.onnx and pass the golden test; `reason` is why this backend was chosen.

        Raises:
            BackendError: onnxruntime is missing, the provider is not the one asked for, the model does not
                fit the manifest, or the golden test fails.
        """
        options = options or BackendOptions()
        self._provider: ProviderKind = options.provider or "cpu"
        self._threads = usable_cores() if options.threads is None else options.threads
        self._reason = reason
        self._manifest = bundle.manifest
        self._size = resolve_input_size(bundle.manifest.input, input_size)
        self._session: Any = _open_session(bundle, self._provider, self._threads)
        _check_signature(self._session, bundle)
        self._golden_difference = golden.check(self._run_any_size, bundle)
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
            "provider": _PROVIDERS[self._provider],
            "golden_difference": f"{self._golden_difference:.2e}",
        }
        if self._provider == "cpu":
            details["threads"] = str(self._threads)
        return BackendInfo(
            name="onnxruntime",
            device="cpu" if self._provider == "cpu" else "cuda:0",
            precision="fp32",
            reason=self._reason,
            details=details,
        )

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


def _open_session(bundle: Bundle, provider: ProviderKind, threads: int) -> Any:  # noqa: ANN401
    try:
        import onnxruntime
    except ImportError as error:
        raise BackendError(f"onnxruntime backend: {error}. To fix: pip install onnxruntime") from error
    wanted = _PROVIDERS[provider]
    available: Sequence[str] = onnxruntime.get_available_providers()
    if wanted not in available:
        raise BackendError(_missing_provider(wanted, available))
    model = bundle.file("model.onnx")
    try:
        session = onnxruntime.InferenceSession(
            str(model), sess_options=session_options(threads), providers=[(wanted, _PROVIDER_OPTIONS[provider])]
        )
    except Exception as error:
        raise BackendError(f"{model}: expected a model ONNX Runtime can load, found: {error}") from error
    # A provider whose libraries do not load is dropped by ONNX Runtime without an error.
    if session.get_providers()[0] != wanted:
        raise BackendError(_missing_provider(wanted, session.get_providers()))
    return session


def _missing_provider(wanted: str, found: Sequence[str]) -> str:
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
