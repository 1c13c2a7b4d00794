import logging
import threading
from typing import Any

import numpy as np
import pytest
from support.bundles import TinyNetwork
from support.fake_tensorrt import VERSIONS, Faults, make_module
from support.half_bundles import half_onnx

from hybrid_seg_ros.backends import BackendError
from hybrid_seg_ros.backends.tensorrt.api import TensorRT
from hybrid_seg_ros.backends.tensorrt.build import BuiltPlan, build_plan
from hybrid_seg_ros.backends.tensorrt.engine import deserialize
from hybrid_seg_ros.backends.tensorrt.identity import TensorSpec
from hybrid_seg_ros.backends.tensorrt.logger import make_logger
from hybrid_seg_ros.backends.tensorrt.progress import BuildProgress, ProgressReporter, progress_monitor

TENSORS = (
    TensorSpec("image", "input", "float", (1, 3, 64, 96)),
    TensorSpec("logits", "output", "float", (1, 11, 16, 24)),
    TensorSpec("posterior", "output", "float", (1, 2, 16, 24)),
)


def library(version: str = "10.16.1.11", faults: Faults | None = None) -> TensorRT:
    return TensorRT(make_module(version, faults or Faults()), "tensorrt", version)


def build(
    trt: TensorRT, model: bytes | None = None, tensors: tuple[TensorSpec, ...] = TENSORS, **more: Any
) -> BuiltPlan:
    cancel = more.pop("cancel", None)
    with ProgressReporter(more.pop("report", lambda _: None), interval_s=0.01, cancel=cancel) as reporter:
        return build_plan(
            trt,
            half_onnx() if model is None else model,
            tensors,
            workspace_mb=64,
            reporter=reporter,
            log=make_logger(trt),
            **more,
        )


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("model", [half_onnx(), TinyNetwork().onnx_bytes(96, 64, dynamic=False)])
def test_builds_with_the_names_that_each_version_has(version: str, model: bytes) -> None:
    trt = library(version)
    built = build(trt, model)
    _, engine = deserialize(trt, built.plan, make_logger(trt))
    assert {engine.get_tensor_name(i) for i in range(engine.num_io_tensors)} == {t.name for t in TENSORS}
    assert built.timing_cache == b"+timed"


def test_float32_means_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    trt = library()
    cleared: list[Any] = []
    monkeypatch.setattr(trt.module.IBuilderConfig, "clear_flag", lambda _, flag: cleared.append(flag))
    build(trt)
    assert cleared == [trt.module.BuilderFlag.TF32]


def test_every_parser_error_is_in_the_message() -> None:
    faults = Faults(parser_errors=("half and float must not be added", "no such mode"))
    with pytest.raises(BackendError) as caught:
        build(library(faults=faults))
    text = str(caught.value)
    assert "found 2 faults: node 0 (Resize /node_0): half and float must not be added; node 1 (Resize" in text
    assert "no such mode. To fix: export the bundle again" in text
    assert faults.builds == 0


def test_rubbish_is_not_parsed() -> None:
    with pytest.raises(BackendError, match="Failed to parse the ONNX model"):
        build(library(), b"rubbish")


def test_no_plan_is_a_failure_with_the_last_words_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR), pytest.raises(BackendError, match=r"found none; .* OutOfMemory .*64 MB"):
        build(library(faults=Faults(no_plan=True)))
    assert "OutOfMemory" in caplog.text


def test_no_builder_is_a_failure_with_the_last_words_of_the_log() -> None:
    with pytest.raises(BackendError, match=r"expected a builder, found none: .*OutOfMemory"):
        build(library(faults=Faults(no_builder=True)))


def test_other_inputs_or_outputs_than_the_manifests_are_refused_before_anything_is_built() -> None:
    faults = Faults()
    renamed = (TENSORS[0], TensorSpec("scores", "output", "float", (1, 11, 16, 24)), TENSORS[2])
    with pytest.raises(BackendError, match=r"outputs \['posterior', 'scores'\] .* found \['logits', 'posterior'\]"):
        build(library(faults=faults), tensors=renamed)
    assert faults.builds == 0


def test_a_network_of_one_size_is_not_built_for_another() -> None:
    with pytest.raises(BackendError, match=r"image can be \[1, 3, 64, 96\], found \[1, 3, 96, 128\]"):
        build(library(), TinyNetwork().onnx_bytes(128, 96, dynamic=False))


def test_the_timing_cache_is_used_and_one_of_another_machine_replaced() -> None:
    faults = Faults()
    trt = library(faults=faults)
    first = build(trt)
    assert build(trt, timing_cache=first.timing_cache).timing_cache == b"+timed+timed"
    assert build(trt, timing_cache=b"of another machine").timing_cache == b"+timed"
    assert faults.timing_caches == [b"", b"+timed", b"of another machine", b""]


def test_progress_is_reported_while_it_builds() -> None:
    seen: list[BuildProgress] = []
    build(library(faults=Faults(slow_s=0.5)), report=seen.append)
    inside = [p for p in seen if p.phase == "Building engine > Timing graph nodes"]
    assert inside
    assert [p.step for p in inside] == sorted(p.step for p in inside)
    assert {p.steps for p in inside} == {10}
    assert np.all(np.diff([p.elapsed_s for p in seen]) > 0)
    assert str(BuildProgress("Building engine", 3, 6, 12.4)) == "Building engine, step 3 of 6, 12 s"
    assert str(BuildProgress("parsing", 0, 0, 0.2)) == "parsing, 0 s"


def test_a_report_that_fails_does_not_end_the_build(caplog: pytest.LogCaptureFixture) -> None:
    calls = []

    def fail(progress: BuildProgress) -> None:
        calls.append(progress)
        raise OSError("no terminal")

    assert build(library(faults=Faults(slow_s=0.2)), report=fail).plan
    assert len(calls) == 1
    assert "no terminal" in caplog.text


def test_cancelling_ends_the_build_at_its_next_step() -> None:
    cancel = threading.Event()
    seen: list[BuildProgress] = []

    def report(progress: BuildProgress) -> None:
        seen.append(progress)
        cancel.set()

    with pytest.raises(BackendError, match="the build was cancelled"):
        build(library(faults=Faults(slow_s=2)), cancel=cancel, report=report)
    assert max(progress.step for progress in seen) < 9


def test_nested_phases_end_where_they_began() -> None:
    reporter = ProgressReporter(lambda _: None)
    monitor = progress_monitor(library(), reporter)
    reporter.say("parsing")
    assert reporter.now().phase == "parsing"
    monitor.phase_start("outer", None, 4)
    assert monitor.step_complete("outer", 0) is True
    monitor.phase_start("inner", "outer", 7)
    monitor.step_complete("inner", 2)
    assert (reporter.now().phase, reporter.now().step, reporter.now().steps) == ("outer > inner", 3, 7)
    monitor.phase_finish("inner")
    assert (reporter.now().phase, reporter.now().step, reporter.now().steps) == ("outer", 1, 4)
    monitor.phase_finish("outer")
    monitor.phase_finish("never began")
    monitor.step_complete("never began", 1)
    assert reporter.now().phase == "parsing"


def test_the_log_keeps_what_matters_and_forwards_it(caplog: pytest.LogCaptureFixture) -> None:
    trt = library()
    severity = trt.module.ILogger.Severity
    log: Any = make_logger(trt)
    assert log.last() == "nothing"
    with caplog.at_level(logging.DEBUG):
        for index in range(300):
            log.log(severity.INFO, f"line {index}")
            log.log(severity.VERBOSE, "chatter")
        assert log.last(2) == "line 298 | line 299"
        log.log(severity.WARNING, "slow\nformat")
        assert log.last() == "slow format"
    levels = {record.levelno for record in caplog.records}
    assert levels == {logging.DEBUG, logging.WARNING}
    assert "chatter" not in caplog.text


def test_the_fake_lacks_what_versions_lack() -> None:
    old, new = (make_module(version, Faults()) for version in ("10.3.0", "11.4.0.106"))
    for group, name in (("NetworkDefinitionCreationFlag", "EXPLICIT_BATCH"), ("BuilderFlag", "FP16")):
        assert hasattr(getattr(old, group), name)
        assert not hasattr(getattr(new, group), name)
    config: Any = new.Builder(make_logger(library())).create_builder_config()
    with pytest.raises(AttributeError, match=r"TensorRT 11\.4\.0\.106: IBuilderConfig has no 'int8_calibrator'"):
        config.int8_calibrator = None
