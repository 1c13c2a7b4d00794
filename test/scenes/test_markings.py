import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_seg_ros.scenes.markings import band, dashes, step


def as_array(value: float) -> np.ndarray:
    return np.array([value], np.float32)


@given(st.floats(-40, 40), st.floats(0.05, 9.0), st.floats(1.0, 9.0), st.floats(0.2, 0.9))
@settings(deadline=None)
def test_dashes_are_the_mean_over_the_pixel(x: float, width: float, period: float, duty: float) -> None:
    samples = x + (np.arange(4000) + 0.5) / 4000 * width - width / 2
    expected = np.mean(np.mod(samples, period) < duty * period)
    found = dashes(as_array(x), period, duty * period, as_array(width))
    np.testing.assert_allclose(found, expected, atol=5e-3)


@given(st.floats(-5, 5), st.floats(-4, 4), st.floats(0.05, 2.0), st.floats(0.01, 3.0))
@settings(deadline=None)
def test_a_band_covers_its_share_of_the_pixel(d: float, middle: float, wide: float, width: float) -> None:
    samples = d + (np.arange(4000) + 0.5) / 4000 * width - width / 2
    expected = np.mean(np.abs(samples - middle) < wide / 2)
    np.testing.assert_allclose(band(as_array(d), middle, wide, as_array(width)), expected, atol=5e-3)


def test_a_step_is_half_at_its_edge() -> None:
    values = np.array([1.0, 2.0, 3.0], np.float32)
    np.testing.assert_allclose(step(values, 2.0, np.full(3, 0.5, np.float32)), [0.0, 0.5, 1.0])
