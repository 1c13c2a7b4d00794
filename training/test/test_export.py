from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from tiny import make_data, recipe

from hybrid_seg_ros.backends import create
from hybrid_seg_ros.backends.golden import check
from hybrid_seg_ros.bundle import load_bundle
from hybrid_seg_train.cli import main
from hybrid_seg_train.models import ladder_network
from hybrid_seg_train.onnx_export import export_onnx
from hybrid_seg_train.parity import ExportError, Parity, measure_parity, require_parity
from hybrid_seg_train.train import train


@pytest.fixture(scope="module")
def network() -> torch.nn.Module:
    torch.manual_seed(0)
    return ladder_network(11, width=16, pretrained=False).eval()


def pictures() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (h, w, 3)).astype(np.uint8) for h, w in ((64, 96), (96, 160))]


def test_onnx_equals_pytorch_at_every_size(network: torch.nn.Module, tmp_path: Path) -> None:
    export_onnx(network, tmp_path / "m.onnx")
    parity = measure_parity(network, tmp_path / "m.onnx", pictures())
    require_parity(parity, "m.onnx", labels=0.9999, score=1e-3)


def test_graph_is_friendly_to_other_runtimes_and_says_nothing_of_its_origin(
    network: torch.nn.Module, tmp_path: Path
) -> None:
    export_onnx(network, tmp_path / "m.onnx")
    graph = onnx.load(tmp_path / "m.onnx").graph
    resizes = [node for node in graph.node if node.op_type == "Resize"]
    assert len(resizes) == 3
    for node in resizes:
        options = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        assert (options["coordinate_transformation_mode"], options["mode"]) == (b"half_pixel", b"linear")
        assert node.input[2]
        assert len(node.input) == 3
    assert not any(node.op_type in ("Pad", "Softmax", "ArgMax", "LogSoftmax") for node in graph.node)
    assert str(Path(__file__).parents[2]).encode() not in (tmp_path / "m.onnx").read_bytes()


def test_half_precision_file_has_half_weights_behind_float_inputs(network: torch.nn.Module, tmp_path: Path) -> None:
    export_onnx(network, tmp_path / "m.onnx")
    export_onnx(network, tmp_path / "h.onnx", half=True)
    graph = onnx.load(tmp_path / "h.onnx").graph
    float_kinds = (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16)
    kinds = [w.data_type for w in graph.initializer if w.data_type in float_kinds and np.prod(w.dims) > 16]
    assert set(kinds) == {onnx.TensorProto.FLOAT16}
    ends = [value.type.tensor_type.elem_type for value in (*graph.input, *graph.output)]
    assert set(ends) == {onnx.TensorProto.FLOAT}
    assert (tmp_path / "h.onnx").stat().st_size < 0.6 * (tmp_path / "m.onnx").stat().st_size
    require_parity(measure_parity(network, tmp_path / "h.onnx", pictures()), "h.onnx", labels=0.97, score=0.25)
    assert next(network.parameters()).dtype == torch.float32


def test_a_drifting_export_fails(network: torch.nn.Module, tmp_path: Path) -> None:
    torch.manual_seed(1)
    export_onnx(ladder_network(11, width=16, pretrained=False).eval(), tmp_path / "other.onnx")
    parity = measure_parity(network, tmp_path / "other.onnx", pictures())
    with pytest.raises(ExportError, match=r"other\.onnx: .* of the labels equal PyTorch's, expected 99\.99%"):
        require_parity(parity, "other.onnx", labels=0.9999, score=1e-3)
    with pytest.raises(ExportError, match="the hybrid score is up to 2 off"):
        require_parity(Parity(1.0, 2.0, 1.0), "m.onnx", labels=0.99, score=0.1)


def test_the_documented_chain_makes_a_bundle_the_backend_accepts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data, folder, out = make_data(tmp_path / "data"), tmp_path / "run", tmp_path / "bundle"
    train(recipe(2), data, folder, workers=0, progress=False)
    monkeypatch.setenv("HYBRID_SEG_DATA", str(data))
    assert main(["export", "--run", str(folder), "--out", str(out), "--interim"]) == 1
    assert "make it with: hybrid-seg-train calibrate" in capsys.readouterr().err
    assert main(["calibrate", "--run", str(folder)]) == 0
    assert main(["export", "--run", str(folder), "--out", str(out)]) == 1
    assert "make it with: hybrid-seg-train evaluate" in capsys.readouterr().err
    assert main(["export", "--run", str(folder), "--out", str(out), "--interim"]) == 0
    bundle = load_bundle(out)
    assert {"model.onnx", "model.fp16.onnx", "golden.npz", "MODEL_CARD.md"} <= set(bundle.manifest.files)
    assert bundle.manifest.classes[3].name == "Road"
    assert bundle.manifest.classes[3].drivable
    assert "Interim export" in (out / "MODEL_CARD.md").read_text()
    golden = bundle.golden()
    backend = create("onnxruntime", bundle, (golden.image.shape[1], golden.image.shape[0]))
    assert check(backend.infer, bundle) < 1e-4
    backend.close()


def test_without_data_the_command_says_what_to_give(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("HYBRID_SEG_DATA", raising=False)
    assert main(["train", "camvid_hybrid_lite0", "--run", str(tmp_path)]) == 1
    assert "Give --data FOLDER or set HYBRID_SEG_DATA" in capsys.readouterr().err
