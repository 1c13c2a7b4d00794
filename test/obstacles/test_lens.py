import math

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_seg_ros.frames.camera import CameraModel
from hybrid_seg_ros.obstacles.lens import lens_of

SIZE = (640, 400)
LENSES = {
    "none": ("plumb_bob", ()),
    "four": ("plumb_bob", (-0.28, 0.07, 0.001, -0.002)),
    "five": ("plumb_bob", (-0.3, 0.1, 0.001, -0.002, 0.01)),
    "eight": ("rational_polynomial", (0.5, 0.1, 0.001, -0.001, 0.01, 0.8, 0.2, 0.02)),
    "twelve": ("rational_polynomial", (-0.3, 0.1, 0.001, -0.002, 0.01, 0.01, 0.02, 0.01, 0.002, 0.001, -0.001, 0.002)),
    "fourteen": ("plumb_bob", (-0.3, 0.1, 0.001, -0.002, 0, 0, 0, 0, 0.002, 0.001, -0.001, 0.002, 0.02, -0.03)),
    "pincushion": ("plumb_bob", (0.2, 0.05, 0.0, 0.0, 0.0)),
    "fisheye": ("equidistant", (-0.02, 0.01, -0.003, 0.001)),
}


def camera(name: str, focal: float = 330.0) -> CameraModel:
    model, d = LENSES[name]
    return CameraModel(*SIZE, focal, 1.02 * focal, 317.0, 204.0, d, model)


def opencv_pixels(made: CameraModel, points: np.ndarray) -> np.ndarray:
    matrix = np.array([[made.fx, 0, made.cx], [0, made.fy, made.cy], [0, 0, 1.0]])
    none, d = np.zeros(3), np.array(made.distortion or (0.0,) * 4)
    if made.distortion_model == "equidistant":
        return cv2.fisheye.projectPoints(points[:, None], none, none, matrix, d)[0][:, 0]
    return cv2.projectPoints(points, none, none, matrix, d)[0][:, 0]


@pytest.mark.parametrize("name", LENSES)
def test_points_get_the_pixels_that_opencv_gives_them(name: str) -> None:
    rng = np.random.default_rng(1)
    points = rng.uniform(-0.6, 0.6, (400, 3))
    points[:, 2] = rng.uniform(0.9, 3.0, 400)
    uv, seen = lens_of(camera(name)).project(points)
    assert seen.all()
    np.testing.assert_allclose(uv, opencv_pixels(camera(name), points), atol=1e-6)


@pytest.mark.parametrize("name", LENSES)
def test_rays_come_back_to_their_pixels_over_the_whole_image(name: str) -> None:
    u, v = (a.ravel() for a in np.meshgrid(np.linspace(-0.5, 639.5, 33), np.linspace(-0.5, 399.5, 21)))
    lens = lens_of(camera(name))
    rays, valid = lens.rays(u, v)
    assert valid.all()
    uv, seen = lens.project(rays)
    assert seen.all()
    np.testing.assert_allclose(uv, np.stack([u, v], 1), atol=1e-4)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(LENSES)), st.floats(0, 639), st.floats(0, 399), st.floats(0.1, 50.0))
def test_the_length_of_a_direction_does_not_matter(name: str, u: float, v: float, length: float) -> None:
    lens = lens_of(camera(name))
    rays, _ = lens.rays([u], [v])
    np.testing.assert_allclose(lens.project(rays * length)[0], [[u, v]], atol=1e-4)


def test_what_the_polynomial_would_fold_back_into_the_image_has_no_pixel() -> None:
    lens = lens_of(CameraModel(640, 400, 330.0, 330.0, 319.5, 199.5, (-0.3, 0.0, 0.0, 0.0)))
    # r (1 - 0.3 r^2) turns where 0.9 r^2 = 1.
    assert math.tan(lens.widest) == pytest.approx(1 / math.sqrt(0.9))
    inside, outside = [1.05, 0.0, 1.0], [1.6, 0.0, 1.0]
    folded = opencv_pixels(CameraModel(640, 400, 330.0, 330.0, 319.5, 199.5, (-0.3, 0, 0, 0)), np.array([outside]))
    assert 0 < folded[0, 0] < 640  # OpenCV shows it where it is not
    uv, seen = lens.project(np.array([inside, outside]))
    assert seen.tolist() == [True, False]
    assert np.isnan(uv[1]).all()
    beyond = 330.0 * math.sqrt(1 / 0.9) * (1 - 0.3 / 0.9) + 319.5 + 1.0
    rays, valid = lens.rays([beyond], [199.5])
    assert not valid.any()
    assert np.isnan(rays).all()


def test_a_fisheye_sees_beyond_ninety_degrees() -> None:
    lens = lens_of(CameraModel(1000, 1000, 250.0, 250.0, 499.5, 499.5, (0.0,) * 4, "fisheye"))
    backwards = np.array([[math.sin(1.8), 0.0, math.cos(1.8)]])
    uv, seen = lens.project(backwards)
    assert seen.all()
    assert uv[0] == pytest.approx([499.5 + 250.0 * 1.8, 499.5])
    np.testing.assert_allclose(lens.rays(uv[:, 0], uv[:, 1])[0], backwards, atol=1e-12)


def test_the_optical_axis_is_the_principal_point() -> None:
    for name in LENSES:
        if name in ("twelve", "fourteen"):
            continue  # prisms and tilts move it
        rays, _ = lens_of(camera(name)).rays([317.0], [204.0])
        np.testing.assert_allclose(rays, [[0, 0, 1]], atol=1e-12)


def test_points_behind_a_perspective_camera_have_no_pixel() -> None:
    uv, seen = lens_of(camera("five")).project(np.array([[0.1, 0.1, -1.0], [0.1, 0.1, 0.0]]))
    assert not seen.any()
    assert np.isnan(uv).all()


@pytest.mark.parametrize(
    ("model", "d", "message"),
    [
        ("omnidirectional", (0.1,) * 4, "'omnidirectional', expected one of equidistant, fisheye, plumb_bob, rational"),
        ("plumb_bob", (0.1,) * 6, "6 coefficients, expected 0 or one of 4, 5, 8, 12, 14"),
        ("equidistant", (0.1,) * 5, "5 coefficients, expected 0 or one of 4"),
        ("plumb_bob", (0.1, math.nan, 0.0, 0.0), "expected finite"),
    ],
)
def test_lenses_that_are_not_known_are_refused(model: str, d: tuple[float, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        lens_of(CameraModel(*SIZE, 330.0, 330.0, 319.5, 199.5, d, model))
