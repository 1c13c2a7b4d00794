from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from tiny import make_data, recipe

from hybrid_seg_ros.backends import create
from hybrid_seg_ros.backends.golden import check
from hybrid_seg_ros.bundle import LogitStatistics, OperatingPoint, load_bundle
from hybrid_seg_ros.detector import open_detector
from hybrid_seg_ros.evaluation import PixelMetrics
from hybrid_seg_ros.frames import Frame
from hybrid_seg_train.calibrate import Calibration
from hybrid_seg_train.calibration.reliability import Bin, Reliability
from hybrid_seg_train.cli import main
from hybrid_seg_train.data.label_space import KnownClass
from hybrid_seg_train.export import export_bundle
from hybrid_seg_train.fit import Effort
from hybrid_seg_train.infer import Predictor, input_spec
from hybrid_seg_train.models import ClosedSetNetwork, ladder_network, upgrade
from hybrid_seg_train.networks import Trained
from hybrid_seg_train.onnx_export import export_onnx
from hybrid_seg_train.parity import (
    FP32_LIMITS,
    ExportError,
    LabelledImage,
    Limits,
    Parity,
    measure_parity,
    parity_scenes,
    require_parity,
)
from hybrid_seg_train.scores import anomaly_scores
from hybrid_seg_train.train import train


@pytest.fixture(scope="module")
def network() -> torch.nn.Module:
    torch.manual_seed(0)
    return ladder_network(11, width=16, pretrained=False).eval()


def labelled_pictures(network: torch.nn.Module) -> list[LabelledImage]:
    """Noise, labelled as an anomaly where this very network's score is in its upper fifth, with some void."""
    rng = np.random.default_rng(0)
    scenes = []
    for h, w in ((64, 96), (96, 160)):
        image = rng.integers(0, 256, (h, w, 3)).astype(np.uint8)
        score = anomaly_scores(*Predictor(network, (w, h))(image))["hybrid"].numpy()
        anomaly = (score > np.quantile(score, 0.8)).astype(np.uint8)
        anomaly[rng.random((h, w)) < 0.1] = 255
        scenes.append(LabelledImage(image, anomaly))
    return scenes


def parity_of(network: torch.nn.Module, file: Path) -> Parity:
    return measure_parity(network, file, labelled_pictures(network), input_spec((96, 64), network))


def test_onnx_equals_pytorch_at_every_size(network: torch.nn.Module, tmp_path: Path) -> None:
    export_onnx(network, tmp_path / "m.onnx")
    parity = parity_of(network, tmp_path / "m.onnx")
    require_parity(parity, "m.onnx", FP32_LIMITS)
    assert parity.expected.average_precision > 0.9
    assert parity.found.average_precision == pytest.approx(parity.expected.average_precision, abs=1e-5)


def test_parity_scenes_hold_unknown_objects_and_stay_the_same() -> None:
    scenes = parity_scenes((160, 96), count=2)
    assert len(scenes) == 2
    for image, anomaly in scenes:
        assert image.shape == (96, 160, 3)
        assert {0, 1} <= set(np.unique(anomaly)) <= {0, 1, 255}
    for one, again in zip(scenes, parity_scenes((160, 96), count=2), strict=True):
        np.testing.assert_array_equal(one.image, again.image)


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
    require_parity(parity_of(network, tmp_path / "h.onnx"), "h.onnx", Limits(labels=0.97, score=0.25, ranking=0.02))
    assert next(network.parameters()).dtype == torch.float32


def corrupt(file: Path, weight: str, change: Callable[[np.ndarray], np.ndarray]) -> None:
    """Change the only weight whose name holds `weight`."""
    model = onnx.load(file)
    (found,) = [w for w in model.graph.initializer if weight in w.name]
    found.CopyFrom(onnx.numpy_helper.from_array(change(onnx.numpy_helper.to_array(found)), found.name))
    onnx.save(model, file)


def test_another_networks_file_fails_and_every_figure_is_named(network: torch.nn.Module, tmp_path: Path) -> None:
    torch.manual_seed(1)
    export_onnx(ladder_network(11, width=16, pretrained=False).eval(), tmp_path / "other.onnx")
    with pytest.raises(ExportError) as caught:
        require_parity(parity_of(network, tmp_path / "other.onnx"), "other.onnx", FP32_LIMITS)
    for part in ("other.onnx: ", "of the labels equal PyTorch's, expected 99.99%", "the score is up to", "AP is"):
        assert part in str(caught.value)


def test_one_corrupted_weight_in_the_file_fails(network: torch.nn.Module, tmp_path: Path) -> None:
    file = tmp_path / "m.onnx"
    export_onnx(network, file)
    corrupt(file, "head.2.weight", lambda weight: -weight)
    parity = parity_of(network, file)
    assert parity.label_agreement == 1.0
    with pytest.raises(ExportError, match=r"m\.onnx: the score is up to .* off PyTorch's, expected at most .*; AP is"):
        require_parity(parity, "m.onnx", FP32_LIMITS)
    # However far labels and score may be off, what the score finds may not be.
    with pytest.raises(ExportError, match=r"AP is .*%, PyTorch's .*%, expected within 0\.1 points"):
        require_parity(parity, "m.onnx", Limits(labels=0.0, score=1e9, ranking=1e-3))


def test_every_limit_counts() -> None:
    same, drifted = PixelMetrics(0.5, 0.1, 0.9), PixelMetrics(0.5, 0.2, 0.9)
    limits = Limits(labels=0.99, score=0.1, ranking=0.01)
    require_parity(Parity(1.0, 0.05, 1.0, same, same), "m.onnx", limits)
    for parity, message in (
        (Parity(0.98, 0.05, 1.0, same, same), r"98\.0000% of the labels"),
        (Parity(1.0, 2.0, 1.0, same, same), r"the score is up to 2 off PyTorch's, expected at most 0\.1"),
        (Parity(1.0, float("nan"), 1.0, same, same), "the score is up to nan off"),
        (Parity(1.0, 0.05, 1.0, same, drifted), r"FPR95 is 20\.00%, PyTorch's 10\.00%, expected within 1 points"),
    ):
        with pytest.raises(ExportError, match=message):
            require_parity(parity, "m.onnx", limits)


class StrideEight(torch.nn.Module):
    """A user's own closed-set network of three classes at stride 8, with other input statistics than ours."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 8, stride=8), torch.nn.ReLU())
        self.classes = torch.nn.Conv2d(8, 3, 1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.classes(self.stem(image))
        return logits


def own_network(*, align_corners: bool = False) -> Trained:
    torch.manual_seed(0)
    closed = ClosedSetNetwork(StrideEight(), classes=3, mean=(0.5, 0.4, 0.3), align_corners=align_corners)
    return Trained(upgrade(closed).eval(), recipe(2), 2, "hybrid")


FACTS = recipe(2).export.card
assert FACTS is not None


def calibration_of(classes: int) -> Calibration:
    rows = tuple((0.0,) * classes for _ in range(classes))
    ones = tuple((1.0,) * classes for _ in range(classes))
    bins = (Bin(0.0, 0.5, 3, 0.25, 0.5), Bin(0.5, 1.0, 7, 0.75, 1.0))
    measured = Reliability(0.25, 0.125, 0.5, 0.0625, 10, bins, bins)
    point = OperatingPoint(threshold=-1.0, source="generated", tpr=0.95, fpr=None)
    return Calibration(
        {"best_f1": point}, 1.5, 0.25, 0.125, {"energy": PixelMetrics(0.5, 0.25, 0.75)}, "energy", "generated",
        "isotonic", ((0.0, 0.1), (1.0, 0.9)), {"none": measured, "isotonic": measured},
        LogitStatistics(source="generated", pixels=(4,) * classes, means=rows, variances=ones),
    )  # fmt: skip


EVALUATION: dict[str, Any] = {
    "closed_set": {"val_96x64": {"miou": 0.75, "iou": {"Sky": 0.5, "Way": 0.75, "Thing": 1.0}}},
    "closed_set_before": {"val_96x64": {"miou": 0.875}},
    "anomaly": {"generated": {"energy": {"average_precision": 0.5, "fpr95": 0.25, "auroc": 0.75}}},
    "components": {
        "generated": {
            "mean_siou": 0.375, "mean_ppv": 0.25, "mean_f1": 0.125, "track": "obstacle",
        }
    },
}  # fmt: skip


def test_any_network_and_label_space_can_be_exported(tmp_path: Path) -> None:
    classes = (
        KnownClass("Sky", (1, 2, 3)),
        KnownClass("Way", (4, 5, 6), drivable=True),
        KnownClass("Thing", (7, 8, 9)),
    )
    trained, calibration = own_network(), calibration_of(3)
    bundle = export_bundle(
        trained, calibration, EVALUATION, tmp_path / "own", classes=classes, size=(160, 96), facts=FACTS
    )
    manifest = bundle.manifest
    assert manifest.outputs.stride == 8
    assert manifest.input.mean == (0.5, 0.4, 0.3)
    assert [c.name for c in manifest.classes] == ["Sky", "Way", "Thing"]
    assert manifest.score.kind == "energy"
    assert manifest.score.confidence_table == ((0.0, 0.1), (1.0, 0.9))
    assert manifest.score.statistics == calibration.statistics
    assert manifest.training.metrics["val_96x64_miou_before"] == 0.875
    assert manifest.training.metrics["generated_component_mean_f1"] == 0.125
    card = bundle.file("MODEL_CARD.md").read_text()
    for part in (
        "3 known classes", "| Thing | 100.0% |", "| mean before it became open-set | 87.5% |",
        "| generated | obstacle | 37.5% | 25.0% | 12.5% |",
        "| **isotonic** | 25.00% | 12.50% | 0.5000 | 0.0625 |", "| 0.50 - 1.00 | 7 | 75.0% | 100.0% |",
        "then a table of 2 knots", "| energy (s_G) | 50.0% / 25.0% / 75.0% |",
    ):  # fmt: skip
        assert part in card, part
    image = parity_scenes((160, 96), count=1)[0].image
    with open_detector(bundle, "onnxruntime") as detector:
        found = detector(Frame(image)).score
    expected = anomaly_scores(*Predictor(trained.network, (160, 96))(image))["energy"]
    np.testing.assert_allclose(found, expected.numpy(), atol=1e-3)


def test_what_a_bundle_cannot_say_is_not_exported(tmp_path: Path) -> None:
    classes = tuple(KnownClass(name, (0, 0, 0)) for name in "abc")
    with pytest.raises(ExportError, match="the network has 3 logits, expected 2, one a known class"):
        export_bundle(own_network(), calibration_of(3), None, tmp_path / "own", classes=classes[:2], facts=FACTS)
    odd = own_network(align_corners=True)
    with pytest.raises(ExportError, match="align_corners=True"):
        export_bundle(odd, calibration_of(3), None, tmp_path / "own", classes=classes, facts=FACTS)
    assert not (tmp_path / "own").exists()


def test_the_documented_chain_makes_a_bundle_the_backend_accepts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data, folder, out = make_data(tmp_path / "data"), tmp_path / "run", tmp_path / "bundle"
    train(recipe(2), "hybrid", data, folder, Effort(workers=0, progress=False))
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
    assert main(["hybrid", "--config", "camvid_hybrid_lite0", "--run", str(tmp_path)]) == 1
    assert "Give --data FOLDER or set HYBRID_SEG_DATA" in capsys.readouterr().err
