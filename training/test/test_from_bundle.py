from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from hybrid_seg_ros.bundle import (
    Bundle,
    ClassInfo,
    Golden,
    NetworkOutputs,
    OperatingPoint,
    Provenance,
    Score,
    image_to_tensor,
    write_bundle,
)
from hybrid_seg_train.bench_eager import EagerDetector, post_process
from hybrid_seg_train.from_bundle import network_from_bundle
from hybrid_seg_train.infer import input_spec
from hybrid_seg_train.models import ladder_network, output_stride
from hybrid_seg_train.onnx_export import export_onnx

CLASSES, WIDTH, SIZE = 5, 16, (96, 64)


@pytest.fixture(scope="module", params=[(0, 1), (8, 2)], ids=["stride 4", "stride 2"])
def network(request: pytest.FixtureRequest) -> nn.Module:
    """Untrained, but with batch norms that do something: folding them must not be a no-op."""
    torch.manual_seed(0)
    detail, separable = request.param
    made = ladder_network(CLASSES, width=WIDTH, pretrained=False, detail=detail, separable=separable)
    for module in made.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor, low, high in ((module.running_mean, -0.2, 0.2), (module.running_var, 0.5, 1.5)):
                assert tensor is not None
                nn.init.uniform_(tensor, low, high)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.2, 0.2)
    return made.eval()


@pytest.fixture(scope="module")
def bundle(network: nn.Module, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("bundle")
    export_onnx(network, folder / "model.onnx")
    spec = input_spec(SIZE)
    image = np.random.default_rng(0).integers(0, 256, (SIZE[1], SIZE[0], 3), np.uint8)
    with torch.inference_mode():
        logits, posterior = network(torch.from_numpy(image_to_tensor(image, spec)))
    return write_bundle(
        folder / "made",
        name="made",
        description="",
        files={"model.onnx": (folder / "model.onnx").read_bytes(), "MODEL_CARD.md": b"# For tests\n"},
        golden=Golden(image, logits[0].numpy(), posterior[0].numpy()),
        network_input=spec,
        network_outputs=NetworkOutputs(stride=output_stride(network)),
        classes=[ClassInfo(id=k, name=f"class {k}", color=(k, k, k)) for k in range(CLASSES)],
        score=Score(operating_points={"tpr95": OperatingPoint(threshold=0.0, source="none")}, default="tpr95"),
        training=Provenance(datasets=["none"], licenses=["Apache-2.0"], seed=0, recipe="untrained"),
    )


def test_the_rebuilt_network_is_the_exported_one_at_other_sizes_too(network: nn.Module, bundle: Bundle) -> None:
    rebuilt = network_from_bundle(bundle)
    image = torch.randn(1, 3, 64, 160)
    with torch.inference_mode():
        for found, expected in zip(rebuilt(image), network(image), strict=True):
            torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3)
    assert len(list(rebuilt.modules())) == len(list(network.modules()))


def test_another_network_is_refused(bundle: Bundle, tmp_path: Path) -> None:
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    weight = numpy_helper.from_array(np.zeros((CLASSES, 3, 4, 4), np.float32), "w")
    node = helper.make_node("Conv", ["image", "w"], ["logits"], kernel_shape=[4, 4], strides=[4, 4])
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [node],
        "other",
        [value("image", TensorProto.FLOAT, [1, 3, 64, 96])],
        [value("logits", TensorProto.FLOAT, [1, CLASSES, 16, 24])],
        [weight],
    )
    golden = bundle.golden()
    other = write_bundle(
        tmp_path / "other",
        name="other",
        description="",
        files={"model.onnx": onnx.helper.make_model(graph).SerializeToString(), "MODEL_CARD.md": b"# For tests\n"},
        golden=golden,
        network_input=bundle.manifest.input,
        network_outputs=bundle.manifest.outputs,
        classes=list(bundle.manifest.classes),
        score=bundle.manifest.score,
        training=bundle.manifest.training,
    )
    with pytest.raises(ValueError, match="not a ladder network"):
        network_from_bundle(other)


def test_eager_and_the_deployed_detector_agree(bundle: Bundle, tmp_path: Path) -> None:
    from hybrid_seg_ros.detector import open_detector
    from hybrid_seg_ros.frames import Frame

    image = bundle.golden().image
    np.save(tmp_path / "image.npy", image)
    with torch.inference_mode():
        times = EagerDetector(str(bundle.path), threads=1).end_to_end(
            str(tmp_path / "image.npy"), str(tmp_path / "labels.npy")
        )
    assert times["total_ms"] == pytest.approx(sum(times[k] for k in ("preprocess_ms", "network_ms", "post_ms")))
    with open_detector(bundle, "onnxruntime") as detector:
        labels = detector(Frame(image)).labels
    assert labels is not None
    assert (np.load(tmp_path / "labels.npy") == labels).mean() > 0.999


def test_post_processing_is_the_formula() -> None:
    logits, posterior = torch.randn(1, 4, 3, 5), torch.randn(1, 2, 3, 5)
    labels, score, mask, confidence = post_process(logits, posterior, (3, 5), 0.0)
    s, g = logits[0].double(), posterior[0].double()
    expected = torch.log(g.exp()[1] / g.exp().sum(0)) - torch.log(s.exp().sum(0))
    torch.testing.assert_close(score.double(), expected, rtol=1e-4, atol=1e-4)
    assert torch.equal(labels, s.argmax(0))
    assert torch.equal(mask, score > 0)
    torch.testing.assert_close(confidence.double(), s.softmax(0).amax(0), rtol=1e-4, atol=1e-4)
