"""What TensorRT made of the network: one row a layer of the engine."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hybrid_seg_ros.backends.base import BackendError
from hybrid_seg_ros.backends.tensorrt.api import TensorRT


@dataclass(frozen=True, slots=True)
class LayerRow:
    """One layer of an engine; "" where TensorRT does not tell.

    Attributes:
        name: the ONNX nodes fused into it.
        kind: TensorRT's type of layer.
        format: element type and memory format of its first output.
        tactic: the kernel that was chosen.
    """

    name: str
    kind: str
    format: str
    tactic: str


def layer_rows(trt: TensorRT, engine: Any) -> list[LayerRow]:  # noqa: ANN401  # an object of TensorRT
    """The engine's layers, in the order they run.

    Raises:
        BackendError: the inspector's answer is not the JSON it is documented to be.
    """
    inspector = engine.create_engine_inspector()
    text = inspector.get_engine_information(trt.module.LayerInformationFormat.JSON)
    try:
        layers = json.loads(text)["Layers"]
        return [_row(layer) for layer in layers]
    except (ValueError, KeyError, TypeError) as error:
        raise BackendError(
            f"{trt.title}: expected the engine inspector's JSON, found {text[:80]!r} ({error})"
        ) from error


def layer_table(rows: Sequence[LayerRow]) -> str:
    """The rows as aligned text, names last because they are long."""
    cells = [("layer", "tactic", "output", "ONNX nodes"), *((r.kind, r.tactic, r.format, r.name) for r in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(3)]
    return "\n".join(
        "  ".join([*(cell.ljust(width) for cell, width in zip(row[:3], widths, strict=True)), row[3]]) for row in cells
    )


def _row(layer: dict[str, Any] | str) -> LayerRow:
    if isinstance(layer, str):  # an engine built with layer names only
        return LayerRow(layer, "", "", "")
    outputs = layer.get("Outputs") or [{}]
    # One key up to 10.x, two in newer versions.
    told = [str(outputs[0].get(key, "")) for key in ("Format/Datatype", "Datatype", "Format")]
    return LayerRow(
        name=str(layer.get("Name", "")),
        kind=str(layer.get("LayerType", "")),
        format=" ".join(part for part in told if part),
        tactic=str(layer.get("TacticName") or layer.get("TacticValue", "")),
    )
