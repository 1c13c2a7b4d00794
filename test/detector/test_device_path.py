"""The path over a GPU against that over the host.

The GPU is one of host memory, and as late as it may be; what needs no look into it runs on a real one, too.
"""

from collections.abc import Iterator

import numpy as np
import pytest
from support.device_network import HostNetwork, open_backend
from support.fake_pycuda import FakeGpu, install
from support.host_kernels import needs_compiler
from support.real_gpu import TinyDeviceNetwork, open_tiny, require_gpu

from hybrid_seg_ros.backends import BackendError
from hybrid_seg_ros.backends.device import DeviceBackend
from hybrid_seg_ros.bundle import Bundle
from hybrid_seg_ros.cuda import graph
from hybrid_seg_ros.detector import Detector, InvalidOutputError, Outputs, open_detector
from hybrid_seg_ros.detector.types import Segmentation
from hybrid_seg_ros.frames import Frame
from hybrid_seg_ros.frames.encodings import raw_image

KINDS = ("kernel by kernel", "graphs")
FAKE = [pytest.param((False, kind), id=kind, marks=needs_compiler) for kind in KINDS]
REAL = [pytest.param((True, kind), id=f"real GPU, {kind}", marks=pytest.mark.gpu) for kind in KINDS]
on_fake_only = pytest.mark.parametrize("backend", FAKE, indirect=True)


@pytest.fixture
def gpu() -> FakeGpu:
    return FakeGpu()


@pytest.fixture(params=[*FAKE, *REAL])
def backend(
    request: pytest.FixtureRequest, gpu: FakeGpu, tiny_bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> Iterator[DeviceBackend]:
    real, kind = request.param
    if real:
        require_gpu()
        if kind == "graphs" and not graph.available():
            pytest.skip("no cuda-python here: pip install cuda-python")
        monkeypatch.setattr(graph, "available", lambda: kind == "graphs")
        made = open_tiny(tiny_bundle)
    else:
        install(monkeypatch, gpu, graphs=kind == "graphs")
        made = open_backend(gpu, tiny_bundle)
    yield made
    made.close()


@pytest.fixture
def detector(backend: DeviceBackend, tiny_bundle: Bundle) -> Iterator[Detector]:
    with Detector(tiny_bundle, backend) as made:
        yield made


def picture(width: int, height: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.kron(rng.integers(0, 256, (height // 8 + 1, width // 8 + 1, 3)), np.ones((8, 8, 1)))[
        :height, :width
    ].astype(np.uint8)


def expected(bundle: Bundle, frame: Frame) -> Segmentation:
    with open_detector(bundle, "onnxruntime") as host:
        return host(frame)


def assert_same(found: Segmentation, wanted: Segmentation) -> None:
    """Equal but for what the resize's rounding to 8 bit does on the host and not on the device."""
    assert found.size == wanted.size
    assert found.labels is not None
    assert found.score is not None
    assert found.confidence is not None
    assert wanted.score is not None
    assert wanted.confidence is not None
    assert np.mean(found.labels == wanted.labels) > 0.99
    spread = float(wanted.score.std())
    assert np.abs(found.score - wanted.score).max() < 0.2 * spread
    assert np.abs(found.score - wanted.score).mean() < 0.02 * spread
    np.testing.assert_array_equal(found.mask, np.where(found.score > found.threshold, 255, 0))
    assert np.abs(found.confidence.astype(int) - wanted.confidence).mean() < 1.5


@pytest.mark.parametrize("size", [(128, 96), (250, 180), (97, 61), (640, 96)])
def test_gives_what_the_host_gives(detector: Detector, tiny_bundle: Bundle, size: tuple[int, int]) -> None:
    for seed in range(5):  # the third of an image size is a graph's first
        frame = Frame(picture(*size, seed))
        assert_same(detector(frame), expected(tiny_bundle, frame))


def test_without_resizing_nothing_differs(detector: Detector, tiny_bundle: Bundle) -> None:
    frame = Frame(picture(128, 96, 3))
    found, wanted = detector(frame), expected(tiny_bundle, frame)
    if detector.info.name == "host":
        np.testing.assert_array_equal(found.labels, wanted.labels)
    else:  # a real one adds up the network's sums in another order
        assert np.mean(found.labels == wanted.labels) > 0.999
    np.testing.assert_allclose(found.score, wanted.score, atol=2e-4)


@pytest.mark.parametrize("encoding", ["rgb8", "mono8", "nv12", "yuyv", "bayer_rggb8", "bgra8"])
def test_takes_the_message_as_it_is(detector: Detector, tiny_bundle: Bundle, encoding: str) -> None:
    assert encoding in detector.raw_encodings
    width, height = 160, 120
    data = picture(width * 4, height * 2)[..., 0].tobytes()
    step = {"rgb8": 3, "yuyv": 2, "bgra8": 4}.get(encoding, 1) * width + 12
    image = raw_image(data, width=width, height=height, encoding=encoding, step=step)
    assert_same(detector(Frame(image)), expected(tiny_bundle, Frame(image.bgr)))


def test_an_encoding_it_does_not_know_goes_by_way_of_bgr(detector: Detector, tiny_bundle: Bundle) -> None:
    image = raw_image(picture(128, 96).astype("<u2").tobytes(), width=128, height=96, encoding="bgr16", step=768)
    assert "bgr16" not in detector.raw_encodings
    assert_same(detector(Frame(image)), expected(tiny_bundle, Frame(image.bgr)))


def test_frames_overlap_and_none_sees_the_other(detector: Detector, tiny_bundle: Bundle) -> None:
    frames = [Frame(picture(200, 150, seed)) for seed in range(7)]
    frames[3] = Frame(picture(90, 50))  # another camera in between
    found = []
    waiting = detector.begin(frames[0])
    for frame in frames[1:]:
        following = detector.begin(frame)
        found.append(waiting.result())
        waiting = following
    for frame, result in zip(frames, [*found, waiting.result()], strict=True):
        assert_same(result, expected(tiny_bundle, frame))


def test_a_result_asked_for_too_late_is_an_error_never_another_frames(detector: Detector) -> None:
    first = detector.begin(Frame(picture(128, 96)))
    for seed in range(detector.depth):
        detector.begin(Frame(picture(128, 96, seed)))
    with pytest.raises(RuntimeError, match="frame 1 was asked for after frame 3"):
        first.result()


@pytest.mark.parametrize("outputs", [Outputs.LABELS, Outputs.MASK, Outputs.SCORE | Outputs.CONFIDENCE])
def test_only_what_is_wanted_is_computed(detector: Detector, outputs: Outputs) -> None:
    whole, part = detector(Frame(picture(128, 96))), detector(Frame(picture(128, 96)), outputs)
    for output, name in (
        (Outputs.LABELS, "labels"), (Outputs.SCORE, "score"), (Outputs.MASK, "mask"), (Outputs.CONFIDENCE, "confidence")
    ):  # fmt: skip
        if output in outputs:
            np.testing.assert_array_equal(getattr(part, name), getattr(whole, name))
        else:
            assert getattr(part, name) is None


def test_the_threshold_counts_from_the_next_frame_on(detector: Detector) -> None:
    frame = Frame(picture(128, 96))
    score = detector(frame).score
    assert score is not None
    for quantile in (0.2, 0.9, 0.2):
        detector.threshold = float(np.quantile(score, quantile))
        for _ in range(3):
            mask = detector(frame).mask
            assert mask is not None
            np.testing.assert_array_equal(mask == 255, score > np.float32(detector.threshold))


def test_results_are_the_callers_own(detector: Detector) -> None:
    kept = detector(Frame(picture(128, 96)))
    assert kept.score is not None
    before = kept.score.copy()
    for seed in range(4):
        detector(Frame(picture(128, 96, seed + 1)))
    detector.close()
    np.testing.assert_array_equal(kept.score, before)


@pytest.mark.parametrize(("change", "message"), [("poison", "NaN or Inf behind"), ("scale", "everywhere")])
def test_a_network_gone_wrong_gives_no_result(
    detector: Detector, backend: DeviceBackend, change: str, message: str
) -> None:
    network = backend.network
    assert isinstance(network, (HostNetwork, TinyDeviceNetwork))
    detector(Frame(picture(128, 96)))
    setattr(network, change, {"poison": float("nan"), "scale": 0.0}[change])
    with pytest.raises(InvalidOutputError, match=message):
        detector(Frame(picture(128, 96)))
    setattr(network, change, {"poison": 0.0, "scale": 1.0}[change])
    assert detector(Frame(picture(128, 96))).labels is not None


@on_fake_only
@pytest.mark.parametrize("operation", ["launch", "synchronize"])
def test_after_a_failure_of_the_device_the_next_frame_is_right(
    detector: Detector, gpu: FakeGpu, tiny_bundle: Bundle, operation: str
) -> None:
    gpu.faults[operation] = 1
    with pytest.raises(BackendError, match=r"host backend: .*LaunchError"):
        detector(Frame(picture(200, 100)))
    for seed in range(3):
        frame = Frame(picture(200, 100, seed))
        assert_same(detector(frame), expected(tiny_bundle, frame))


@needs_compiler
def test_memory_is_constant_and_all_of_it_comes_back(
    gpu: FakeGpu, tiny_bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, gpu)
    for _ in range(5):
        detector = Detector(tiny_bundle, open_backend(gpu, tiny_bundle))
        used = []
        for seed in range(12):
            detector(Frame(picture(300, 200, seed)))
            detector(Frame(picture(120, 90, seed)))
            used.append((gpu.used, gpu.pinned))
        assert len(set(used[2:])) == 1
        detector.close()
        detector.close()
        assert (gpu.used, gpu.pinned, gpu.contexts) == (0, 0, 0)


@on_fake_only
def test_tables_of_forgotten_image_sizes_come_back(detector: Detector, gpu: FakeGpu) -> None:
    blocks = []
    for width in range(100, 60, -1):
        detector(Frame(picture(width, 64)))
        blocks.append(len(gpu.blocks))
    assert blocks[0] < blocks[10] < blocks[15]
    assert set(blocks[16:]) == {blocks[15]}


@needs_compiler
def test_too_little_memory_is_said_and_nothing_stays(tiny_bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    gpu = FakeGpu(memory=150_000)
    install(monkeypatch, gpu)
    with pytest.raises(BackendError, match=r"allocating \d+ bytes on the GPU for the .*out of memory"):
        open_backend(gpu, tiny_bundle)
    assert (gpu.used, gpu.contexts) == (0, 0)


@needs_compiler
def test_graphs_are_used_where_they_can_be(gpu: FakeGpu, tiny_bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, gpu, graphs=True)
    with Detector(tiny_bundle, open_backend(gpu, tiny_bundle)) as detector:
        for seed in range(6):
            detector(Frame(picture(128, 96, seed)))
    assert gpu.launches == 2 * 2 + 2 * 2  # each slot: once by kernels, once while recording
    assert gpu.graph_launches == 4
