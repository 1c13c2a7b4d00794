"""A `tensorrt` module with exactly the member names of a real version; its engines compute on host memory.

tensorrt_members.json holds what `dir()` says of the real bindings (tensorrt-cu12-bindings, tensorrt-cu13-bindings):
a name that a version lacks raises AttributeError here as it does there. Engines are run by ONNX Runtime on tensors at
the addresses that were bound, so that what comes out can be compared.
"""

import ctypes
import enum
import json
import sys
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from hybrid_seg_ros.backends.tensorrt.gpu import Gpu

MEMBERS: dict[str, Any] = json.loads(Path(__file__).with_name("tensorrt_members.json").read_text())
VERSIONS = tuple(MEMBERS)
GPU = Gpu(name="Orin", compute_capability="8.7", multiprocessors=16, cuda="12.6", driver="540.4.0")
_MAGIC = b"fake plan\n"
_DTYPES = {onnx.TensorProto.FLOAT: np.float32, onnx.TensorProto.FLOAT16: np.float16}


@dataclass
class Faults:
    """What goes wrong, and what has happened so far."""

    parser_errors: tuple[str, ...] = ()
    no_builder: bool = False
    no_plan: bool = False
    not_loadable: bool = False
    no_context: bool = False
    bad_address: bool = False
    run_fails: bool = False
    slow_s: float = 0.0
    last_words: str = "Error Code 2: OutOfMemory (no further information)"
    builds: int = 0
    timing_caches: list[bytes] = field(default_factory=list)
    released: list[str] = field(default_factory=list)
    schedule: Callable[[int, Callable[[], None]], None] | None = None  # who runs work on a stream; None: at once


def install(
    monkeypatch: pytest.MonkeyPatch, version: str = "10.16.1.11", faults: Faults | None = None, *, gpu: Gpu = GPU
) -> Faults:
    """Make `import tensorrt` find the fake and the driver report `gpu`."""
    faults = faults or Faults()
    monkeypatch.setitem(sys.modules, "tensorrt", make_module(version, faults))
    monkeypatch.setattr("hybrid_seg_ros.backends.tensorrt.api.cuda_devices", lambda: (1, ""))
    monkeypatch.setattr("hybrid_seg_ros.backends.tensorrt.prepare.describe_gpu", lambda: gpu)
    return faults


def make_module(version: str, faults: Faults, *, says: str | None = None) -> ModuleType:
    """The module of one of VERSIONS; `says` is the version it pretends to be."""
    members = MEMBERS[version]
    module = ModuleType("tensorrt")
    module.__version__ = says or version  # type: ignore[attr-defined]
    made: dict[str, Any] = {}
    for name, names in members["classes"].items():
        made[name] = _enum(name, names) if name not in _CLASSES else _limited(name, names, version, faults, module)
    made["ILogger"].Severity = _enum("Severity", [n for n in members["classes"]["ILogger"] if n.isupper()])
    for name, value in made.items():
        if name in members["module"]:
            setattr(module, name, value)
    return module


def _enum(name: str, names: list[str]) -> Any:
    return enum.IntEnum(name, {n: i for i, n in enumerate(n for n in names if n.isupper())})


def _limited(name: str, names: list[str], version: str, faults: Faults, module: ModuleType) -> Any:
    implementation = _CLASSES[name]
    if name in ("ILogger", "IProgressMonitor"):  # made to be derived from
        return type(name, (), dict.fromkeys(names))
    allowed = frozenset(names)

    def check(attribute: str) -> None:
        if not attribute.startswith("_") and attribute not in allowed:
            raise AttributeError(f"TensorRT {version}: {name} has no {attribute!r}")

    def get(self: Any, attribute: str) -> Any:
        check(attribute)
        return object.__getattribute__(self, attribute)

    def put(self: Any, attribute: str, value: object) -> None:
        check(attribute)
        object.__setattr__(self, attribute, value)

    body = {"__getattribute__": get, "__setattr__": put, "_faults": faults, "_trt": module}
    return type(name, (implementation,), body)


class _Builder:
    _faults: Faults
    _trt: Any

    def __init__(self, logger: Any) -> None:
        if self._faults.no_builder:
            logger.log(self._trt.ILogger.Severity.ERROR, self._faults.last_words)
            raise TypeError("pybind11::init(): factory function returned nullptr")
        self._logger = logger

    def create_network(self, flags: int = 0) -> Any:
        return self._trt.INetworkDefinition(flags)

    def create_builder_config(self) -> Any:
        return self._trt.IBuilderConfig()

    def create_optimization_profile(self) -> Any:
        return self._trt.IOptimizationProfile()

    def build_serialized_network(self, network: Any, config: Any) -> Any:
        self._faults.builds += 1
        typed = 1 << int(self._trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED)
        assert network._flags == typed
        monitor = config.progress_monitor
        monitor.phase_start("Building engine", None, 2)
        monitor.phase_start("Timing graph nodes", "Building engine", 10)
        for step in range(10):
            time.sleep(self._faults.slow_s / 10)
            if not monitor.step_complete("Timing graph nodes", step):
                return None
        monitor.phase_finish("Timing graph nodes")
        monitor.phase_finish("Building engine")
        if self._faults.no_plan:
            self._logger.log(self._trt.ILogger.Severity.ERROR, self._faults.last_words)
            return None
        if config._cache is not None:
            config._cache()._content += b"+timed"  # a cache that nobody holds any more is gone here, too
        head = json.dumps(
            {"version": self._trt.__version__, "shapes": config._profile._shapes, "size": len(network._onnx)}
        )
        return _MAGIC + head.encode() + b"\n" + network._onnx


class _Network:
    def __init__(self, flags: int) -> None:
        self._flags = flags
        self._onnx = b""
        self._graph = onnx.GraphProto()

    num_inputs = property(lambda self: len(self._graph.input))
    num_outputs = property(lambda self: len(self._graph.output))

    def get_input(self, index: int) -> Any:
        return _tensor(self._trt, self._graph.input[index])  # type: ignore[attr-defined]

    def get_output(self, index: int) -> Any:
        return _tensor(self._trt, self._graph.output[index])  # type: ignore[attr-defined]


def _tensor(trt: Any, info: Any) -> Any:
    tensor = trt.ITensor()
    tensor.name, tensor.shape = info.name, _declared(info)
    return tensor


def _declared(info: Any) -> tuple[int, ...]:
    return tuple(d.dim_value if d.HasField("dim_value") else -1 for d in info.type.tensor_type.shape.dim)


class _Tensor:
    name: str
    shape: tuple[int, ...]


class _Parser:
    _faults: Faults
    _trt: Any

    def __init__(self, network: Any, logger: Any) -> None:
        self._network, self._logger, self._errors = network, logger, list(self._faults.parser_errors)

    num_errors = property(lambda self: len(self._errors))

    def parse(self, model: bytes, path: str | None = None) -> bool:
        try:
            self._network._graph = onnx.load_from_string(model).graph
        except Exception:
            self._errors.append("Failed to parse the ONNX model.")
        self._network._onnx = model
        return not self._errors

    def get_error(self, index: int) -> Any:
        error = self._trt.ParserError()
        error._text, error._index = self._errors[index], index
        return error


class _ParserError:
    _text: str
    _index: int

    def desc(self) -> str:
        return self._text

    def node(self) -> int:
        return self._index

    def node_name(self) -> str:
        return f"/node_{self._index}"

    def node_operator(self) -> str:
        return "Resize"


class _Config:
    _faults: Faults
    _trt: Any
    progress_monitor: Any = None
    profiling_verbosity: Any = None

    def __init__(self) -> None:
        self._cache: Any = None
        self._profile: Any = self._trt.IOptimizationProfile()
        self._cleared: list[Any] = []

    def add_optimization_profile(self, profile: Any) -> int:
        self._profile = profile
        return 0

    def set_memory_pool_limit(self, pool: Any, size: int) -> None:
        assert pool == self._trt.MemoryPoolType.WORKSPACE
        assert size > 0

    def clear_flag(self, flag: Any) -> None:
        self._cleared.append(flag)

    def create_timing_cache(self, content: bytes) -> Any:
        self._faults.timing_caches.append(content)
        cache = self._trt.ITimingCache()
        cache._content = content
        return cache

    def set_timing_cache(self, cache: Any, ignore_mismatch: bool) -> bool:
        if cache._content == b"of another machine":
            return False
        self._cache = weakref.ref(cache)
        return True


class _TimingCache:
    _content: bytes

    def serialize(self) -> bytes:
        return self._content


class _Profile:
    def __init__(self) -> None:
        self._shapes: dict[str, tuple[int, ...]] = {}

    def set_shape(self, name: str, low: Any, best: Any, high: Any) -> None:
        assert low == best == high
        self._shapes[name] = best


class _Runtime:
    _faults: Faults
    _trt: Any

    def __init__(self, logger: Any) -> None:
        self._logger = logger
        weakref.finalize(self, self._faults.released.append, "runtime")

    def deserialize_cuda_engine(self, plan: bytes) -> Any:
        head, _, model = plan.removeprefix(_MAGIC).partition(b"\n")
        told = json.loads(head) if plan.startswith(_MAGIC) else {}
        if self._faults.not_loadable or told.get("version") != self._trt.__version__ or told["size"] != len(model):
            self._logger.log(self._trt.ILogger.Severity.ERROR, self._faults.last_words)
            return None
        return self._trt.ICudaEngine(model)


class _Engine:
    _faults: Faults
    _trt: Any

    def __init__(self, model: bytes) -> None:
        self._model = model
        graph = onnx.load_from_string(model).graph
        self._inputs, self._outputs = list(graph.input), list(graph.output)
        self._nodes = [(node.op_type, node.output[0]) for node in graph.node]
        weakref.finalize(self, self._faults.released.append, "engine")

    num_io_tensors = property(lambda self: len(self._inputs) + len(self._outputs))

    def get_tensor_name(self, index: int) -> str:
        return str([*self._inputs, *self._outputs][index].name)

    def get_tensor_mode(self, name: str) -> Any:
        mode = self._trt.TensorIOMode
        return mode.INPUT if name in {i.name for i in self._inputs} else mode.OUTPUT

    def get_tensor_dtype(self, name: str) -> Any:
        kinds = {onnx.TensorProto.FLOAT: self._trt.DataType.FLOAT, onnx.TensorProto.FLOAT16: self._trt.DataType.HALF}
        return kinds[self._info(name).type.tensor_type.elem_type]

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        return _declared(self._info(name))

    def create_execution_context(self) -> Any:
        return (
            None if self._faults.no_context else self._trt.IExecutionContext(self._model, self._inputs, self._outputs)
        )

    def create_engine_inspector(self) -> Any:
        inspector = self._trt.EngineInspector()
        inspector._nodes = self._nodes
        return inspector

    def _info(self, name: str) -> Any:
        return next(info for info in (*self._inputs, *self._outputs) if info.name == name)


class _Inspector:
    _trt: Any
    _nodes: list[tuple[str, str]]

    def get_engine_information(self, kind: Any) -> str:
        assert kind == self._trt.LayerInformationFormat.JSON
        layers = [
            {"Name": name, "LayerType": op, "Outputs": [{"Format/Datatype": "Half"}], "TacticName": f"sm80_{op}"}
            for op, name in self._nodes
        ]
        return json.dumps({"Layers": layers, "Bindings": []})


class _Context:
    _faults: Faults
    _trt: Any

    def __init__(self, model: bytes, inputs: list[Any], outputs: list[Any]) -> None:
        self._session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
        self._types = {i.name: _DTYPES[i.type.tensor_type.elem_type] for i in (*inputs, *outputs)}
        self._shapes = {info.name: _declared(info) for info in inputs}
        self._output_names = [info.name for info in outputs]
        self._addresses: dict[str, int] = {}
        weakref.finalize(self, self._faults.released.append, "context")

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
        self._shapes[name] = shape
        return True

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        if name in self._shapes:
            return self._shapes[name]
        zeros = {key: np.zeros(shape, self._types[key]) for key, shape in self._shapes.items()}
        return tuple(self._session.run([name], zeros)[0].shape)

    def set_tensor_address(self, name: str, address: int) -> bool:
        self._addresses[name] = address
        return name in self._types and not self._faults.bad_address

    def execute_async_v3(self, stream_handle: int) -> bool:
        if self._faults.run_fails:
            return False
        if self._faults.schedule is None:
            self._compute()
        else:
            self._faults.schedule(stream_handle, self._compute)
        return True

    def _compute(self) -> None:
        feeds = {name: self._memory(name, shape) for name, shape in self._shapes.items()}
        for name, value in zip(self._output_names, self._session.run(self._output_names, feeds), strict=True):
            self._memory(name, value.shape)[...] = value

    def _memory(self, name: str, shape: tuple[int, ...]) -> Any:
        dtype = np.dtype(self._types[name])
        count = int(np.prod(shape)) * dtype.itemsize
        content = (ctypes.c_byte * count).from_address(self._addresses[name])
        return np.frombuffer(content, dtype).reshape(shape)


_CLASSES: dict[str, Any] = {
    "Builder": _Builder,
    "INetworkDefinition": _Network,
    "ITensor": _Tensor,
    "OnnxParser": _Parser,
    "ParserError": _ParserError,
    "IBuilderConfig": _Config,
    "ITimingCache": _TimingCache,
    "IOptimizationProfile": _Profile,
    "Runtime": _Runtime,
    "ICudaEngine": _Engine,
    "EngineInspector": _Inspector,
    "IExecutionContext": _Context,
    "ILogger": object,
    "IProgressMonitor": object,
}
