import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_seg_ros.scenes.patch import SOLID, Canvas, Patch, blend


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_blending_is_premultiplied_over(seed: int) -> None:
    rng = np.random.default_rng(seed)
    coverage = rng.integers(0, 256, (5, 7), dtype=np.uint8)
    colour = (rng.integers(0, 256, (5, 7, 3)) * coverage[..., None] / 255).astype(np.uint8)
    below = rng.integers(0, 256, (5, 7, 3), dtype=np.uint8)
    expected = below * (1.0 - coverage[..., None] / 255.0) + colour
    blend(below, colour, coverage)
    np.testing.assert_allclose(below, expected, atol=1.0)


def test_what_is_laid_last_owns_the_pixels_it_covers() -> None:
    canvas = Canvas.blank(8, 6, night=False)
    canvas.add_owner((0.0, 0.0, 0.0), 0)
    full, half = np.full((6, 8), 255, np.uint8), np.full((2, 3), SOLID - 1, np.uint8)
    half[0] = SOLID
    canvas.lay(Patch(0, 0, np.zeros((6, 8, 3), np.uint8), full, (0.0, 0.0, 0.1), 3, 0, 9.0))
    canvas.lay(Patch(2, 1, np.zeros((2, 3, 3), np.uint8), half, (0.01, 0.0, 0.2), 8, 5, 1.0))
    assert np.argwhere(canvas.instances() == 5).tolist() == [[1, 2], [1, 3], [1, 4]]
    assert canvas.labels()[1].tolist() == [3, 3, 8, 8, 8, 3, 3, 3]
    np.testing.assert_allclose(canvas.inverse_depth()[1, 2:6], [0.22, 0.23, 0.24, 0.1], rtol=1e-6)
