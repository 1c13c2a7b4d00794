"""What an engine is: everything that a plan depends on, in a JSON beside it.

A plan holds compiled kernels that were chosen by timing them. It is good for the TensorRT that made it (to the last
digit), for the model of GPU it was timed on, and for the ONNX file and options it was made from; each of these
rebuilds. A driver is not part of it: NVIDIA's drivers run what was compiled for any earlier one, so a newer driver
changes nothing, nor does another kernel driver of the same CUDA version. An older one may lack what the kernels were
compiled for, and TensorRT would say so only while it loads or runs them: that rebuilds, too.
"""

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Final, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from hybrid_seg_ros.backends.tensorrt.api import Library, title
from hybrid_seg_ros.backends.tensorrt.gpu import Gpu
from hybrid_seg_ros.backends.tensorrt.options import EngineOptions

SCHEMA_VERSION: Final = 1
Element = Literal["half", "float"]
_STRICT = ConfigDict(extra="forbid", strict=True)
_Hash = Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")]


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One input or output: its element type and its only shape."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    name: str
    kind: Literal["input", "output"]
    element: Element
    shape: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.kind} {self.name} {self.element}{list(self.shape)}"


@dataclass(frozen=True, slots=True)
class EngineIdentity:
    """What an engine was made from and for; `plan_sha256` is "" for one that is wanted and not made yet."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    onnx_sha256: _Hash
    library: Library
    version: str
    gpu: Gpu
    options: EngineOptions
    tensors: tuple[TensorSpec, ...]
    plan_sha256: _Hash = ""
    schema_version: Annotated[int, Field(ge=SCHEMA_VERSION, le=SCHEMA_VERSION)] = SCHEMA_VERSION

    def of_plan(self, plan_sha256: str) -> "EngineIdentity":
        """This identity for the plan with that hash."""
        return replace(self, plan_sha256=plan_sha256)


_ADAPTER: TypeAdapter[EngineIdentity] = TypeAdapter(EngineIdentity)


def to_json(identity: EngineIdentity) -> bytes:
    """The identity as an indented JSON document."""
    return _ADAPTER.dump_json(identity, indent=2) + b"\n"


def from_json(text: bytes) -> EngineIdentity:
    """Read what `to_json` wrote; unknown, missing or wrong fields are errors.

    Raises:
        ValueError: says which field is wrong.
    """
    try:
        return _ADAPTER.validate_json(text)
    except ValidationError as error:
        faults = [
            f"{'.'.join(str(part) for part in fault['loc']) or 'document'}: {fault['msg']}"
            for fault in error.errors(include_url=False, include_context=False)
        ]
        raise ValueError("; ".join(faults)) from error


def differences(wanted: EngineIdentity, found: EngineIdentity) -> list[str]:
    """Why an engine that is `found` cannot serve as the one that is `wanted`; empty if it can.

    One line each, for people: "TensorRT 10.3.0, this machine has 10.16.1". The plan's own hash is not compared.
    """
    lines = []
    if wanted.onnx_sha256 != found.onnx_sha256:
        lines.append(f"ONNX file {found.onnx_sha256[:12]}, the bundle has {wanted.onnx_sha256[:12]}")
    if (wanted.library, wanted.version) != (found.library, found.version):
        here = wanted.version if wanted.library == found.library else title(wanted.library, wanted.version)
        lines.append(f"{title(found.library, found.version)}, this machine has {here}")
    lines += _gpu_differences(wanted.gpu, found.gpu)
    lines += _option_differences(wanted.options, found.options)
    for old, new in zip(found.tensors, wanted.tensors, strict=False):
        if old != new:
            lines.append(f"{old}, expected {new}")
    if len(found.tensors) != len(wanted.tensors):
        lines.append(f"{len(found.tensors)} inputs and outputs, expected {len(wanted.tensors)}")
    return lines


def _gpu_differences(wanted: Gpu, found: Gpu) -> list[str]:
    lines = []
    if wanted.name != found.name:
        lines.append(f"GPU {found.name}, this machine has {wanted.name}")
    if wanted.compute_capability != found.compute_capability:
        lines.append(f"compute capability {found.compute_capability}, this GPU has {wanted.compute_capability}")
    if wanted.multiprocessors != found.multiprocessors:
        lines.append(f"{found.multiprocessors} multiprocessors, this GPU has {wanted.multiprocessors}")
    if _numbers(wanted.cuda) < _numbers(found.cuda):
        lines.append(f"a driver for CUDA {found.cuda}, this machine's is older: CUDA {wanted.cuda}")
    return lines


def _option_differences(wanted: EngineOptions, found: EngineOptions) -> list[str]:
    lines = []
    if wanted.precision != found.precision:
        lines.append(f"precision {found.precision}, asked for {wanted.precision}")
    if wanted.input_size != found.input_size:
        old, new = ("x".join(map(str, size)) for size in (found.input_size, wanted.input_size))
        lines.append(f"input size {old}, asked for {new}")
    if wanted.workspace_mb != found.workspace_mb:
        lines.append(f"workspace {found.workspace_mb} MB, asked for {wanted.workspace_mb} MB")
    if wanted.half_io != found.half_io:
        lines.append(f"half_io {found.half_io}, asked for {wanted.half_io}")
    return lines


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
