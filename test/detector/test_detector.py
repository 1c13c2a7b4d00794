import resource
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from support.bundles import TinyNetwork, make_bundle

from hybrid_seg_ros.backends import BackendError, BackendOptions, FakeOptions, create
from hybrid_seg_ros.bundle import Bundle, BundleError, image_to_tensor
from hybrid_seg_ros.detector import Detector, InvalidOutputError, Outputs, open_detector, reference
from hybrid_seg_ros.detector.maps import Formula
from hybrid_seg_ros.detector.plans import Plan, PlanCache
from hybrid_seg_ros.frames import Frame
from hybrid_seg_ros.frames.geometry import Placement
from hybrid_seg_ros.frames.resize import resize_image


def picture(width: int, height: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


@pytest.fixture(scope="module")
def detector(tiny_bundle: Bundle) -> Detector:
    return open_detector(tiny_bundle.path, "onnxruntime", threads=2)


@pytest.mark.parametrize("size", [(128, 96), (640, 480), (200, 500), (33, 17), (1, 1), (2000, 3)])
def test_the_whole_path_is_the_formula(detector: Detector, tiny_bundle: Bundle, size: tuple[int, int]) -> None:
    """Resize, pad and network by hand, then the reference."""
    image = picture(*size)
    result = detector(Frame(image))
    spec = tiny_bundle.manifest.input
    placement = Placement.fit(size, (128, 96), "letterbox")
    resized = resize_image(image, placement.content)
    tensor = np.zeros((1, 3, 96, 128), np.float32)
    top, left = placement.pad_top, placement.pad_left
    tensor[:, :, top : top + placement.content[1], left : left + placement.content[0]] = image_to_tensor(resized, spec)
    logits, posterior = TinyNetwork().run(tensor)
    plan = Plan.make(placement, "source", 4)
    expected = reference.segment(logits, posterior, plan.rows, plan.columns, Formula(), 0.0)
    assert result.size == size
    assert result.labels is not None
    assert result.labels.shape == (size[1], size[0])
    np.testing.assert_allclose(result.score, expected.score, atol=1e-3)
    assert (result.labels == expected.labels).mean() > 0.999
    assert result.timings.total_ms > 0


def test_source_and_network_size_without_padding(tiny_bundle: Bundle) -> None:
    network = open_detector(tiny_bundle, "onnxruntime", output_size="network")
    assert network.output_size((640, 320)) == (128, 64)
    result = network(Frame(picture(640, 320)))
    assert result.size == (128, 64)
    assert result.score is not None
    assert result.score.shape == (64, 128)
    source = open_detector(tiny_bundle, "onnxruntime")(Frame(picture(640, 320)))
    assert source.score is not None
    # The same field, sampled at five times the density: every fifth pixel centre coincides.
    np.testing.assert_allclose(source.score[2::5, 2::5], result.score, atol=1e-3)


def test_a_shifted_scene_shifts_the_mask(tiny_bundle: Bundle) -> None:
    """Geometry end to end: a bright square is found where it is, at any camera size."""
    backend = create("fake", tiny_bundle)
    detector = Detector(tiny_bundle, backend, threshold=-1e9)
    for size, box in (((1280, 720), (300, 200, 400, 260)), ((640, 640), (100, 500, 90, 80))):
        image = np.zeros((size[1], size[0], 3), np.uint8)
        x, y, w, h = box
        image[y : y + h, x : x + w] = 255
        labels = detector(Frame(image), Outputs.LABELS).labels
        assert labels is not None
        rows, columns = np.nonzero(labels != labels[0, 0])
        cell = 4 * max(size[0] / 128, size[1] / 96)  # in source pixels; an edge is blurred by one
        assert abs(columns.min() - x) <= cell
        assert abs(columns.max() - (x + w)) <= cell
        assert abs(rows.min() - y) <= cell
        assert abs(rows.max() - (y + h)) <= cell


@pytest.mark.parametrize("wanted", list(range(16)))
def test_only_what_is_asked_for(detector: Detector, wanted: int) -> None:
    outputs = Outputs(wanted)
    result = detector(Frame(picture(100, 80)), outputs)
    for name, flag in (
        ("labels", Outputs.LABELS), ("score", Outputs.SCORE), ("mask", Outputs.MASK), ("confidence", Outputs.CONFIDENCE)
    ):  # fmt: skip
        array = getattr(result, name)
        assert (array is not None) == (flag in outputs)
        assert array is None or array.flags.c_contiguous


def test_views_read_only_and_padded(detector: Detector) -> None:
    plain = detector(Frame(picture(100, 80)))
    padded = np.zeros((80, 128, 3), np.uint8)
    padded[:, :100] = picture(100, 80)
    view = padded[:, :100]
    view.flags.writeable = False
    reversed_rgb = np.ascontiguousarray(picture(100, 80)[..., ::-1])[..., ::-1]
    with_alpha = np.dstack([picture(100, 80), np.zeros((80, 100), np.uint8)])[..., :3]
    for image in (view, reversed_rgb, with_alpha):
        np.testing.assert_array_equal(detector(Frame(image)).score, plain.score)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((0, 10, 3), np.uint8),
        np.zeros((10, 10), np.uint8),
        np.zeros((10, 10, 4), np.uint8),
        np.zeros((10, 10, 3), np.float32),
    ],
)
def test_no_image(detector: Detector, image: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"expected uint8\[H, W, 3\] with pixels"):
        detector(Frame(image))


def test_thresholds_by_value_and_name(tiny_bundle: Bundle) -> None:
    detector = open_detector(tiny_bundle, "fake")
    assert detector.threshold == 0.0
    assert detector.set_threshold("fpr_5") == 5.0
    detector.threshold = -3.25
    result = detector(Frame(picture(64, 64)))
    assert result.threshold == -3.25
    assert result.score is not None
    np.testing.assert_array_equal(result.mask, np.where(result.score > -3.25, 255, 0))
    for bad in ("tpr99", float("nan")):
        with pytest.raises(ValueError, match="expected"):
            detector.set_threshold(bad)
    assert detector.threshold == -3.25
    assert detector.set_threshold(None) == 0.0
    assert open_detector(tiny_bundle, "fake", threshold="best_f1").threshold == 2.0


def test_a_threshold_set_meanwhile_never_tears_a_frame(tiny_bundle: Bundle) -> None:
    detector = open_detector(tiny_bundle, "fake")
    stop = threading.Event()

    def turn() -> None:
        while not stop.is_set():
            for value in (-8.0, 0.0, 8.0):
                detector.threshold = value

    thread = threading.Thread(target=turn)
    thread.start()
    try:
        for seed in range(30):
            result = detector(Frame(picture(200, 100, seed)))
            assert result.score is not None
            np.testing.assert_array_equal(result.mask, np.where(result.score > result.threshold, 255, 0))
    finally:
        stop.set()
        thread.join()


def test_many_cameras_share_one_detector(detector: Detector) -> None:
    sizes = [(64 + 8 * i, 48 + 4 * i) for i in range(40)]
    alone = {size: detector(Frame(picture(*size))).score for size in sizes[:3]}
    for size in sizes:
        assert detector(Frame(picture(*size))).size == size
    for size, score in alone.items():
        np.testing.assert_array_equal(detector(Frame(picture(*size))).score, score)


def test_plans_are_kept_and_bounded() -> None:
    cache = PlanCache((128, 96), "letterbox", "source", 4, capacity=3)
    first = cache((10, 10))
    assert cache((10, 10)) is first
    for side in range(11, 14):
        cache((side, side))
    assert cache((10, 10)) is not first
    assert len(cache._plans) == 3


def test_a_bad_network_run_gives_no_result_and_the_next_one_does(tiny_bundle: Bundle) -> None:
    options = BackendOptions(fake=FakeOptions(nan_at=1, fail_at=2))
    detector = Detector(tiny_bundle, create("fake", tiny_bundle, options=options))
    frame = Frame(picture(64, 64))
    with pytest.raises(InvalidOutputError, match="network output logits"):
        detector(frame)
    with pytest.raises(BackendError, match="told to fail"):
        detector(frame)
    assert detector(frame).labels is not None


def test_closed(tiny_bundle: Bundle) -> None:
    with open_detector(tiny_bundle, "onnxruntime") as detector:
        detector(Frame(picture(64, 64)))
    detector.close()
    with pytest.raises(BackendError, match="after close"):
        detector(Frame(picture(64, 64)))


def test_bad_arguments(tiny_bundle: Bundle) -> None:
    with pytest.raises(ValueError, match="'half', expected 'source' or 'network'"):
        open_detector(tiny_bundle, "fake", output_size="half")  # type: ignore[arg-type]
    with pytest.raises(BundleError, match="expected a bundle"):
        open_detector("no_such_bundle")
    with pytest.raises(ValueError, match="'nothing': expected one of tpr95, best_f1, fpr_5"):
        open_detector(tiny_bundle, "fake", threshold="nothing")


def test_without_numba_it_is_slower_not_different(tiny_bundle: Bundle, tmp_path: Path) -> None:
    fast = open_detector(tiny_bundle, "onnxruntime")(Frame(picture(300, 200))).score
    assert fast is not None
    program = """
import logging, sys
import numpy as np
sys.modules["numba"] = None
from hybrid_seg_ros.detector import open_detector
from hybrid_seg_ros.frames import Frame
logging.basicConfig(level=logging.WARNING)
for _ in range(2):
    detector = open_detector(sys.argv[1], "onnxruntime")
image = np.random.default_rng(0).integers(0, 256, (200, 300, 3), np.uint8)
np.save(sys.argv[2], detector(Frame(image)).score)
"""
    file = tmp_path / "score.npy"
    command = [sys.executable, "-c", program, str(tiny_bundle.path), str(file)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ran.stderr.count("pip install numba") == 1
    np.testing.assert_allclose(np.load(file), fast, atol=1e-4)


def test_every_manifest_makes_its_own_path(tmp_path_factory: pytest.TempPathFactory) -> None:
    frame = Frame(picture(200, 90))
    results = {}
    for resize in ("letterbox", "stretch"):
        for order in ("rgb", "bgr"):
            for kind in ("hybrid", "energy"):
                path = tmp_path_factory.mktemp("bundle") / "tiny"
                bundle = make_bundle(path, resize=resize, color_order=order, kind=kind)  # type: ignore[arg-type]
                score = open_detector(bundle, "onnxruntime")(frame, Outputs.SCORE).score
                assert score is not None
                results[resize, order, kind] = float(score.mean())
    assert len(set(results.values())) == 8


def test_memory_does_not_grow(tiny_bundle: Bundle) -> None:
    """Cameras of two sizes in turn, as in a node that runs for days."""

    def resident() -> int:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * resource.getpagesize()

    frames = [Frame(picture(320, 240)), Frame(picture(200, 300))]
    with open_detector(tiny_bundle, "onnxruntime", threads=2) as detector:
        for _ in range(150):
            detector(frames[0])
            detector(frames[1])
        before = resident()
        for _ in range(300):
            detector(frames[0])
            detector(frames[1])
        grown = resident() - before
    assert grown < 5e6, f"{grown / 1e6:.1f} MB in 600 frames"
