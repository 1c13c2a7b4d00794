"""The reference formulas against independent implementations."""

import cv2
import numpy as np
import pytest
import scipy.special
import scipy.stats

from hybrid_seg_ros.backends import NetworkOutput
from hybrid_seg_ros.bundle import ScoreKind
from hybrid_seg_ros.detector import reference
from hybrid_seg_ros.detector.maps import Formula
from hybrid_seg_ros.detector.plans import Plan
from hybrid_seg_ros.frames.geometry import Placement

H, W, K = 48, 80, 7


def raw(seed: int = 0, scale: float = 6.0) -> NetworkOutput:
    rng = np.random.default_rng(seed)
    return NetworkOutput(
        (rng.normal(size=(K, H // 4, W // 4)) * scale).astype(np.float32),
        (rng.normal(size=(2, H // 4, W // 4)) * scale).astype(np.float32),
    )


def oracle_score(s: np.ndarray, g: np.ndarray, kind: ScoreKind) -> np.ndarray:
    """SciPy in float64 on full-size logits."""
    s, g = s.astype(np.float64), g.astype(np.float64)
    probability = scipy.special.softmax(s, axis=0)
    return {
        "hybrid": scipy.special.log_softmax(g, axis=0)[1] - scipy.special.logsumexp(s, axis=0),
        "energy": -scipy.special.logsumexp(s, axis=0),
        "posterior": scipy.special.log_softmax(g, axis=0)[1],
        "msp": 1 - probability.max(axis=0),
        "max_logit": -s.max(axis=0),
        "entropy": scipy.stats.entropy(probability, axis=0),
    }[kind]


@pytest.mark.parametrize("kind", ["hybrid", "energy", "posterior", "msp", "max_logit", "entropy"])
def test_against_opencv_and_scipy(kind: ScoreKind) -> None:
    output = raw()
    plan = Plan.make(Placement.fit((W, H), (W, H), "stretch"), "source", 4)
    s, g = (
        np.stack([cv2.resize(plane, (W, H), interpolation=cv2.INTER_LINEAR) for plane in planes])
        for planes in (output.logits, output.posterior)
    )
    got = reference.segment(output.logits, output.posterior, plan.rows, plan.columns, Formula(kind, 1.3), 0.5)
    expected = oracle_score(s, g, kind)
    np.testing.assert_allclose(got.score, expected, atol=5e-5)
    clear = np.abs(expected - 0.5) > 1e-4
    np.testing.assert_array_equal(np.asarray(got.mask)[clear], np.where(expected > 0.5, 255, 0)[clear])
    margin = np.diff(np.sort(s, axis=0)[-2:], axis=0)[0]
    np.testing.assert_array_equal(np.asarray(got.labels)[margin > 1e-4], s.argmax(axis=0)[margin > 1e-4])
    confidence = 255 * scipy.special.softmax(s / 1.3, axis=0).max(axis=0)
    assert np.abs(np.asarray(got.confidence) - confidence).max() <= 0.51


def test_against_pytorch() -> None:
    torch = pytest.importorskip("torch")
    output = raw(1)
    plan = Plan.make(Placement.fit((W, H), (W, H), "stretch"), "source", 4)
    s, g = (
        torch.nn.functional.interpolate(torch.from_numpy(x)[None], (H, W), mode="bilinear", align_corners=False)[0]
        for x in (output.logits, output.posterior)
    )
    got = reference.segment(output.logits, output.posterior, plan.rows, plan.columns, Formula(), 0.0)
    expected = torch.log_softmax(g, 0)[1] - torch.logsumexp(s, 0)
    np.testing.assert_allclose(got.score, expected.numpy(), atol=5e-5)
    margin = torch.topk(s, 2, dim=0).values.diff(dim=0)[0].abs().numpy()
    np.testing.assert_array_equal(np.asarray(got.labels)[margin > 1e-4], s.argmax(0).numpy()[margin > 1e-4])


def test_no_infinity_where_log_of_softmax_has_one() -> None:
    g = np.array([[200.0], [-200.0]], np.float32)
    np.testing.assert_allclose(reference.log_posterior(g), [-400.0])
    np.testing.assert_allclose(reference.logsumexp(np.array([[1000.0], [999.0]], np.float32)), [1000.3133], rtol=1e-6)


def test_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="'odin', expected hybrid"):
        reference.score(np.zeros((2, 1), np.float32), np.zeros((2, 1), np.float32), "odin")  # type: ignore[arg-type]
