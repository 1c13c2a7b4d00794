"""What may be chosen about an engine, and which file of the bundle it is built from."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import ConfigDict

from hybrid_seg_ros.backends.base import BackendError
from hybrid_seg_ros.bundle import Bundle

Precision = Literal["fp16", "fp32", "int8"]
_FILES: dict[Precision, str] = {"fp16": "model.fp16.onnx", "fp32": "model.onnx", "int8": "model.int8.onnx"}
_FIX: dict[Precision, str] = {
    "fp16": "export the bundle again with this version's `hybrid-seg-train export`, or choose precision fp32",
    "fp32": "export the bundle again",
    "int8": "quantise it: hybrid-seg-train quantize, or choose precision fp16",
}
DEFAULT_WORKSPACE_MB = 1024


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """How an engine is built; raises ValueError for a workspace below 1 MB.

    Attributes:
        precision: which of the bundle's typed ONNX files is built; the engine keeps exactly its types.
        input_size: (width, height) of the network input, px; the engine takes no other.
        workspace_mb: device memory that TensorRT's kernels may use for scratch, MiB.
        half_io: input and outputs in half where the network converts them anyway; the results are the same.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", strict=True)
    precision: Precision
    input_size: tuple[int, int]
    workspace_mb: int = DEFAULT_WORKSPACE_MB
    half_io: bool = True

    def __post_init__(self) -> None:
        if self.workspace_mb < 1:
            raise ValueError(f"workspace_mb is {self.workspace_mb}, expected at least 1")


def default_precision(bundle: Bundle) -> Precision:
    """fp16 where the bundle has it; int8 costs accuracy and is never taken unasked."""
    return "fp16" if _FILES["fp16"] in bundle.manifest.files else "fp32"


def onnx_file(bundle: Bundle, precision: Precision) -> bytes:
    """Content of the bundle's ONNX file of that precision.

    Raises:
        BackendError: the bundle has none.
    """
    name = _FILES[precision]
    if name not in bundle.manifest.files:
        raise BackendError(
            f"{bundle.path}: expected {name} for precision {precision}, found"
            f" {', '.join(sorted(n for n in bundle.manifest.files if n.endswith('.onnx')))}. To fix: {_FIX[precision]}"
        )
    return bundle.file(name).read_bytes()
