import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_seg_ros.bundle import NetworkInput, image_to_tensor
from hybrid_seg_ros.detector.preprocess import Preprocessor
from hybrid_seg_ros.frames.geometry import Placement
from hybrid_seg_ros.frames.resize import resize_image


def spec(order: str = "rgb") -> NetworkInput:
    return NetworkInput(width=64, height=32, color_order=order, mean=(0.4, 0.5, 0.6), std=(0.2, 0.3, 0.4))  # type: ignore[arg-type]


def picture(width: int, height: int) -> np.ndarray:
    return np.random.default_rng(width * height).integers(0, 256, (height, width, 3), np.uint8)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 300), st.integers(1, 200), st.sampled_from(["rgb", "bgr"]), st.sampled_from(["stretch", "letterbox"])
)
def test_is_the_formula_inside_and_the_mean_colour_outside(width: int, height: int, order: str, rule: str) -> None:
    image = picture(width, height)
    placement = Placement.fit((width, height), (64, 32), rule)  # type: ignore[arg-type]
    tensor = Preprocessor(spec(order), (64, 32))(image, placement)
    top, left = placement.pad_top, placement.pad_left
    inside = np.s_[:, :, top : top + placement.content[1], left : left + placement.content[0]]
    expected = image_to_tensor(resize_image(image, placement.content), spec(order))
    np.testing.assert_allclose(tensor[inside], expected, atol=2e-6)
    outside = tensor.copy()
    outside[inside] = 0
    assert not outside.any()


def test_cameras_of_different_sizes_leave_nothing_of_each_other() -> None:
    shared = Preprocessor(spec(), (64, 32))
    for size in ((100, 20), (20, 100), (100, 20), (64, 32)):
        placement = Placement.fit(size, (64, 32), "letterbox")
        alone = Preprocessor(spec(), (64, 32))(picture(*size), placement)
        np.testing.assert_array_equal(shared(picture(*size), placement), alone)


@pytest.mark.parametrize("size", [(64, 32), (31, 77)])
def test_views_need_no_copy_by_the_caller(size: tuple[int, int]) -> None:
    image = picture(*size)
    placement = Placement.fit(size, (64, 32), "letterbox")
    plain = Preprocessor(spec(), (64, 32))(image, placement)
    for view in (
        np.ascontiguousarray(image[..., ::-1])[..., ::-1],
        np.pad(image, ((0, 0), (0, 9), (0, 1)))[:, :-9, :3],
    ):
        view.flags.writeable = False
        np.testing.assert_array_equal(Preprocessor(spec(), (64, 32))(view, placement), plain)
