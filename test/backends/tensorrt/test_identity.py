import json
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_seg_ros.backends.tensorrt.gpu import Gpu
from hybrid_seg_ros.backends.tensorrt.identity import EngineIdentity, TensorSpec, differences, from_json, to_json
from hybrid_seg_ros.backends.tensorrt.options import EngineOptions

names = st.text(min_size=1, max_size=20)
hashes = st.text("0123456789abcdef", min_size=64, max_size=64)
sizes = st.integers(1, 10_000)
versions = st.tuples(sizes, sizes).map(lambda v: f"{v[0]}.{v[1]}")
tensors = st.builds(
    TensorSpec,
    name=names,
    kind=st.sampled_from(["input", "output"]),
    element=st.sampled_from(["half", "float"]),
    shape=st.lists(sizes, max_size=5).map(tuple),
)
identities = st.builds(
    EngineIdentity,
    onnx_sha256=hashes,
    library=st.sampled_from(["tensorrt", "tensorrt_rtx"]),
    version=versions,
    gpu=st.builds(Gpu, names, versions, sizes, versions, versions),
    options=st.builds(
        EngineOptions, st.sampled_from(["fp16", "fp32", "int8"]), st.tuples(sizes, sizes), sizes, st.booleans()
    ),
    tensors=st.lists(tensors, max_size=4).map(tuple),
    plan_sha256=hashes,
)


@given(identities)
def test_json_gives_back_the_same(identity: EngineIdentity) -> None:
    assert from_json(to_json(identity)) == identity


@given(identities)
def test_the_same_needs_no_rebuild_whatever_its_plan(identity: EngineIdentity) -> None:
    assert differences(identity.of_plan(""), identity) == []


@given(identities, identities)
def test_whatever_differs_is_said_unless_it_is_harmless(a: EngineIdentity, b: EngineIdentity) -> None:
    b = replace(b, plan_sha256=a.plan_sha256, gpu=replace(b.gpu, cuda=a.gpu.cuda, driver=a.gpu.driver))
    lines = differences(a, b)
    assert bool(lines) == (a != b)


@settings(max_examples=25)
@given(identities, st.data())
def test_every_single_field_counts(identity: EngineIdentity, data: st.DataObject) -> None:
    """Also fields that are added later: they are found by reflection."""
    harmless = {"plan_sha256", "schema_version", "cuda", "driver"}
    for part in (identity, identity.gpu, identity.options):
        for field in fields(part):
            if field.name in harmless or field.name in ("gpu", "options"):
                continue
            other: Any = data.draw(identities)
            source = other if part is identity else other.gpu if part is identity.gpu else other.options
            value = getattr(source, field.name)
            changed: Any = replace(part, **{field.name: value})
            found = (
                changed
                if part is identity
                else replace(identity, gpu=changed)
                if part is identity.gpu
                else replace(identity, options=changed)
            )
            assert bool(differences(identity, found)) == (value != getattr(part, field.name)), field.name


def test_lines_are_for_people(identity: EngineIdentity) -> None:
    old = replace(
        identity,
        version="10.3.0",
        onnx_sha256="a" * 64,
        gpu=Gpu("Orin", "8.7", 8, "12.8", "1.2"),
        options=EngineOptions("fp32", (1024, 512), 512),
        tensors=(),
    )
    assert differences(identity, old) == [
        f"ONNX file {'a' * 12}, the bundle has {'0' * 12}",
        "TensorRT 10.3.0, this machine has 10.16.1",
        "GPU Orin, this machine has NVIDIA L4",
        "compute capability 8.7, this GPU has 8.9",
        "8 multiprocessors, this GPU has 58",
        "a driver for CUDA 12.8, this machine's is older: CUDA 12.6",
        "precision fp32, asked for fp16",
        "input size 1024x512, asked for 480x352",
        "workspace 512 MB, asked for 1024 MB",
        "0 inputs and outputs, expected 1",
    ]
    rtx = replace(identity, library="tensorrt_rtx", version="1.7")
    assert differences(identity, rtx) == ["TensorRT-RTX 1.7, this machine has TensorRT 10.16.1"]


def test_a_newer_driver_is_harmless_and_an_older_one_is_not(identity: EngineIdentity) -> None:
    newer = replace(identity, gpu=replace(identity.gpu, cuda="13.0", driver="580.65"))
    assert differences(newer, identity) == []
    assert differences(identity, newer) == ["a driver for CUDA 13.0, this machine's is older: CUDA 12.6"]
    same_cuda = replace(identity, gpu=replace(identity.gpu, driver="560.1"))
    assert differences(identity, same_cuda) == differences(same_cuda, identity) == []
    # 12.10 is newer than 12.6, as numbers and not as text.
    assert differences(replace(identity, gpu=replace(identity.gpu, cuda="12.10")), identity) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"schema_version": 2}, "schema_version"),
        ({"schema_version": True}, "schema_version"),
        ({"extra": 1}, "extra"),
        ({"onnx_sha256": "0" * 63}, "onnx_sha256"),
        ({"plan_sha256": "../etc"}, "plan_sha256"),
        ({"version": 10}, "version"),
        ({"gpu": {}}, "gpu.name"),
        (
            {"options": {"precision": "fp16", "input_size": [480, 352], "workspace_mb": "9", "half_io": True}},
            "workspace",
        ),
        ({"options": {"precision": "fp16", "input_size": [480, 352], "workspace_mb": 0, "half_io": True}}, "workspace"),
        ({"tensors": [{"name": "x", "kind": "input", "element": "int", "shape": [1]}]}, "tensors.0.element"),
    ],
)
def test_json_is_read_strictly(identity: EngineIdentity, change: dict[str, Any], words: str) -> None:
    document = {**json.loads(to_json(identity)), **change}
    with pytest.raises(ValueError, match=words):
        from_json(json.dumps(document).encode())


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b"\xff", b"null"])
def test_other_content_is_an_error(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"document: "):
        from_json(text)


@pytest.fixture
def identity() -> EngineIdentity:
    return EngineIdentity(
        onnx_sha256="0" * 64,
        library="tensorrt",
        version="10.16.1",
        gpu=Gpu("NVIDIA L4", "8.9", 58, "12.6", "560.35.03"),
        options=EngineOptions("fp16", (480, 352)),
        tensors=(TensorSpec("image", "input", "half", (1, 3, 352, 480)),),
        plan_sha256="f" * 64,
    )
