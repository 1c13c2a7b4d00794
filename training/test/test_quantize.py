import hashlib
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from tiny import changed, make_data, recipe

from hybrid_seg_ros.bundle import (
    INT8_MODEL,
    UINT8_MODEL,
    Bundle,
    DomainStatistics,
    NetworkOutputs,
    OperatingPoint,
    Provenance,
    Score,
    cost_text,
    load_bundle,
    seal_bundle,
    write_bundle,
)
from hybrid_seg_ros.detector import reference
from hybrid_seg_ros.detector.plans import Plan
from hybrid_seg_ros.detector.preprocess import Preprocessor
from hybrid_seg_ros.evaluation import average_precision, fpr_at_tpr
from hybrid_seg_ros.frames.geometry import Placement
from hybrid_seg_train.cli import main
from hybrid_seg_train.data.label_space import load_label_space
from hybrid_seg_train.export import class_table, golden
from hybrid_seg_train.infer import input_spec
from hybrid_seg_train.measure import calibration_images as measured_images
from hybrid_seg_train.models import ladder_network
from hybrid_seg_train.onnx_export import OnnxNetwork, export_onnx
from hybrid_seg_train.quantization.card import CARD, tell_on_card
from hybrid_seg_train.quantization.graph import METHODS, head_nodes, kept_float
from hybrid_seg_train.quantization.images import calibration_images
from hybrid_seg_train.quantize import bundle_recipe, make_files, plan_quantization, quantize
from hybrid_seg_train.recipe import Recipe, RecipeError
from hybrid_seg_train.unseen import anomaly_labels

SIZE = (128, 96)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A narrow ladder network that was never trained, exported as it is done for real."""
    root = tmp_path_factory.mktemp("bundle")
    torch.manual_seed(3)
    network = ladder_network(11, width=16, pretrained=False).eval()
    _settle(network)
    export_onnx(network, root / "model.onnx")
    spec = input_spec(SIZE, network)
    image = np.random.default_rng(0).integers(0, 256, (SIZE[1], SIZE[0], 3), np.uint8)
    return write_bundle(
        root / "tiny",
        name="tiny",
        files={"model.onnx": root / "model.onnx", "MODEL_CARD.md": b"# For tests\n"},
        golden=golden(network, image, spec),
        network_input=spec,
        network_outputs=NetworkOutputs(stride=4),
        classes=class_table(load_label_space("camvid11").classes),
        score=Score(
            operating_points={
                "low": OperatingPoint(threshold=-4.0, source="nowhere"),
                "high": OperatingPoint(threshold=-3.0, source="nowhere"),
            },
            default="low",
        ),
        training=Provenance(datasets=["noise"], licenses=["none"], seed=3, recipe="tiny"),
        domain=DomainStatistics(source="nowhere", images=20, typical=-5.0, high=-4.0),
    )


def _settle(network: torch.nn.Module) -> None:
    """Give the batch norms the statistics of noise: with those of a fresh network, signals fade layer by layer."""
    network.train()
    with torch.no_grad():
        for _ in range(20):
            network(torch.randn(2, 3, SIZE[1], SIZE[0]))
    network.eval()


@pytest.fixture(scope="module")
def quantized(bundle: Bundle, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    plan = plan_quantization(bundle, recipe(1), data, count=3, progress=False)
    return quantize(plan, tmp_path_factory.mktemp("out") / "tiny", methods=("minmax",), progress=False)


def nodes(path: Path, kind: str) -> list[onnx.NodeProto]:
    return [node for node in onnx.load(path).graph.node if node.op_type == kind]


def constants(path: Path) -> dict[str, np.ndarray]:
    return {one.name: numpy_helper.to_array(one) for one in onnx.load(path).graph.initializer}


def full_size(bundle: Bundle, name: str, image: np.ndarray) -> list[np.ndarray]:
    """Logits and posterior at the image's size, by the reference of the deployed package."""
    spec = bundle.manifest.input
    placement = Placement.fit((image.shape[1], image.shape[0]), SIZE, spec.resize)
    plan = Plan.make(placement, "source", bundle.manifest.outputs.stride)
    output = OnnxNetwork(bundle.file(name))(torch.from_numpy(Preprocessor(spec, SIZE)(image, placement)))
    return [reference.upsample(maps[0].numpy(), plan.rows, plan.columns) for maps in output]


def run(*words: object) -> int:
    return main([str(word) for word in words])


@pytest.mark.parametrize("name", [INT8_MODEL, UINT8_MODEL])
@pytest.mark.parametrize("size", [SIZE, (192, 64)])
def test_an_8_bit_file_says_nearly_what_the_float_file_says_at_any_size(
    quantized: Bundle, name: str, size: tuple[int, int]
) -> None:
    image = torch.from_numpy(np.random.default_rng(1).uniform(-1, 1, (1, 3, size[1], size[0])).astype(np.float32))
    exact, found = (OnnxNetwork(quantized.file(file))(image) for file in ("model.onnx", name))
    for expected, there in zip(exact, found, strict=True):
        assert there.shape == expected.shape
        difference = (there - expected).square().mean().sqrt()
        # 8 bits round to 1/255 of a range; a few dozen layers of that are some hundredths, and never nothing.
        assert 0 < difference < 0.2 * expected.std()


@pytest.mark.parametrize("name", [INT8_MODEL, UINT8_MODEL])
def test_all_convolutions_but_the_heads_have_symmetric_weights_of_one_scale_a_channel(
    quantized: Bundle, name: str
) -> None:
    path = quantized.file(name)
    values = constants(path)
    dequantized = {node.output[0]: node for node in nodes(path, "DequantizeLinear")}
    floating = set()
    for node in nodes(path, "Conv"):
        source = dequantized.get(node.input[1])
        if source is None:
            floating.add(node.name)
            continue
        weight, scale, zero = (values[place] for place in source.input)
        assert weight.dtype == np.int8
        assert scale.shape == (weight.shape[0],)
        assert not zero.any()
    assert floating == {node.name for node in nodes(path, "Conv") if node.output[0] in {"logits", "posterior"}}
    assert len(floating) == 2


def test_the_file_for_tensorrt_is_symmetric_and_quantizes_where_layers_fuse(quantized: Bundle) -> None:
    path = quantized.file(INT8_MODEL)
    values = constants(path)
    pairs = nodes(path, "QuantizeLinear") + nodes(path, "DequantizeLinear")
    assert {values[node.input[2]].dtype.name for node in pairs} == {"int8"}  # no int32 biases: its parser refuses them
    assert not any(values[node.input[2]].any() for node in pairs)
    makers = {output: node for node in onnx.load(path).graph.node for output in node.output}
    activations = nodes(path, "Relu") + nodes(path, "Clip")
    assert activations
    for node in activations:
        assert makers[node.input[0]].op_type in {"Conv", "Add", "BatchNormalization"}
    for node in nodes(path, "Add"):  # the sum's own convolution as it is, the residual through Q/DQ
        assert sorted(makers[name].op_type for name in node.input) == ["Conv", "DequantizeLinear"]


def test_the_file_for_cpus_folds_its_activations(quantized: Bundle) -> None:
    path = quantized.file(UINT8_MODEL)
    values = constants(path)
    assert {values[node.input[2]].dtype.name for node in nodes(path, "QuantizeLinear")} == {"uint8"}
    assert not nodes(path, "Clip")
    heads = head_nodes(onnx.load(quantized.file("model.onnx")))
    assert [node.name in heads for node in nodes(path, "Relu")] == [True]  # the posterior head's own


def test_the_stated_cost_is_what_another_path_measures(quantized: Bundle, data: Path) -> None:
    stated = quantized.manifest.quantization
    assert stated is not None
    assert (stated.method, stated.images, stated.keep_float) == ("minmax", 3, ())
    assert stated.source == "3 of camvid train, objects of the training's kinds pasted"
    examples = list(measured_images(recipe(1), data))
    files = {"model.onnx": stated.before, **stated.after}
    assert set(files) == {"model.onnx", INT8_MODEL, UINT8_MODEL}
    for name, accuracy in files.items():
        assert list(accuracy.anomaly) == ["camvid val with unseen objects pasted, 128x96", "set"]
        outputs = [full_size(quantized, name, example.image) for example in examples]
        labels = np.concatenate([anomaly_labels(example.labels).ravel() for example in examples])
        score = np.concatenate([reference.score(*output, "hybrid").ravel() for output in outputs])
        score, positive = score[labels < 2], labels[labels < 2] == 1
        main = next(iter(accuracy.anomaly.values()))
        assert main.average_precision == pytest.approx(average_precision(score, positive), abs=1e-3)
        assert main.fpr95 == pytest.approx(fpr_at_tpr(score, positive), abs=1e-2)
        for point, rates in accuracy.operating_points.items():
            over = score > quantized.manifest.score.operating_points[point].threshold
            assert rates.tpr == pytest.approx(over[positive].mean(), abs=1e-3)
            assert rates.fpr == pytest.approx(over[~positive].mean(), abs=1e-3)
        right = np.concatenate([logits.argmax(0).ravel() for logits, _ in outputs])
        truth = np.concatenate([example.labels.ravel() for example in examples])
        found = [
            ((right == k) & (truth == k)).sum() / (((right == k) & (truth < 11)) | (truth == k)).sum()
            for k in range(11)
            if (((right == k) & (truth < 11)) | (truth == k)).any()
        ]
        assert accuracy.miou == pytest.approx(np.mean(found), abs=2e-3)
    assert stated.before != stated.after[INT8_MODEL]


def test_what_known_scenes_are_like_stays_in_the_bundle(bundle: Bundle, quantized: Bundle) -> None:
    assert quantized.manifest.domain is not None
    assert quantized.manifest.domain == bundle.manifest.domain


def test_the_card_tells_the_cost_once_however_often_it_is_told(quantized: Bundle, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(quantized.path, folder)
    before = (folder / CARD).read_text()
    assert before.startswith("# For tests\n")
    for line in cost_text(quantized.manifest).splitlines():
        assert f"    {line}\n" in before
    (folder / CARD).write_text(f"{before}\n## Afterwards\n\nstays\n")
    again = tell_on_card(tell_on_card(seal_bundle(folder)))
    text = (folder / CARD).read_text()
    assert text.count("## 8-bit files") == 1
    assert "## Afterwards\n\nstays" in text
    assert again.manifest.files[CARD] == hashlib.sha256(text.encode()).hexdigest()


def test_the_method_closest_to_the_float_score_is_taken(bundle: Bundle, data: Path, tmp_path: Path) -> None:
    plan = plan_quantization(bundle, recipe(1), data, count=2, progress=False)
    taken, files = make_files(plan, tmp_path, METHODS, progress=False)
    assert {path.parent.name for path in files.values()} == {taken}
    exact = OnnxNetwork(bundle.file("model.onnx"))
    errors = {}
    for method in METHODS:
        squares = []
        for name in files:
            network, there = OnnxNetwork(tmp_path / method / name), 0.0
            for tensor in plan.images.tensors():
                outputs = (made(torch.from_numpy(tensor)) for made in (exact, network))
                truth, found = (reference.score(*(maps[0].numpy() for maps in out), "hybrid") for out in outputs)
                there += float(np.square(truth - found).mean())
            squares.append(there**0.5)
        errors[method] = sum(squares)
    assert len(set(errors.values())) == len(METHODS)
    assert taken == min(errors, key=lambda method: errors[method])


def test_ranges_come_from_training_images_alone(data: Path, bundle: Bundle) -> None:
    bare = changed(changed(recipe(1), "negatives", sets=()), "calibration", objects=recipe(1).negatives.sets[0])
    found = calibration_images(bare, data, 3, bundle.manifest.input, progress=False)
    assert found.source == "3 of camvid train"
    truth = sorted((data / "camvid/train/images").iterdir())
    import cv2

    for image, path in zip(found.images, truth, strict=True):
        np.testing.assert_array_equal(image, cv2.imread(str(path)))
    pasted = calibration_images(recipe(1), data, 3, bundle.manifest.input, progress=False)
    changes = [(a != b).any(axis=2).mean() for a, b in zip(pasted.images, found.images, strict=True)]
    assert all(0 < share < 0.9 for share in changes)


def test_pieces_that_are_asked_for_stay_float(bundle: Bundle, data: Path, tmp_path: Path) -> None:
    model = onnx.load(bundle.file("model.onnx"))
    stem = next(node.name for node in model.graph.node if node.op_type == "Conv")
    assert stem in kept_float(model, [f"{stem[:-5]}*"])
    with pytest.raises(ValueError, match=r"--keep-float 'nothing\*' matches no node; .*classifier/Conv"):
        kept_float(model, ["nothing*"])
    plan = plan_quantization(bundle, recipe(1), data, count=1, patterns=[stem], progress=False)
    assert plan.patterns == (stem,)
    _, files = make_files(plan, tmp_path, ("minmax",), progress=False)
    for path in files.values():
        kept = next(node for node in nodes(path, "Conv") if node.name == stem)
        assert kept.input[0] == "image"


def test_heads_are_what_one_output_alone_needs_and_its_last_weighted_layer() -> None:
    names = ["features", "between", "deep", "logits_conv", "upsampled", "norm", "posterior_conv"]
    chain = [
        ("Conv", ["image", "w"], "shared"),
        ("Relu", ["shared"], "q"),
        ("Conv", ["q", "w"], "own"),
        ("Conv", ["own", "w"], "small"),
        ("Relu", ["small"], "logits"),
        ("Relu", ["q"], "normed"),
        ("Conv", ["normed", "w"], "posterior"),
    ]
    made = [helper.make_node(kind, ins, [out], name=name) for name, (kind, ins, out) in zip(names, chain, strict=True)]
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("logits", "posterior")]
    graph = helper.make_graph(made, "g", [], outputs)
    assert head_nodes(helper.make_model(graph)) == {"deep", "logits_conv", "upsampled", "norm", "posterior_conv"}
    # One output made of the other, as UNO's head has it: its last weighted layer is shared, and still a head.
    made[5] = helper.make_node("Relu", ["small"], ["posterior"], name="norm")
    one = helper.make_graph(made[:6], "g", [], outputs)
    assert head_nodes(helper.make_model(one)) == {"logits_conv", "upsampled", "norm"}


def test_the_command_says_what_it_costs_and_may_write_in_place(
    quantized: Bundle, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config, place = tmp_path / "tiny.yaml", tmp_path / "tiny"
    config.write_text(recipe(1).model_dump_json())  # JSON is YAML
    shutil.copytree(quantized.path, place)
    (place / UINT8_MODEL).write_bytes(b"to be made again")
    seal_bundle(place)
    words = ("--bundle", place, "--data", data, "--config", config, "--images", 3, "--method", "minmax", "--out", place)
    assert run("quantize", *words, "--dry-run") == 0
    said = capsys.readouterr().out
    assert "ranges by minmax from 3 images: 3 of camvid train" in said
    assert "2 of them stay float32" in said
    assert (place / UINT8_MODEL).read_bytes() == b"to be made again"
    assert run("quantize", *words) == 0
    said = capsys.readouterr().out
    assert cost_text(quantized.manifest) in said
    assert said.count("mIoU") == 2
    assert load_bundle(place).manifest == quantized.manifest  # with all hashes: the same in gives the same out
    assert run("quantize", *words, "--only", "cpu") == 0
    alone = load_bundle(place).manifest
    assert INT8_MODEL not in alone.files
    assert alone.quantization is not None
    assert list(alone.quantization.after) == [UINT8_MODEL]


def test_what_is_missing_is_named(
    bundle: Bundle, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(RecipeError, match=r"was trained by 'tiny', .* give the recipe with --config RECIPE"):
        bundle_recipe(bundle, None)
    assert run("quantize", "--bundle", bundle.path, "--data", data, "--out", tmp_path / "out") == 1
    assert "--config RECIPE" in capsys.readouterr().err
    lost = recipe(1).model_copy(update={"sources": (_elsewhere(recipe(1)),)})
    with pytest.raises(ValueError, match="nowhere"):
        plan_quantization(bundle, lost, data, progress=False)
    with pytest.raises(ValueError, match="--images 0: expected at least 1, one a training source"):
        plan_quantization(bundle, recipe(1), data, count=0, progress=False)
    assert not (tmp_path / "out").exists()


def _elsewhere(plan: Recipe) -> object:
    return plan.sources[0].model_copy(update={"path": "nowhere"})


def test_tensorrt_parses_and_builds_the_file_under_strong_typing(quantized: Bundle) -> None:
    trt = pytest.importorskip("tensorrt_rtx")
    logger = trt.Logger(trt.Logger.ERROR)
    builder = trt.Builder(logger)
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, logger)
    assert parser.parse(quantized.file(INT8_MODEL).read_bytes()), parser.get_error(0)
    config, profile = builder.create_builder_config(), builder.create_optimization_profile()
    profile.set_shape("image", *[(1, 3, SIZE[1], SIZE[0])] * 3)
    config.add_optimization_profile(profile)
    assert builder.build_serialized_network(network, config) is not None
