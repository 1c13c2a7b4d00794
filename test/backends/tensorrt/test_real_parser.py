"""NVIDIA's own parser, strong typing rules and builder, by TensorRT-RTX: it needs no GPU for them.

Not TensorRT itself, but the same interface and rules: what it refuses, TensorRT 10 and 11 most likely refuse, too.
"""

import logging
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper
from support.bundles import make_bundle
from support.half_bundles import make_half_bundle

from hybrid_seg_ros.backends import BackendError
from hybrid_seg_ros.backends.tensorrt import EngineOptions, Precision, engine_options
from hybrid_seg_ros.backends.tensorrt.api import load_tensorrt
from hybrid_seg_ros.backends.tensorrt.build import BuiltPlan, build_plan
from hybrid_seg_ros.backends.tensorrt.logger import make_logger
from hybrid_seg_ros.backends.tensorrt.progress import BuildProgress, ProgressReporter
from hybrid_seg_ros.backends.tensorrt.source import NetworkSource, network_source
from hybrid_seg_ros.bundle import find_bundle, load_bundle

pytest.importorskip("tensorrt_rtx", reason="tensorrt-rtx-cu13 is not installed", exc_type=ImportError)


def build(source: NetworkSource, seen: list[BuildProgress] | None = None) -> BuiltPlan:
    trt = load_tensorrt("tensorrt_rtx", device=False)
    report = (lambda _: None) if seen is None else seen.append
    with ProgressReporter(report, interval_s=0.02) as reporter:
        return build_plan(trt, source.onnx, source.tensors, workspace_mb=1024, reporter=reporter, log=make_logger(trt))


@pytest.mark.parametrize("size", [(480, 352), (1024, 512)])
@pytest.mark.parametrize(("precision", "half_io"), [("fp32", True), ("fp16", True), ("fp16", False)])
def test_the_shipped_network_builds_without_a_complaint(
    precision: Precision, half_io: bool, size: tuple[int, int], caplog: pytest.LogCaptureFixture
) -> None:
    bundle = load_bundle(find_bundle("camvid_hybrid_lite0"))
    source = network_source(bundle, EngineOptions(precision, size, half_io=half_io))
    with caplog.at_level(logging.WARNING):
        built = build(source)
    assert len(built.plan) > len(source.onnx) // 2
    assert {tensor.element for tensor in source.tensors} == {"half" if precision == "fp16" and half_io else "float"}
    assert not [record for record in caplog.records if record.name == "hybrid_seg_ros.tensorrt"]


def test_networks_of_one_size_build_at_it(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "fixed", dynamic=False)
    assert build(network_source(bundle, engine_options(bundle))).plan


def test_the_builder_says_where_it_is(tmp_path: Path) -> None:
    seen: list[BuildProgress] = []
    bundle = load_bundle(find_bundle("camvid_hybrid_lite0"))
    build(network_source(bundle, engine_options(bundle)), seen)
    assert any(progress.phase.startswith("Building engine > ") and progress.steps > 0 for progress in seen)


def test_half_and_float_in_one_addition_are_refused_by_name(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    bundle = make_half_bundle(tmp_path / "mixed")
    source = network_source(bundle, engine_options(bundle, half_io=False))
    model = onnx.load_from_string(source.onnx)
    for node in model.graph.node:  # posterior = its cast to float, plus itself in half
        node.output[:] = ["cast" if name == "posterior" else name for name in node.output]
    model.graph.node.append(helper.make_node("Add", ["cast", "posterior_half"], ["posterior"], "mixed_addition"))
    with pytest.raises(BackendError, match=r"^[^\n]*can parse, found \d fault[^\n]*mixed_addition[^\n]*To fix[^\n]*$"):
        build(NetworkSource("", model.SerializeToString(), source.tensors))
    assert any(r.levelname == "ERROR" and "must have same input types" in r.getMessage() for r in caplog.records)


def test_an_operator_that_nobody_knows_is_refused_by_name(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "odd")
    source = network_source(bundle, engine_options(bundle))
    model = onnx.load_from_string(source.onnx)
    model.graph.node.append(helper.make_node("Frobnicate", ["image"], ["odd"], "odd_node", domain="nobody"))
    model.opset_import.append(helper.make_opsetid("nobody", 1))
    model.graph.output.append(helper.make_tensor_value_info("odd", TensorProto.FLOAT, None))
    with pytest.raises(BackendError, match=r"node \d+ \(Frobnicate odd_node\)"):
        build(NetworkSource("", model.SerializeToString(), source.tensors))
    with pytest.raises(BackendError, match="Failed to parse the ONNX model"):
        build(NetworkSource("", b"rubbish", source.tensors))
