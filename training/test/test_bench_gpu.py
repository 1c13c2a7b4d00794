"""What stands for PyTorch in GPU benchmarks, as far as a CPU runs it."""

from pathlib import Path

import numpy as np
import pytest
import torch

from hybrid_seg_ros.benchmark.city_bundle import city_bundle
from hybrid_seg_ros.bundle import Bundle, find_bundle, load_bundle
from hybrid_seg_ros.detector import open_detector
from hybrid_seg_ros.frames import Frame
from hybrid_seg_train import bench_gpu
from hybrid_seg_train.bench_eager_gpu import EagerFrames
from hybrid_seg_train.from_bundle import network_from_bundle
from hybrid_seg_train.torch_device import closed_set


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return city_bundle(load_bundle(find_bundle("camvid_hybrid_lite0")), tmp_path_factory.mktemp("city"))


def test_the_closed_set_network_gives_the_same_logits_and_has_no_head(city: Bundle) -> None:
    network = network_from_bundle(city)
    closed = closed_set(network)
    image = torch.randn(1, 3, 64, 96)
    with torch.inference_mode():
        torch.testing.assert_close(closed(image), network(image).logits, rtol=0, atol=0)
    spared = sum(p.numel() for p in network.parameters()) - sum(p.numel() for p in closed.parameters())
    assert spared == sum(p.numel() for p in network.joint.head.parameters()) > 0


def test_the_formula_is_that_of_the_node(city: Bundle, tmp_path: Path) -> None:
    image = city.golden().image[:192, :256].copy()
    np.save(tmp_path / "image.npy", image)
    with torch.inference_mode():
        frames = EagerFrames(city, (256, 192), "eager", "cpu")
        assert frames.frame(str(tmp_path / "image.npy"), str(tmp_path / "labels.npy"))["total_ms"] > 0
        labels, score, mask = frames._frame(torch.from_numpy(image))
    with open_detector(city, "onnxruntime", input_size=(256, 192)) as detector:
        wanted = detector(Frame(image))
    np.testing.assert_array_equal(np.load(tmp_path / "labels.npy"), labels.numpy())
    assert (labels.numpy() == wanted.labels).mean() > 0.99
    assert np.abs(score.numpy() - wanted.score).mean() < 0.05 * wanted.score.std()
    assert (mask.numpy() == wanted.mask).mean() > 0.99


def test_without_a_gpu_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    arguments = ["gpu_soak", "--bundle", "camvid_hybrid_lite0", "--work-dir", str(tmp_path)]
    assert bench_gpu.main([*arguments, "--result", str(tmp_path / "result.json")]) == 1
    assert "sees no GPU" in capsys.readouterr().err
