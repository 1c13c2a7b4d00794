"""Several scores of one network run."""

from pathlib import Path

import numpy as np
import pytest
from support.bundles import TinyNetwork, make_bundle

from hybrid_seg_ros.assessment.scores import KINDS, NetworkScores
from hybrid_seg_ros.backends import Backend, BackendError, BackendOptions, create
from hybrid_seg_ros.bundle import Bundle, ScoreKind, image_to_tensor
from hybrid_seg_ros.detector import Detector, reference
from hybrid_seg_ros.detector.plans import Plan
from hybrid_seg_ros.frames import Frame
from hybrid_seg_ros.frames.geometry import Placement, own_input_size


def network_of(bundle: Bundle, opened: list[Backend] | None = None, own_size: bool = False) -> NetworkScores:
    def open_backend(size: tuple[int, int] | None) -> Backend:
        backend = create("onnxruntime", bundle, size, BackendOptions(threads=1))
        if opened is not None:
            opened.append(backend)
        return backend

    size = (lambda source: own_input_size(source, 256)) if own_size else None
    return NetworkScores(bundle.manifest, open_backend, input_size=size, threads=1)


def picture(width: int, height: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_what_the_detector_of_a_bundle_of_that_kind_makes(tmp_path: Path, kind: ScoreKind) -> None:
    bundle = make_bundle(tmp_path / "tiny", kind=kind, temperature=1.7)
    image = picture(200, 150)
    with network_of(bundle) as network:
        maps = network(image, ["max_logit", kind])
    with Detector(bundle, create("onnxruntime", bundle, None, BackendOptions(threads=1)), threads=1) as detector:
        expected = detector(Frame(image))
    np.testing.assert_array_equal(maps.scores[kind], expected.score)
    np.testing.assert_array_equal(maps.labels, expected.labels)
    assert maps.confidence is not None
    assert expected.confidence is not None
    # Kinds share their exponentials with the confidence in different ways: the last bit may round otherwise.
    assert np.abs(maps.confidence.astype(int) - expected.confidence).max() <= 1


def test_all_kinds_are_the_formulas_as_written(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "tiny")
    image = picture(128, 96, 3)
    logits, posterior = TinyNetwork().run(image_to_tensor(image, bundle.manifest.input))
    plan = Plan.make(Placement.fit((128, 96), (128, 96), "letterbox"), "source", bundle.manifest.outputs.stride)
    with network_of(bundle) as network:
        maps = network(image, KINDS)
    assert list(maps.scores) == list(KINDS)
    full = [reference.upsample(part.astype(np.float64), plan.rows, plan.columns) for part in (logits, posterior)]
    for kind in KINDS:
        np.testing.assert_allclose(maps.scores[kind], reference.score(*full, kind), rtol=2e-4, atol=2e-4)


def test_images_at_their_own_size_share_what_is_loaded_and_no_more_than_two_stay(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "tiny")
    opened: list[Backend] = []
    with network_of(bundle, opened, own_size=True) as network:
        for width, height in ((128, 96), (192, 96), (128, 96), (256, 96), (128, 96)):
            assert network(picture(width, height), ["energy"]).scores["energy"].shape == (height, width)
        assert [backend.input_size for backend in opened] == [(128, 96), (192, 96), (256, 96)]
        with pytest.raises(BackendError, match="after close"):
            opened[1].infer(np.zeros((1, 3, 96, 192), np.float32))
        network(picture(256, 96), ["energy"])
    for backend in opened:
        with pytest.raises(BackendError, match="after close"):
            backend.infer(np.zeros((1, 3, backend.input_size[1], backend.input_size[0]), np.float32))
