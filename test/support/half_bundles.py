"""Small bundles with a model.fp16.onnx as `hybrid-seg-train export` writes it: half between float32 ends."""

from pathlib import Path
from typing import Any

import onnx
from onnx import TensorProto, helper, numpy_helper
from support.bundles import TinyNetwork, make_bundle

from hybrid_seg_ros.bundle import Bundle, seal_bundle


def half_onnx(seed: int = 0, classes: int = 11) -> bytes:
    """The TinyNetwork computed in half behind float32 inputs and outputs."""
    model = onnx.load_from_string(TinyNetwork(classes, seed).onnx_bytes())
    graph = model.graph
    for weight in graph.initializer:
        weight.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(weight).astype("float16"), weight.name))
    for node in graph.node:
        node.input[:] = ["image_half" if name == "image" else name for name in node.input]
        node.output[:] = [f"{name}_half" if name in ("logits", "posterior") else name for name in node.output]
    casts: list[Any] = [helper.make_node("Cast", ["image"], ["image_half"], to=TensorProto.FLOAT16)]
    ends = [helper.make_node("Cast", [f"{n}_half"], [n], to=TensorProto.FLOAT) for n in ("logits", "posterior")]
    nodes = [*casts, *graph.node, *ends]
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())


def make_half_bundle(path: Path, **arguments: Any) -> Bundle:
    """A bundle of `make_bundle` with a model.fp16.onnx."""
    make_bundle(path, **arguments)
    (path / "model.fp16.onnx").write_bytes(half_onnx())
    return seal_bundle(path)
