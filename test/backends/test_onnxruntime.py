import contextlib
from pathlib import Path

import numpy as np
import onnx
import pytest
from support.bundles import TinyNetwork, make_bundle

from hybrid_seg_ros.backends import BackendError, BackendOptions, create
from hybrid_seg_ros.backends import golden as golden_test
from hybrid_seg_ros.bundle import Bundle, Golden, image_to_tensor, seal_bundle
from hybrid_seg_ros.bundle.golden import write_golden


def tensor(size: tuple[int, int], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(1, 3, size[1], size[0])).astype(np.float32)


@pytest.mark.parametrize("size", [None, (128, 96), (64, 32), (256, 160)])
def test_runs_the_network(tiny_bundle: Bundle, size: tuple[int, int] | None) -> None:
    backend = create("onnxruntime", tiny_bundle, size, BackendOptions(threads=2))
    assert backend.input_size == (size or (128, 96))
    backend.warm_up()
    for seed in (0, 1):
        image = tensor(backend.input_size, seed)
        output = backend.infer(image)
        logits, posterior = TinyNetwork().run(image)
        np.testing.assert_allclose(output.logits, logits, atol=1e-4)
        np.testing.assert_allclose(output.posterior, posterior, atol=1e-4)
    backend.close()


def test_describes_what_runs(tiny_bundle: Bundle) -> None:
    info = create("onnxruntime", tiny_bundle, options=BackendOptions(threads=1)).describe()
    assert (info.name, info.device, info.precision) == ("onnxruntime", "cpu", "fp32")
    assert info.details["provider"] == "CPUExecutionProvider"
    assert info.details["threads"] == "1"
    assert float(info.details["golden_difference"]) < 1e-5


def test_close_is_final_and_may_come_twice(tiny_bundle: Bundle) -> None:
    backend = create("onnxruntime", tiny_bundle)
    backend.close()
    backend.close()
    with pytest.raises(BackendError, match="after close"):
        backend.infer(tensor((128, 96)))


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((1, 3, 96, 64), np.float32),
        np.zeros((3, 96, 128), np.float32),
        np.zeros((1, 3, 96, 128)),
        np.zeros((1, 3, 128, 96), np.float32).transpose(0, 1, 3, 2),
    ],
    ids=["size", "rank", "dtype", "layout"],
)
def test_another_tensor_is_refused(tiny_bundle: Bundle, image: np.ndarray) -> None:
    backend = create("onnxruntime", tiny_bundle)
    with pytest.raises(BackendError, match=r"expected C-contiguous float32\[1, 3, 96, 128\]"):
        backend.infer(image)


@pytest.mark.parametrize("provider", ["cuda", "tensorrt"])
def test_a_missing_provider_is_an_error_never_the_cpu(tiny_bundle: Bundle, provider: str) -> None:
    ort = pytest.importorskip("onnxruntime")
    name = {"cuda": "CUDAExecutionProvider", "tensorrt": "TensorrtExecutionProvider"}[provider]
    options = BackendOptions(provider=provider)  # type: ignore[arg-type]
    if name in ort.get_available_providers():
        # Listed, but its libraries may still not load: that one, or an error that says so.
        with contextlib.suppress(BackendError):
            assert create("onnxruntime", tiny_bundle, options=options).describe().details["provider"] == name
        return
    with pytest.raises(BackendError, match=f"expected {name}, found .*pip install onnxruntime-gpu"):
        create("onnxruntime", tiny_bundle, options=options)


def test_sizes_the_network_does_not_take(tiny_bundle: Bundle, tmp_path: Path) -> None:
    with pytest.raises(BackendError, match=r"100x90: expected multiples of 32\. To fix: set input_width to 96 and"):
        create("onnxruntime", tiny_bundle, (100, 90))
    fixed = make_bundle(tmp_path / "fixed", dynamic=False)
    assert create("onnxruntime", fixed).input_size == (128, 96)
    with pytest.raises(BackendError, match="expected 128x96, the only size"):
        create("onnxruntime", fixed, (64, 32))


def test_a_model_that_fails_the_golden_test(bundle_copy: Bundle) -> None:
    (bundle_copy.path / "model.onnx").write_bytes(TinyNetwork(seed=1).onnx_bytes())
    changed = seal_bundle(bundle_copy.path)
    with pytest.raises(BackendError, match=r"golden test .* expected logits within 0\.001 .* found a difference of"):
        create("onnxruntime", changed)


def test_golden_at_another_size_than_the_default(bundle_copy: Bundle) -> None:
    image = np.random.default_rng(3).integers(0, 256, (32, 64, 3), np.uint8)
    golden = Golden(image, *TinyNetwork().run(image_to_tensor(image, bundle_copy.manifest.input)))
    write_golden(bundle_copy.path / "golden.npz", golden)
    assert create("onnxruntime", seal_bundle(bundle_copy.path), (256, 128)).input_size == (256, 128)


def test_nan_fails_the_golden_test(tiny_bundle: Bundle) -> None:
    backend = create("onnxruntime", tiny_bundle)

    def poisoned(image: np.ndarray) -> object:
        output = backend.infer(image)
        output.posterior[0, 0, 0] = np.nan
        return output

    with pytest.raises(BackendError, match="expected posterior within"):
        golden_test.check(poisoned, tiny_bundle)  # type: ignore[arg-type]


def test_a_graph_that_is_not_the_manifests(bundle_copy: Bundle) -> None:
    file = bundle_copy.path / "model.onnx"
    good = file.read_bytes()

    file.write_bytes(TinyNetwork(classes=5).onnx_bytes())
    with pytest.raises(BackendError, match=r"logits is tensor\(float\) \[1, 5, 'h', 'w'\], not float \[1, 11, H, W\]"):
        create("onnxruntime", seal_bundle(bundle_copy.path))

    model = onnx.load_from_string(good)
    model.graph.input[0].name = model.graph.node[0].input[0] = "picture"
    file.write_bytes(model.SerializeToString())
    with pytest.raises(BackendError, match=r"expected the inputs \['image'\] of manifest.yaml, found \['picture'\]"):
        create("onnxruntime", seal_bundle(bundle_copy.path))

    for junk in (b"", b"not a model", good[: len(good) // 2]):
        file.write_bytes(junk)
        with pytest.raises(BackendError, match="expected a model ONNX Runtime can load"):
            create("onnxruntime", seal_bundle(bundle_copy.path))


def test_wrong_stride_in_the_manifest(bundle_copy: Bundle) -> None:
    golden = bundle_copy.golden()
    manifest = bundle_copy.path / "manifest.yaml"
    manifest.write_text(manifest.read_text().replace("stride: 4", "stride: 8"))
    halved = Golden(golden.image, golden.logits[:, ::2, ::2], golden.posterior[:, ::2, ::2])
    write_golden(bundle_copy.path / "golden.npz", halved)
    with pytest.raises(BackendError, match=r"expected logits of shape \[11, 12, 16\], found \[11, 24, 32\]"):
        create("onnxruntime", seal_bundle(bundle_copy.path))


def test_int8_is_a_file_of_its_own_and_only_taken_when_asked_for(bundle_copy: Bundle) -> None:
    asked = BackendOptions(precision="int8")
    with pytest.raises(BackendError, match=r"expected model.uint8.onnx for precision int8.*hybrid-seg-train quantize"):
        create("onnxruntime", bundle_copy, options=asked)
    model = onnx.load(str(bundle_copy.path / "model.onnx"))
    for weight in model.graph.initializer:  # what 8 bits do, a little
        values = onnx.numpy_helper.to_array(weight)
        weight.CopyFrom(onnx.numpy_helper.from_array(values * np.float32(1.001), weight.name))
    onnx.save(model, str(bundle_copy.path / "model.uint8.onnx"))
    bundle = seal_bundle(bundle_copy.path)
    info = create("onnxruntime", bundle, options=asked).describe()
    assert info.precision == "int8"
    assert float(info.details["golden labels equal"].rstrip("%")) > 97
    assert create("onnxruntime", bundle).describe().precision == "fp32"


def test_an_int8_network_that_is_far_from_fp32_is_refused(bundle_copy: Bundle) -> None:
    (bundle_copy.path / "model.uint8.onnx").write_bytes(TinyNetwork(seed=5).onnx_bytes())
    bundle = seal_bundle(bundle_copy.path)
    with pytest.raises(
        BackendError, match=r"golden test of .* in int8 .*expected at least 97.0% of the labels of FP32"
    ):
        create("onnxruntime", bundle, options=BackendOptions(precision="int8"))
