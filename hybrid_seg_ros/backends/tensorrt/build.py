"""From the bytes of a typed ONNX file to the bytes of a plan, the same way on TensorRT 10.3 to 11.

Strongly typed: the engine computes in exactly the types that the ONNX file states. The other ways to say a precision
(EXPLICIT_BATCH networks with BuilderFlag.FP16) are gone in 11.
"""

import time
from dataclasses import dataclass
from typing import Any

from hybrid_seg_ros.backends.base import BackendError
from hybrid_seg_ros.backends.tensorrt.api import TensorRT
from hybrid_seg_ros.backends.tensorrt.identity import TensorSpec
from hybrid_seg_ros.backends.tensorrt.logger import TensorRTLog
from hybrid_seg_ros.backends.tensorrt.progress import ProgressReporter, progress_monitor


@dataclass(frozen=True, slots=True)
class BuiltPlan:
    """A fresh plan, the timing cache after it, and how long it took."""

    plan: bytes
    timing_cache: bytes
    seconds: float


def build_plan(
    trt: TensorRT,
    onnx: bytes,
    tensors: tuple[TensorSpec, ...],
    *,
    workspace_mb: int,
    reporter: ProgressReporter,
    log: TensorRTLog,
    timing_cache: bytes = b"",
) -> BuiltPlan:
    """Parse and build; takes seconds to many minutes.

    Args:
        trt: the library.
        onnx: the file's content.
        tensors: the inputs and outputs that the network must have, with the fixed shapes it is built for.
        workspace_mb: device memory that kernels may use for scratch, MiB.
        reporter: told every phase and step; cancels the build where it is cancelled.
        log: TensorRT's log.
        timing_cache: from an earlier build of the same TensorRT on the same GPU; b"" = none.

    Raises:
        BackendError: the parser's errors, inputs or outputs other than `tensors`, cancelled, or TensorRT failed, with
            the last lines of its log.
    """
    start = time.monotonic()
    module = trt.module
    try:
        builder = module.Builder(log)
    except TypeError as error:  # what the bindings make of a null pointer
        raise BackendError(f"{trt.title}: expected a builder, found none: {log.last()}") from error
    reporter.say("parsing the ONNX file")
    network = builder.create_network(1 << int(module.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    # The parser owns weights that the network points to: both live until the plan is made.
    parser = module.OnnxParser(network, log)
    if not parser.parse(onnx):
        raise BackendError(_parser_errors(trt, parser))
    config = builder.create_builder_config()
    _check_signature(trt, network, tensors)
    _fix_shapes(trt, builder, config, network, tensors)
    config.set_memory_pool_limit(module.MemoryPoolType.WORKSPACE, workspace_mb << 20)
    # TF32 keeps 10 bits of mantissa: what the file says is float32 is computed in float32.
    config.clear_flag(module.BuilderFlag.TF32)
    config.profiling_verbosity = module.ProfilingVerbosity.DETAILED  # for the layer report; costs no time at run time
    # TensorRT holds neither monitor nor cache: both must live until the plan is made.
    monitor = progress_monitor(trt, reporter)
    config.progress_monitor = monitor
    cache = _attach_timing_cache(config, timing_cache) if trt.library == "tensorrt" else None  # RTX has none
    reporter.say("building the engine")
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        if reporter.cancelled:
            raise BackendError(f"{trt.title}: the build was cancelled")
        raise BackendError(
            f"{trt.title}: expected an engine, found none; its last words: {log.last()}. To fix: give it more"
            f" memory (close other programs on the GPU; workspace {workspace_mb} MB), or choose precision fp32"
        )
    timed = bytes(cache.serialize()) if cache is not None else b""
    return BuiltPlan(bytes(plan), timed, time.monotonic() - start)


def _attach_timing_cache(config: Any, content: bytes) -> Any:  # noqa: ANN401
    """Take the old one where TensorRT finds it fits this machine, else an empty one; None where it takes neither."""
    for attempt in (content, b""):
        cache = config.create_timing_cache(attempt)
        if cache is not None and config.set_timing_cache(cache, False):
            return cache
    return None


def _parser_errors(trt: TensorRT, parser: Any) -> str:  # noqa: ANN401
    lines = []
    for index in range(parser.num_errors):
        error = parser.get_error(index)
        node = f"node {error.node()} ({error.node_operator()} {error.node_name()}): " if error.node() >= 0 else ""
        lines.append(node + " ".join(error.desc().split()))
    return (
        f"{trt.title}: expected an ONNX file it can parse, found {len(lines)} fault{'s' * (len(lines) != 1)}:"
        f" {'; '.join(lines)}. To fix: export the bundle again with this version's `hybrid-seg-train export`"
    )


def _check_signature(trt: TensorRT, network: Any, tensors: tuple[TensorSpec, ...]) -> None:  # noqa: ANN401
    found = {
        "input": {network.get_input(i).name for i in range(network.num_inputs)},
        "output": {network.get_output(i).name for i in range(network.num_outputs)},
    }
    for kind, names in found.items():
        wanted = {tensor.name for tensor in tensors if tensor.kind == kind}
        if names != wanted:
            raise BackendError(
                f"{trt.title}: expected the {kind}s {sorted(wanted)} of manifest.yaml, found {sorted(names)} in the"
                " ONNX file. To fix: export the bundle again"
            )


def _fix_shapes(trt: TensorRT, builder: Any, config: Any, network: Any, tensors: tuple[TensorSpec, ...]) -> None:  # noqa: ANN401
    """One optimisation profile that allows one size: static shapes keep addresses fixed and graphs capturable."""
    profile = builder.create_optimization_profile()
    shapes = {tensor.name: tensor.shape for tensor in tensors}
    dynamic = False
    for index in range(network.num_inputs):
        tensor = network.get_input(index)
        declared, shape = tuple(tensor.shape), shapes[tensor.name]
        if len(declared) != len(shape) or any(d not in (-1, s) for d, s in zip(declared, shape, strict=True)):
            raise BackendError(
                f"{trt.title}: expected an ONNX file whose {tensor.name} can be {list(shape)}, found {list(declared)}."
                " To fix: leave the input size at the bundle's own, or export the bundle with dynamic sizes"
            )
        if -1 in declared:
            dynamic = True
            profile.set_shape(tensor.name, shape, shape, shape)
    if dynamic and config.add_optimization_profile(profile) < 0:
        raise BackendError(f"{trt.title}: expected to take an input of one fixed size, found that it does not")
