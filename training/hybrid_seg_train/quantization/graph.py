"""Explicit Q/DQ nodes in an exported graph, by onnxruntime.quantization.

Weights are int8, symmetric, one scale a channel. Activations come in two forms, because no one form suits both:

* int8: symmetric int8, zero point 0, float32 biases, no Q/DQ between a convolution and its activation or its residual
  addition: the only one that TensorRT takes, placed where it fuses. On a CPU it takes twice float32's time: a ReLU
  whose Q keeps room for negative numbers cannot be folded into the convolution before it, which then runs in float32.
* uint8: asymmetric uint8 and int32 biases, for ONNX Runtime's CPU kernels (VNNI).
"""

from collections.abc import Collection, Iterable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from fnmatch import fnmatchcase
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import onnx
from tqdm import tqdm

from hybrid_seg_ros.bundle import INT8_MODEL, UINT8_MODEL, CalibrationMethod
from hybrid_seg_train.quantization.images import CalibrationImages

Activations = Literal["int8", "uint8"]

FILES: Mapping[Activations, str] = {"int8": INT8_MODEL, "uint8": UINT8_MODEL}
"""Activations -> the bundle's file."""

METHODS: tuple[CalibrationMethod, ...] = ("minmax", "percentile", "entropy")

PERCENTILE = 99.999
"""Share of an activation's values within its range, %, by method `percentile`."""

_WEIGHTED = ("Conv", "ConvTranspose", "Gemm", "MatMul")
_PASSING = ("AveragePool", "Clip", "Concat", "GlobalAveragePool", "MaxPool", "Relu", "Resize")
_TYPES: Mapping[Activations, tuple[str, ...]] = {
    "int8": (*_WEIGHTED, *_PASSING),  # an Add takes its Q/DQ from its neighbours: on the residual, behind the sum
    "uint8": (*_WEIGHTED, *_PASSING, "Add"),
}
_OPTIONS: Mapping[Activations, Mapping[str, Any]] = {
    "int8": {
        "ActivationSymmetric": True,
        "QuantizeBias": False,  # TensorRT's parser refuses DequantizeLinear of int32
        "OpTypesToExcludeOutputQuantization": list(_WEIGHTED),
        "ForceQuantizeNoInputCheck": True,  # Resize behind a convolution: an eighth of the bytes of two float tensors
    },
    "uint8": {},
}


def prepare(model: Path, out: Path) -> None:
    """Write the graph with constants and batch norms folded, shapes inferred and every node named."""
    from onnxruntime.quantization.shape_inference import quant_pre_process

    quant_pre_process(str(model), str(out), skip_symbolic_shape=True)
    graph = onnx.load(out)
    for place, node in enumerate(graph.graph.node):
        node.name = node.name or f"{node.op_type}_{place}"
    onnx.save(graph, out)


def head_nodes(model: onnx.ModelProto) -> set[str]:
    """Names of the nodes between the shared features and the outputs: each head's last weighted layer, what follows
    it, and all that only one of the outputs needs. The score is made of their values, not of their order.
    """
    makers = {output: node for node in model.graph.node for output in node.output}
    needed = [_upstream([output.name], makers, ()) for output in model.graph.output]
    shared = set.intersection(*needed) if len(needed) > 1 else set()
    last = _upstream([output.name for output in model.graph.output], makers, _WEIGHTED)
    return last | (set.union(*needed) - shared)


def kept_float(model: onnx.ModelProto, patterns: Iterable[str]) -> list[str]:
    """Names of the nodes that stay float: the heads, and those that a pattern matches.

    Raises:
        ValueError: a pattern matches no node.
    """
    names = [node.name for node in model.graph.node]
    kept = head_nodes(model)
    for pattern in patterns:
        matched = {name for name in names if fnmatchcase(name, pattern)}
        if not matched:
            weighted = [node.name for node in model.graph.node if node.op_type in _WEIGHTED]
            raise ValueError(f"--keep-float {pattern!r} matches no node; the weighted ones are: {', '.join(weighted)}")
        kept |= matched
    return sorted(kept)


def activation_ranges(prepared: Path, method: CalibrationMethod, images: CalibrationImages, *, progress: bool) -> Any:  # noqa: ANN401
    """Run the images and choose a range for every activation: an onnxruntime.quantization.calibrate.TensorsData.

    Args:
        prepared: what `prepare` wrote.
        method: minmax: all values; percentile: `PERCENTILE` of them; entropy: least divergence of the distributions.
        images: what to run.
        progress: show a progress bar.
    """
    from onnxruntime.quantization import CalibrationMethod as Method
    from onnxruntime.quantization import create_calibrator

    methods = {"minmax": Method.MinMax, "percentile": Method.Percentile, "entropy": Method.Entropy}
    types = sorted({kind for kinds in _TYPES.values() for kind in kinds})
    with TemporaryDirectory() as folder, redirect_stdout(StringIO()):  # its progress is prints
        calibrator = create_calibrator(
            prepared,
            types,
            augmented_model_path=str(Path(folder) / "augmented.onnx"),
            calibrate_method=methods[method],
            extra_options={"percentile": PERCENTILE} if method == "percentile" else {},
        )
        for tensor in tqdm(images.tensors(), f"ranges, {method}", total=len(images), disable=not progress):
            # One image at a time: the activations of all of them would fill the memory.
            calibrator.collect_data(_OneInput({images.spec.name: tensor}))
        return calibrator.compute_data()


@dataclass
class _OneInput:
    """What a calibrator asks for its inputs (onnxruntime.quantization.CalibrationDataReader)."""

    feed: dict[str, npt.NDArray[np.float32]] | None

    def get_next(self) -> dict[str, npt.NDArray[np.float32]] | None:
        feed, self.feed = self.feed, None
        return feed


def write_quantized(prepared: Path, out: Path, activations: Activations, ranges: Any, keep: Collection[str]) -> None:  # noqa: ANN401
    """Write the graph with Q/DQ nodes.

    Args:
        prepared: what `prepare` wrote.
        out: the file to write.
        activations: which form.
        ranges: what `activation_ranges` chose.
        keep: names of nodes that stay float.

    Raises:
        onnx.checker.ValidationError: the written graph is not valid.
    """
    from onnxruntime.quantization import QuantType
    from onnxruntime.quantization.qdq_quantizer import QDQQuantizer

    quantizer = QDQQuantizer(
        onnx.load(prepared),
        per_channel=True,
        reduce_range=False,
        weight_qType=QuantType.QInt8,
        activation_qType=QuantType.QInt8 if activations == "int8" else QuantType.QUInt8,
        tensors_range=ranges,
        nodes_to_quantize=[],
        nodes_to_exclude=list(keep),
        op_types_to_quantize=list(_TYPES[activations]),
        extra_options={"WeightSymmetric": True, **_OPTIONS[activations]},
    )
    quantizer.quantize_model()
    quantizer.model.topological_sort()
    model = quantizer.model.model
    used = {node.domain for node in model.graph.node}
    imports = [entry for entry in model.opset_import if entry.domain in used]
    del model.opset_import[:], model.metadata_props[:]
    model.opset_import.extend(imports)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, out)


def _upstream(outputs: Iterable[str], makers: Mapping[str, onnx.NodeProto], stop: Collection[str]) -> set[str]:
    """Names of the nodes that make these tensors, directly or not; beyond a node of a type in `stop` none is."""
    found: set[str] = set()
    left = list(outputs)
    while left:
        node = makers.get(left.pop())
        if node is not None and node.name not in found:
            found.add(node.name)
            if node.op_type not in stop:
                left += node.input
    return found
