"""Labels and scores as colours."""

import numpy as np
import pytest

from hybrid_seg_ros.bundle.manifest import ClassInfo
from hybrid_seg_ros.visual import colorize_labels, heat_limits, heat_map
from hybrid_seg_ros.visual.colors import NOT_A_NUMBER, UNKNOWN_ID

CLASSES = [ClassInfo(id=0, name="road", color=(128, 64, 30)), ClassInfo(id=1, name="sky", color=(1, 2, 3))]


def lightness(bgr: np.ndarray) -> np.ndarray:
    """Relative luminance of BGR, ITU-R BT.709 weights on linear light (IEC 61966-2-1)."""
    srgb = bgr.astype(float) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    return linear @ [0.0722, 0.7152, 0.2126]


def test_labels_take_the_class_colors_in_bgr() -> None:
    out = colorize_labels(np.array([[0, 1, 2, 255]], np.uint8), CLASSES)
    np.testing.assert_array_equal(out, [[[30, 64, 128], [3, 2, 1], UNKNOWN_ID, UNKNOWN_ID]])


def test_heat_grows_brighter_with_the_score_and_saturates() -> None:
    ramp = np.linspace(-5, 5, 256, dtype=np.float32)[None]
    light = lightness(heat_map(ramp, -5, 5)[0])
    assert np.all(np.diff(light) >= -1e-3)
    np.testing.assert_array_equal(heat_map(ramp * 100, -5, 5)[0, [0, -1]], heat_map(ramp, -5, 5)[0, [0, -1]])


def test_threshold_is_the_middle_of_the_scale() -> None:
    lo, hi = heat_limits(-3.0, "hybrid")
    assert (lo + hi) / 2 == -3.0
    assert lo < hi
    probability = heat_limits(-0.4, "msp")
    assert probability[1] - probability[0] < hi - lo, "a probability needs a finer scale than nats"


def test_what_is_not_finite_is_shown_and_the_score_is_left_alone() -> None:
    score = np.array([[np.nan, np.inf, -np.inf, 0.0]], np.float32)
    before = score.copy()
    out = heat_map(score, -1, 1)
    np.testing.assert_array_equal(out[0, :3], [NOT_A_NUMBER] * 3)
    assert tuple(out[0, 3]) != NOT_A_NUMBER
    np.testing.assert_array_equal(score, before)


@pytest.mark.parametrize("limits", [(1.0, 1.0), (2.0, 1.0), (float("nan"), 1.0)])
def test_a_scale_without_extent_is_refused(limits: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="expected lo < hi"):
        heat_map(np.zeros((1, 1), np.float32), *limits)
