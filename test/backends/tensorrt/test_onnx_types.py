import contextlib

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator
from support.bundles import TinyNetwork
from support.half_bundles import half_onnx

from hybrid_seg_ros.backends import BackendError
from hybrid_seg_ros.backends.tensorrt.onnx_types import element_types, half_inputs_and_outputs
from hybrid_seg_ros.bundle import find_bundle, load_bundle

HALF, FLOAT = TensorProto.FLOAT16, TensorProto.FLOAT


def said_by_onnx(model: bytes) -> dict[str, int]:
    """The same, by the onnx package."""
    graph = onnx.load_from_string(model).graph
    weights = {weight.name for weight in graph.initializer}
    values = [value for value in (*graph.input, *graph.output) if value.name not in weights]
    return {value.name: value.type.tensor_type.elem_type for value in values}


def shipped(name: str) -> bytes:
    return load_bundle(find_bundle("camvid_hybrid_lite0")).file(name).read_bytes()


@pytest.mark.parametrize("name", ["model.onnx", "model.fp16.onnx"])
def test_element_types_of_the_shipped_files(name: str) -> None:
    assert (
        element_types(shipped(name))
        == said_by_onnx(shipped(name))
        == dict.fromkeys(("image", "logits", "posterior"), 1)
    )


@pytest.mark.parametrize("model", [half_onnx(), shipped("model.fp16.onnx")], ids=["tiny", "shipped"])
def test_half_ends_change_no_bit_of_the_result(model: bytes) -> None:
    patched = half_inputs_and_outputs(model)
    assert said_by_onnx(patched) == dict.fromkeys(("image", "logits", "posterior"), HALF)
    onnx.checker.check_model(onnx.load_from_string(patched), full_check=True)
    image = np.random.default_rng(0).normal(0, 1, (1, 3, 96, 128)).astype(np.float16)
    names = ["logits", "posterior"]
    wanted = onnxruntime.InferenceSession(model).run(names, {"image": image.astype(np.float32)})
    found = onnxruntime.InferenceSession(patched).run(names, {"image": image})
    for a, b in zip(wanted, found, strict=True):
        assert b.dtype == np.float16
        # ONNX Runtime's CPU computes half in float32 and rounds where the types make it: without half outputs, nowhere.
        np.testing.assert_array_equal(a.astype(np.float16), b)


def test_where_half_is_computed_as_half_no_rounding_is_left_to_differ() -> None:
    image = np.random.default_rng(0).normal(0, 1, (1, 3, 32, 32)).astype(np.float16)
    wanted = ReferenceEvaluator(half_onnx()).run(None, {"image": image.astype(np.float32)})
    found = ReferenceEvaluator(half_inputs_and_outputs(half_onnx())).run(None, {"image": image})
    for a, b in zip(wanted, found, strict=True):
        assert (a.dtype, b.dtype) == (np.float32, np.float16)
        np.testing.assert_array_equal(a, b.astype(np.float32))


def test_a_float32_network_stays_as_it_is() -> None:
    for model in (TinyNetwork().onnx_bytes(), shipped("model.onnx")):
        assert half_inputs_and_outputs(model) == model


def test_an_end_that_is_used_otherwise_too_keeps_its_type() -> None:
    model = onnx.load_from_string(half_onnx())
    graph = model.graph
    graph.node.append(helper.make_node("Identity", ["logits"], ["again"]))  # reads an output
    graph.node.append(helper.make_node("Identity", ["image"], ["same"]))  # reads the input without a Cast
    for name, channels in (("again", 11), ("same", 3)):
        graph.output.append(helper.make_tensor_value_info(name, FLOAT, [1, channels, "a", "b"]))
    patched = half_inputs_and_outputs(model.SerializeToString())
    assert said_by_onnx(patched) == {"image": FLOAT, "logits": FLOAT, "posterior": HALF, "again": FLOAT, "same": FLOAT}


def test_weights_listed_as_inputs_are_no_inputs() -> None:
    model = onnx.load_from_string(half_onnx())
    weight = model.graph.initializer[0]
    model.graph.input.append(helper.make_tensor_value_info(weight.name, weight.data_type, list(weight.dims)))
    assert list(element_types(model.SerializeToString())) == ["image", "logits", "posterior"]


@given(st.binary(max_size=200))
def test_rubbish_is_an_error_and_never_a_crash(content: bytes) -> None:
    with pytest.raises(BackendError, match="expected an ONNX file"):
        element_types(content)


@given(st.data())
def test_a_damaged_file_is_an_error_or_still_read(data: st.DataObject) -> None:
    model = bytearray(half_onnx())
    end = data.draw(st.integers(0, len(model)))
    place = data.draw(st.integers(0, len(model) - 1))
    model[place] ^= data.draw(st.integers(1, 255))
    with contextlib.suppress(BackendError):
        assert len(half_inputs_and_outputs(bytes(model[:end]))) == end
