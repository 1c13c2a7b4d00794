"""A plan on the GPU: loaded, checked, and enqueued on a stream of the caller's."""

from typing import Any, Literal

from hybrid_seg_ros.backends.base import BackendError
from hybrid_seg_ros.backends.tensorrt.api import TensorRT
from hybrid_seg_ros.backends.tensorrt.identity import Element, EngineIdentity, TensorSpec
from hybrid_seg_ros.backends.tensorrt.logger import TensorRTLog

_REBUILD = "To fix: hybrid-seg build-engine BUNDLE --force"


def deserialize(trt: TensorRT, plan: bytes, log: TensorRTLog) -> tuple[Any, Any]:
    """(runtime, engine) of a plan; only of one whose hash was checked: it executes code.

    Raises:
        BackendError: TensorRT does not take it.
    """
    runtime = trt.module.Runtime(log)
    engine = runtime.deserialize_cuda_engine(plan)
    if engine is None:
        raise BackendError(
            f"{trt.title}: expected a plan of {len(plan)} bytes that it can load, found that it cannot; its last"
            f" words: {log.last()}. {_REBUILD}"
        )
    return runtime, engine


class TensorRTNetwork:
    """A `DeviceNetwork`: three device tensors bound once, then enqueued.

    Made, used and closed in the one thread that owns the CUDA context. Scratch memory is TensorRT's own, allocated
    when it is made. The first `enqueue` initialises kernels: run it once before a CUDA graph is captured.
    """

    def __init__(self, trt: TensorRT, plan: bytes, identity: EngineIdentity, log: TensorRTLog) -> None:
        """Load `plan`, whose hash was checked against `identity`.

        Raises:
            BackendError: TensorRT does not load it, its inputs and outputs are not the identity's, or there is no
                memory for it.
        """
        self._log = log
        self._title = trt.title
        self._identity = identity
        self._runtime: Any
        self._engine: Any
        self._context: Any = None
        self._bound = False
        self._runtime, self._engine = deserialize(trt, plan, log)
        try:
            self._context = self._engine.create_execution_context()
            if self._context is None:
                raise BackendError(
                    f"{trt.title}: expected device memory for the engine, found too little; its last words:"
                    f" {log.last()}. To fix: close other programs on the GPU, or take a smaller input size"
                )
            self._fix_input_shapes()
            self._check_tensors(trt)
        except BaseException:
            self.close()
            raise

    @property
    def input_size(self) -> tuple[int, int]:
        """(width, height) of the network input, px."""
        return self._identity.options.input_size

    @property
    def element(self) -> Element:
        """Element type of the input tensor."""
        return self._tensor("input").element

    @property
    def output_element(self) -> Element:
        """Element type of both output tensors."""
        return self._tensor("output").element

    @property
    def identity(self) -> EngineIdentity:
        """What this engine is."""
        return self._identity

    def bind(self, image: int, logits: int, posterior: int) -> None:
        """Fix the device addresses of the tensors, in C order, of the element types and shapes that `identity` says.

        Raises:
            BackendError: closed, or an address that TensorRT does not take.
        """
        self._refuse_closed("bind")
        for tensor, address in zip(self._identity.tensors, (image, logits, posterior), strict=True):
            if not address or not self._context.set_tensor_address(tensor.name, address):
                raise BackendError(
                    f"{self._title}: expected a device address for {tensor}, found {address:#x}: {self._log.last()}"
                )
        self._bound = True

    def enqueue(self, stream: int) -> None:
        """Run once on the CUDA stream with this handle; returns at once.

        Raises:
            BackendError: closed, not bound, or TensorRT failed.
        """
        self._refuse_closed("enqueue")
        if not self._bound:
            raise BackendError(f"{self._title}: enqueue before bind")
        if not self._context.execute_async_v3(stream):
            raise BackendError(f"{self._title}: the run failed: {self._log.last()}")

    def close(self) -> None:
        """Release context, engine and runtime, in that order: each needs the next; may be called twice."""
        self._context = None
        self._engine = None
        self._runtime = None

    def _tensor(self, kind: Literal["input", "output"]) -> TensorSpec:
        return next(tensor for tensor in self._identity.tensors if tensor.kind == kind)

    def _refuse_closed(self, verb: str) -> None:
        if self._context is None:
            raise BackendError(f"{self._title}: {verb} after close")

    def _fix_input_shapes(self) -> None:
        for tensor in self._identity.tensors:
            if tensor.kind == "input" and tensor.name in self._names():
                # A profile of one size leaves the shape dynamic all the same.
                dynamic = -1 in tuple(self._engine.get_tensor_shape(tensor.name))
                if dynamic and not self._context.set_input_shape(tensor.name, tensor.shape):
                    raise BackendError(f"{self._title}: expected to take {tensor}: {self._log.last()}. {_REBUILD}")

    def _names(self) -> list[str]:
        return [self._engine.get_tensor_name(index) for index in range(self._engine.num_io_tensors)]

    def _check_tensors(self, trt: TensorRT) -> None:
        kinds = {trt.module.TensorIOMode.INPUT: "input", trt.module.TensorIOMode.OUTPUT: "output"}
        elements = {trt.module.DataType.HALF: "half", trt.module.DataType.FLOAT: "float"}
        found = set()
        for name in self._names():
            kind = kinds.get(self._engine.get_tensor_mode(name), "neither")
            dtype = self._engine.get_tensor_dtype(name)
            shape = list(self._context.get_tensor_shape(name))
            found.add(f"{kind} {name} {elements.get(dtype, str(dtype))}{shape}")
        wanted = {str(tensor) for tensor in self._identity.tensors}
        if found != wanted:
            raise BackendError(
                f"{self._title}: expected an engine with {'; '.join(sorted(wanted))}, found"
                f" {'; '.join(sorted(found))}. {_REBUILD}"
            )
