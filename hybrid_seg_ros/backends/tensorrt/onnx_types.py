"""Element types of an ONNX file's inputs and outputs: read, and turned to half where that loses nothing.

A bundle's model.fp16.onnx computes in half between float32 inputs and outputs, so that every runtime can feed it.
On the GPU those conversions are memory traffic for nothing: the kernels around the engine read and write half.
ONNX is protobuf, whose wire format (protobuf.dev/programming-guides/encoding) is walked here: the onnx package is
not needed to run the node. Field numbers are those of onnx.proto3.
"""

from collections.abc import Iterator
from typing import NamedTuple

from hybrid_seg_ros.backends.base import BackendError

FLOAT, HALF = 1, 10  # TensorProto.DataType
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_GRAPH = 7
_NODE, _INITIALIZER, _INPUT, _OUTPUT = 1, 5, 11, 12


class _Field(NamedTuple):
    number: int
    start: int  # of the content in the file
    end: int


class _Value(NamedTuple):
    name: str
    element: int
    place: int  # of the one byte that holds the element type


class _Node(NamedTuple):
    kind: str
    inputs: list[str]
    outputs: list[str]
    to: int | None  # of a Cast
    to_place: int


class _Graph(NamedTuple):
    nodes: list[_Node]
    inputs: list[_Value]
    outputs: list[_Value]


def element_types(model: bytes) -> dict[str, int]:
    """Input and output names of an ONNX file with their TensorProto.DataType.

    Raises:
        BackendError: the file is no ONNX file.
    """
    graph = _read(model)
    return {value.name: value.element for value in (*graph.inputs, *graph.outputs)}


def half_inputs_and_outputs(model: bytes) -> bytes:
    """The same network with half inputs and outputs, where it converts them itself.

    An input becomes half if all that reads it is Cast to half, an output if it is what a Cast to float32 makes and
    nothing else reads it. The results are those of the file given, to the bit; a file without such casts comes back
    as it is.

    Raises:
        BackendError: the file is no ONNX file.
    """
    graph = _read(model)
    patched = bytearray(model)
    for value in graph.inputs:
        readers = [node for node in graph.nodes if value.name in node.inputs]
        if value.element == FLOAT and readers and all(n.kind == "Cast" and n.to == HALF for n in readers):
            patched[value.place] = HALF
    for value in graph.outputs:
        makers = [node for node in graph.nodes if value.name in node.outputs]
        read = any(value.name in node.inputs for node in graph.nodes)
        if value.element == FLOAT and not read and [(n.kind, n.to) for n in makers] == [("Cast", FLOAT)]:
            patched[value.place] = HALF
            patched[makers[0].to_place] = HALF
    return bytes(patched)


def _read(model: bytes) -> _Graph:
    try:
        (graph,) = [f for f in _fields(model, 0, len(model)) if f.number == _GRAPH]
        fields = list(_fields(model, graph.start, graph.end))
        weights = {_text(model, f, 8) for f in fields if f.number == _INITIALIZER}
        inputs = [_value(model, f) for f in fields if f.number == _INPUT]
        read = _Graph(
            [_node(model, f) for f in fields if f.number == _NODE],
            [value for value in inputs if value.name not in weights],
            [_value(model, f) for f in fields if f.number == _OUTPUT],
        )
        if not (read.inputs and read.outputs):
            raise ValueError("a graph without inputs or outputs")
    except (ValueError, IndexError) as error:
        raise BackendError(
            f"expected an ONNX file, found something that cannot be read as one ({error}). To fix: export the bundle"
            " again"
        ) from error
    return read


def _node(model: bytes, field: _Field) -> _Node:
    names: dict[int, list[str]] = {1: [], 2: [], 4: []}
    to, place = None, 0
    for part in _fields(model, field.start, field.end):
        if part.number in names:
            names[part.number].append(model[part.start : part.end].decode())
        elif part.number == 5 and _text(model, part, 1) == "to":
            number = _one(model, part, 3)
            to, place = _varint(model, number.start)[0], number.start
    return _Node("".join(names[4]), names[1], names[2], to, place)


def _value(model: bytes, field: _Field) -> _Value:
    element = _one(model, _one(model, _one(model, field, 2), 1), 1)
    return _Value(_text(model, field, 1), _varint(model, element.start)[0], element.start)


def _one(model: bytes, field: _Field, number: int) -> _Field:
    (found,) = [part for part in _fields(model, field.start, field.end) if part.number == number]
    return found


def _text(model: bytes, field: _Field, number: int) -> str:
    parts = [part for part in _fields(model, field.start, field.end) if part.number == number]
    return model[parts[0].start : parts[0].end].decode() if parts else ""


def _fields(model: bytes, start: int, end: int) -> Iterator[_Field]:
    place = start
    while place < end:
        tag, place = _varint(model, place)
        wire = tag & 7
        if wire == _VARINT:
            stop = _varint(model, place)[1]
        elif wire in (_FIXED64, _FIXED32):
            stop = place + (8 if wire == _FIXED64 else 4)
        elif wire == _BYTES:
            length, place = _varint(model, place)
            stop = place + length
        else:
            raise ValueError(f"wire type {wire} at byte {place}")
        if stop > end:
            raise ValueError(f"a field at byte {place} ends at {stop}, behind the {end} of what holds it")
        yield _Field(tag >> 3, place, stop)
        place = stop


def _varint(model: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = model[place]
        value |= (byte & 0x7F) << shift
        place += 1
        if byte < 0x80:
            return value, place
        shift += 7
        if shift > 63:
            raise ValueError(f"a number at byte {place} has no end")
