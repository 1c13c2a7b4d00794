import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_seg_ros.frames.resize import resize_image


@settings(deadline=None)
@given(st.tuples(st.integers(1, 400), st.integers(1, 300)), st.tuples(st.integers(1, 200), st.integers(1, 150)))
def test_size_and_flat_colour(source: tuple[int, int], size: tuple[int, int]) -> None:
    image = np.full((source[1], source[0], 3), (10, 200, 77), np.uint8)
    resized = resize_image(image, size)
    assert resized.shape == (size[1], size[0], 3)
    assert (resized == (10, 200, 77)).all()


@pytest.mark.parametrize("size", [(400, 300), (250, 180), (201, 151), (640, 480)])
def test_above_half_size_it_is_one_bilinear_resize(size: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 256, (300, 400, 3), np.uint8)
    np.testing.assert_array_equal(resize_image(image, size), cv2.resize(image, size, interpolation=cv2.INTER_LINEAR))


@pytest.mark.parametrize("source", [(1920, 1080), (1919, 1079), (641, 481)])
@pytest.mark.parametrize("size", [(910, 512), (455, 256), (91, 51)])
def test_geometry_stays_that_of_one_step(source: tuple[int, int], size: tuple[int, int]) -> None:
    """A ramp stays the ramp: every output pixel shows the place the half-pixel rule names."""
    x = np.linspace(0, 255, source[0])
    image = np.repeat(np.repeat(x[None, :, None], source[1], 0), 3, 2).round().astype(np.uint8)
    place = (np.arange(size[0]) + 0.5) * source[0] / size[0] - 0.5
    expected = np.interp(place, np.arange(source[0]), x)
    assert np.abs(resize_image(image, size)[size[1] // 2, 1:-1, 0] - expected[1:-1]).max() < 1.6


def test_fine_texture_becomes_its_mean_not_noise() -> None:
    board = (np.indices((512, 512)).sum(axis=0) % 2 * 255).astype(np.uint8)
    image = np.repeat(board[..., None], 3, 2)
    for size in ((256, 256), (128, 128), (120, 100), (37, 41)):
        assert np.abs(resize_image(image, size).astype(int) - 128).max() <= 2


def test_the_same_size_is_the_same_image() -> None:
    image = np.zeros((5, 7, 3), np.uint8)
    assert resize_image(image, (7, 5)) is image
