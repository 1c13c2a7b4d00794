"""The shipped network on a real GPU, by every library that is there, against the host's path."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from support.real_gpu import require_gpu

from hybrid_seg_ros.backends import BackendError, BackendOptions
from hybrid_seg_ros.backends.device import DeviceBackend
from hybrid_seg_ros.benchmark import gpu_library
from hybrid_seg_ros.bundle import Bundle, find_bundle, load_bundle
from hybrid_seg_ros.detector import Detector, open_detector
from hybrid_seg_ros.frames import Frame
from hybrid_seg_ros.scenes import Drive, DriveConfig

pytestmark = [pytest.mark.gpu, pytest.mark.timeout(900)]


def _torch(bundle: Bundle, size: tuple[int, int] | None) -> DeviceBackend:
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip(f"PyTorch {torch.__version__} sees no GPU")
    bench_gpu = pytest.importorskip("hybrid_seg_train.bench_gpu", reason="no training package: make setup-training")
    opened: DeviceBackend = bench_gpu.TorchLibrary(Path("unused")).open(bundle, size)
    return opened


OPEN: dict[str, Callable[[Bundle, tuple[int, int] | None], DeviceBackend]] = {
    **gpu_library.CANDIDATES,
    "torch fp16": _torch,
}


@pytest.fixture(scope="module")
def shipped() -> Bundle:
    return load_bundle(find_bundle("camvid_hybrid_lite0"))


@pytest.fixture(params=sorted(OPEN))
def detector(request: pytest.FixtureRequest, shipped: Bundle) -> Iterator[Detector]:
    require_gpu()
    try:
        backend = OPEN[request.param](shipped, None)
    except BackendError as error:
        pytest.skip(str(error))
    with Detector(shipped, backend) as made:
        made.warm_up()
        yield made


def test_it_gives_what_the_host_gives(detector: Detector, shipped: Bundle) -> None:
    frames = [scene.frame for scene in Drive(DriveConfig(seed=3, size=(480, 360), fps=1.0, n_frames=6))]
    with open_detector(shipped, "onnxruntime", options=BackendOptions(provider="cpu")) as host:
        for frame in frames:
            found, wanted = detector(frame), host(frame)
            assert found.score is not None
            assert wanted.score is not None
            assert np.mean(found.labels == wanted.labels) >= 0.985  # a reduced precision and a rounded resize
            assert np.corrcoef(found.score.ravel(), wanted.score.ravel())[0, 1] > 0.99


def test_two_frames_under_way_do_not_meet(detector: Detector) -> None:
    frames = [Frame(np.random.default_rng(i).integers(0, 256, (360, 480, 3), np.uint8)) for i in range(8)]
    alone = [detector(frame) for frame in frames]
    together = []
    waiting = detector.begin(frames[0])
    for frame in frames[1:]:
        following = detector.begin(frame)
        together.append(waiting.result())
        waiting = following
    together.append(waiting.result())
    for one, other in zip(alone, together, strict=True):
        assert np.mean(one.labels == other.labels) > 0.999  # libraries may add up in another order
        np.testing.assert_allclose(one.score, other.score, atol=0.05)
