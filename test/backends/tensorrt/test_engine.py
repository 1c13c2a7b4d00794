import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from support.bundles import TinyNetwork
from support.fake_tensorrt import VERSIONS, Faults, install
from support.half_bundles import make_half_bundle

from hybrid_seg_ros.backends import BackendError
from hybrid_seg_ros.backends.tensorrt import (
    EngineOptions,
    Precision,
    PreparedEngine,
    TensorRTNetwork,
    engine_options,
    prepare_engine,
)
from hybrid_seg_ros.backends.tensorrt.layers import LayerRow, layer_rows, layer_table
from hybrid_seg_ros.bundle import Bundle

SIZE = (96, 64)
DTYPES = {"half": np.float16, "float": np.float32}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return make_half_bundle(tmp_path_factory.mktemp("bundles") / "tiny")


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch) -> Faults:
    return install(monkeypatch)


def prepared(bundle: Bundle, folder: Path, precision: Precision = "fp16", **options: Any) -> PreparedEngine:
    chosen = engine_options(bundle, precision=precision, input_size=SIZE, **options)
    return prepare_engine(bundle, chosen, cache_dir=folder)


def buffers(network: TensorRTNetwork) -> list[npt.NDArray[Any]]:
    shapes = [tensor.shape for tensor in network.identity.tensors]
    kinds = [network.element, network.output_element, network.output_element]
    return [np.zeros(shape, DTYPES[kind]) for shape, kind in zip(shapes, kinds, strict=True)]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("precision", "half_io", "element", "tolerance"),
    [("fp32", True, "float", 1e-5), ("fp16", False, "float", 2e-2), ("fp16", True, "half", 2e-2)],
)
def test_computes_the_network_at_the_bound_addresses(
    version: str,
    precision: Precision,
    half_io: bool,
    element: str,
    tolerance: float,
    bundle: Bundle,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    install(monkeypatch, version)
    network = prepared(bundle, tmp_path, precision, half_io=half_io).open()
    assert (network.input_size, network.element, network.output_element) == (SIZE, element, element)
    image, logits, posterior = buffers(network)
    network.bind(image.ctypes.data, logits.ctypes.data, posterior.ctypes.data)
    for seed in range(2):  # bound once, run many times
        image[...] = np.random.default_rng(seed).normal(0, 1, image.shape)
        network.enqueue(0)
        expected = TinyNetwork().run(image.astype(np.float32))
        for found, wanted in zip((logits, posterior), expected, strict=True):
            np.testing.assert_allclose(found[0], wanted, atol=tolerance * np.abs(wanted).max())
    network.close()


def test_closes_context_before_engine_before_runtime(bundle: Bundle, tmp_path: Path, faults: Faults) -> None:
    network = prepared(bundle, tmp_path).open()
    assert faults.released == []
    network.close()
    assert faults.released == ["context", "engine", "runtime"]
    network.close()
    for call in (lambda: network.enqueue(0), lambda: network.bind(1, 2, 3)):
        with pytest.raises(BackendError, match="after close"):
            call()


def test_a_plan_that_does_not_load_is_a_failure_with_the_last_words(
    bundle: Bundle, tmp_path: Path, faults: Faults
) -> None:
    engine = prepared(bundle, tmp_path)
    faults.not_loadable = True
    with pytest.raises(BackendError, match=r"that it can load, found that it cannot; .*OutOfMemory.*--force"):
        engine.open()


def test_no_memory_for_the_engine_is_a_failure_that_releases_all(
    bundle: Bundle, tmp_path: Path, faults: Faults
) -> None:
    engine = prepared(bundle, tmp_path)
    faults.no_context = True
    with pytest.raises(BackendError, match="expected device memory for the engine, found too little"):
        engine.open()
    assert sorted(faults.released) == ["engine", "runtime"]


def test_an_engine_with_other_tensors_is_refused(bundle: Bundle, tmp_path: Path, faults: Faults) -> None:
    engine, other = prepared(bundle, tmp_path), prepared(bundle, tmp_path, half_io=False)
    mixed = PreparedEngine(engine.trt, engine.plan, other.identity, None, (), 0.0)
    with pytest.raises(BackendError, match=r"expected an engine with input image float.*found input image half"):
        mixed.open()


def test_addresses_and_runs_that_fail_are_errors(bundle: Bundle, tmp_path: Path, faults: Faults) -> None:
    network = prepared(bundle, tmp_path).open()
    with pytest.raises(BackendError, match="enqueue before bind"):
        network.enqueue(0)
    with pytest.raises(BackendError, match=r"device address for output logits half\[1, 11, 16, 24\], found 0x0"):
        network.bind(256, 0, 256)
    faults.bad_address = True
    with pytest.raises(BackendError, match="device address for input image"):
        network.bind(256, 256, 256)
    faults.bad_address = False
    network.bind(256, 256, 256)
    faults.run_fails = True
    with pytest.raises(BackendError, match="the run failed"):
        network.enqueue(0)


def test_a_precision_that_the_bundle_lacks(bundle: Bundle, tmp_path: Path, faults: Faults) -> None:
    with pytest.raises(BackendError, match=r"expected model.int8.onnx .* found model.fp16.onnx, model.onnx.*quantize"):
        prepared(bundle, tmp_path, "int8")


def test_defaults_come_from_the_bundle(bundle: Bundle, tiny_bundle: Bundle) -> None:
    assert engine_options(bundle) == EngineOptions("fp16", (128, 96))
    assert engine_options(tiny_bundle).precision == "fp32"
    with pytest.raises(BackendError, match="multiples of 32"):
        engine_options(bundle, input_size=(100, 64))
    with pytest.raises(ValueError, match="workspace_mb is 0"):
        engine_options(bundle, workspace_mb=0)


def test_the_layer_report_has_a_row_a_layer(bundle: Bundle, tmp_path: Path, faults: Faults) -> None:
    rows = prepared(bundle, tmp_path).layers()
    assert [row.kind for row in rows] == ["Cast", "Conv", "Relu", "Conv", "Conv", "Cast", "Cast"]
    assert rows[1] == LayerRow("stem_out", "Conv", "Half", "sm80_Conv")
    lines = layer_table(rows).splitlines()
    assert len(lines) == 1 + len(rows)
    assert lines[0].index("ONNX nodes") == lines[2].index("stem_out")
    assert faults.released == ["engine", "runtime"]


class _Inspected:
    def __init__(self, text: str) -> None:
        self._text = text

    def create_engine_inspector(self) -> "_Inspected":
        return self

    def get_engine_information(self, kind: object) -> str:
        return self._text


def test_the_layer_report_takes_what_versions_tell_and_refuses_other_text(
    bundle: Bundle, tmp_path: Path, faults: Faults
) -> None:
    trt = prepared(bundle, tmp_path).trt
    told = {
        "Layers": [
            "only a name",
            {"Name": "conv + relu", "LayerType": "CaskConvolution", "TacticValue": "0x123", "Outputs": []},
            {
                "Name": "r",
                "LayerType": "Reformat",
                "Outputs": [{"Format": "CHW", "Datatype": "Half"}],
                "TacticName": "k",
            },
        ]
    }
    assert layer_rows(trt, _Inspected(json.dumps(told))) == [
        LayerRow("only a name", "", "", ""),
        LayerRow("conv + relu", "CaskConvolution", "", "0x123"),
        LayerRow("r", "Reformat", "Half CHW", "k"),
    ]
    for text in ("", "[]", '{"Layers": 3}', "no JSON"):
        with pytest.raises(BackendError, match="expected the engine inspector's JSON"):
            layer_rows(trt, _Inspected(text))
