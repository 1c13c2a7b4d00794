"""What an engine is built from: a typed ONNX file, and the tensors that it must have."""

from dataclasses import dataclass
from typing import Literal

from hybrid_seg_ros.backends.base import BackendError
from hybrid_seg_ros.backends.tensorrt.identity import Element, TensorSpec
from hybrid_seg_ros.backends.tensorrt.onnx_types import FLOAT, HALF, element_types, half_inputs_and_outputs
from hybrid_seg_ros.backends.tensorrt.options import EngineOptions, onnx_file
from hybrid_seg_ros.backends.tensorrt.store import sha256
from hybrid_seg_ros.bundle import Bundle, Manifest

_ELEMENTS: dict[int, Element] = {FLOAT: "float", HALF: "half"}


@dataclass(frozen=True, slots=True)
class NetworkSource:
    """One network at one size.

    Attributes:
        onnx_sha256: of the bundle's file.
        onnx: its content, with half inputs and outputs where the options say so.
        tensors: input, logits and posterior, in this order.
    """

    onnx_sha256: str
    onnx: bytes
    tensors: tuple[TensorSpec, ...]


def network_source(bundle: Bundle, options: EngineOptions) -> NetworkSource:
    """The bundle's ONNX file as an engine is built from it.

    Raises:
        BackendError: no such precision in the bundle, or inputs and outputs other than the manifest's.
    """
    file = onnx_file(bundle, options.precision)
    onnx = half_inputs_and_outputs(file) if options.half_io else file
    elements = element_types(onnx)
    manifest = bundle.manifest
    specs = []
    for name, kind, shape in _shapes(manifest, options.input_size):
        element = _ELEMENTS.get(elements.get(name, 0))
        if element is None:
            raise BackendError(
                f"{bundle.path}, precision {options.precision}: expected {kind} {name!r} of manifest.yaml in half or"
                f" float, found {sorted(elements)} (element types {[elements[n] for n in sorted(elements)]})."
                " To fix: export the bundle again"
            )
        specs.append(TensorSpec(name, kind, element, shape))
    if specs[1].element != specs[2].element:
        raise BackendError(
            f"{bundle.path}, precision {options.precision}: expected outputs of one element type, found {specs[1]} and"
            f" {specs[2]}. To fix: export the bundle again"
        )
    return NetworkSource(sha256(file), onnx, tuple(specs))


def _shapes(
    manifest: Manifest, size: tuple[int, int]
) -> tuple[tuple[str, Literal["input", "output"], tuple[int, ...]], ...]:
    width, height = size
    grid = (height // manifest.outputs.stride, width // manifest.outputs.stride)
    return (
        (manifest.input.name, "input", (1, 3, height, width)),
        (manifest.outputs.logits, "output", (1, len(manifest.classes), *grid)),
        (manifest.outputs.posterior, "output", (1, 2, *grid)),
    )
