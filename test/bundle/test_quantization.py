from typing import Any

import pytest
import yaml
from support.bundles import make_bundle

from hybrid_seg_ros.bundle import INT8_MODEL, Bundle, BundleError, cost_text, describe, load_bundle, seal_bundle
from hybrid_seg_ros.bundle.store import read_manifest


def accuracy(miou: float, ap: float, tpr: float) -> dict[str, Any]:
    return {
        "miou": miou,
        "anomaly": {"val": {"average_precision": ap, "fpr95": 0.01}, "road": {"average_precision": ap, "fpr95": 0.5}},
        "operating_points": {name: {"tpr": tpr, "fpr": 0.02} for name in ("tpr95", "best_f1", "fpr_5")},
    }


@pytest.fixture
def quantized(tmp_path: Any) -> Bundle:
    """A bundle with an 8-bit file (its content plays no part here) and its cost."""
    bundle = make_bundle(tmp_path / "tiny")
    (bundle.path / INT8_MODEL).write_bytes(b"8 bits")
    bundle = seal_bundle(bundle.path)
    raw = read_manifest(bundle.path)
    raw["quantization"] = {
        "model": bundle.manifest.files["model.onnx"],
        "method": "minmax",
        "images": 96,
        "source": "96 of camvid train",
        "keep_float": ["/stem/*"],
        "before": accuracy(0.65, 0.92, 0.95),
        "after": {INT8_MODEL: accuracy(0.64, 0.925, 0.931)},
    }
    return rewritten(bundle, raw)


def rewritten(bundle: Bundle, raw: dict[str, Any]) -> Bundle:
    (bundle.path / "manifest.yaml").write_text(yaml.safe_dump(raw, sort_keys=False))
    return load_bundle(bundle.path)


def test_the_cost_is_said_in_full_with_its_sign(quantized: Bundle) -> None:
    assert cost_text(quantized.manifest).splitlines() == [
        "model.int8.onnx beside model.onnx: mIoU 65.00 -> 64.00 % (-1.00)",
        "  val: AP 92.00 -> 92.50 % (+0.50), FPR95 1.00 -> 1.00 % (+0.00)",
        "  road: AP 92.00 -> 92.50 % (+0.50), FPR95 50.00 -> 50.00 % (+0.00)",
        "  at the threshold of tpr95: TPR 95.00 -> 93.10 % (-1.90), FPR 2.00 -> 2.00 % (+0.00)",
        "  at the threshold of best_f1: TPR 95.00 -> 93.10 % (-1.90), FPR 2.00 -> 2.00 % (+0.00)",
        "  at the threshold of fpr_5: TPR 95.00 -> 93.10 % (-1.90), FPR 2.00 -> 2.00 % (+0.00)",
    ]
    assert cost_text(quantized.manifest, INT8_MODEL) == cost_text(quantized.manifest)
    text = describe(quantized)
    assert "minmax of 96 images: 96 of camvid train" in text
    assert "the heads, /stem/*" in text
    assert all(line in text for line in cost_text(quantized.manifest).splitlines())


def test_what_was_never_measured_is_said_to_be_so(tiny_bundle: Bundle, quantized: Bundle) -> None:
    assert tiny_bundle.manifest.quantization is None
    assert "quantization" not in read_manifest(tiny_bundle.path)  # earlier versions refuse unknown keys
    assert "8-bit" not in describe(tiny_bundle)
    assert "the accuracy of 8-bit files was never measured" in cost_text(tiny_bundle.manifest)
    said = cost_text(quantized.manifest, "model.uint8.onnx")
    assert "the accuracy of model.uint8.onnx was never measured. To fix: hybrid-seg-train quantize" in said


def test_sealing_keeps_the_cost_and_refuses_that_of_another_network(quantized: Bundle) -> None:
    assert seal_bundle(quantized.path).manifest == quantized.manifest
    (quantized.path / "model.onnx").write_bytes(b"another")
    with pytest.raises(BundleError, match=r"quantization is of a model\.onnx with SHA-256 .* quantize again with"):
        seal_bundle(quantized.path)


@pytest.mark.parametrize(
    ("path", "value", "fault"),
    [
        (("after",), {"model.other.onnx": accuracy(0.6, 0.9, 0.9)}, "quantization is of model.other.onnx, which files"),
        (("after",), {}, "quantization.after"),
        (("before", "operating_points"), {}, "operating_points is of ['tpr95', 'best_f1', 'fpr_5'], expected [] as"),
        (("after", INT8_MODEL, "anomaly", "val", "fpr95"), 1.5, "fpr95"),
        (("method",), "guess", "quantization.method"),
        (("images",), 0, "quantization.images"),
        (("model",), "abc", "quantization.model"),
    ],
)
def test_wrong_entries_are_named(quantized: Bundle, path: tuple[str, ...], value: object, fault: str) -> None:
    raw = read_manifest(quantized.path)
    entry = raw["quantization"]
    for key in path[:-1]:
        entry = entry[key]
    entry[path[-1]] = value
    with pytest.raises(BundleError) as caught:
        rewritten(quantized, raw)
    assert fault in caught.value.found


def test_operating_points_are_those_of_the_score(quantized: Bundle) -> None:
    raw = read_manifest(quantized.path)
    del raw["score"]["operating_points"]["fpr_5"]
    with pytest.raises(BundleError, match="has the operating points fpr_5, which score lacks"):
        rewritten(quantized, raw)


def test_points_added_later_are_said_to_be_not_measured(quantized: Bundle) -> None:
    raw = read_manifest(quantized.path)
    raw["score"]["operating_points"]["mine"] = {"threshold": 1.5, "source": "my drive"}
    found = rewritten(quantized, raw)
    assert cost_text(found.manifest).splitlines()[-1] == "  at the threshold of mine: not measured"
