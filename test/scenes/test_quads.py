import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hybrid_seg_ros.scenes.light import Light
from hybrid_seg_ros.scenes.quads import TexturedQuad, draw_quad
from hybrid_seg_ros.scenes.texture import make_texture
from hybrid_seg_ros.scenes.view import View, camera_for, optical_axes

FLAT = Light((0.0, 0.0, 1.0), (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), (1.0, 1.0, 1.0))
DOT = (60, 45)
"""Column and row of the white spot on the 80 x 60 test texture."""


def spotted() -> np.ndarray:
    picture = np.full((60, 80, 3), 20, np.uint8)
    picture[DOT[1] - 3 : DOT[1] + 4, DOT[0] - 3 : DOT[0] + 4] = 250
    return picture


TEXTURE = make_texture(spotted(), (4.0, 3.0))


@given(st.floats(6, 14), st.floats(-2, 2), st.floats(-0.9, 0.9), st.floats(-0.15, 0.2))
@settings(max_examples=25, deadline=None)
def test_a_spot_on_the_texture_lands_where_its_point_projects(x: float, y: float, turn: float, pitch: float) -> None:
    view = View(camera_for(480, 360, 70.0), optical_axes(0.0, pitch), np.array([0.0, 0.0, 1.4]))
    along = np.array([np.sin(turn), -np.cos(turn), 0.0]) * 4.0
    down = np.array([0.0, 0.0, -3.0])
    corner = np.array([x, y + 2.0, 3.0])
    quad = TexturedQuad(tuple(corner), tuple(along), tuple(down), TEXTURE, (0.0, 0.0, 1.0))
    patch = draw_quad(view, quad, FLAT, label=1, order=0.0)
    expected, _ = view.project(corner + along * (DOT[0] + 0.5) / 80 + down * (DOT[1] + 0.5) / 60)
    assume(patch is not None and np.all(expected > 20) and np.all(expected < np.array([460, 340])))
    assert patch is not None
    bright = np.argwhere(patch.colour[..., 0] > 150)
    assume(len(bright) > 12)
    found = bright.mean(axis=0)[::-1] + np.array([patch.x, patch.y])
    np.testing.assert_allclose(found, expected, atol=1.2)


def test_depth_of_a_slanted_wall_is_exact() -> None:
    view = View(camera_for(320, 240, 70.0), optical_axes(0.1, 0.05, 0.02), np.array([0.0, 0.0, 1.4]))
    corner, along, down = np.array([4.0, 3.0, 3.0]), np.array([9.0, -1.0, 0.0]), np.array([0.0, 0.0, -3.0])
    quad = TexturedQuad(tuple(corner), tuple(along), tuple(down), TEXTURE, (0.0, -1.0, 0.0))
    patch = draw_quad(view, quad, FLAT, label=1, order=0.0)
    assert patch is not None
    for share in (0.2, 0.5, 0.9):
        pixel, depth = view.project(corner + share * along + 0.4 * down)
        a, b, c = patch.plane
        assert 1.0 / (a * pixel[0] + b * pixel[1] + c) == pytest.approx(depth, rel=1e-6)


def test_what_lies_behind_the_camera_is_cut_away() -> None:
    view = View(camera_for(320, 240, 70.0), optical_axes(0.0, 0.0), np.array([0.0, 0.0, 1.4]))
    wall = TexturedQuad((-20.0, 2.0, 3.0), (40.0, 0.0, 0.0), (0.0, 0.0, -3.0), TEXTURE, (0.0, -1.0, 0.0))
    patch = draw_quad(view, wall, FLAT, label=1, order=0.0)
    assert patch is not None
    assert patch.x == 0
    assert patch.x + patch.coverage.shape[1] < 160
    behind = TexturedQuad((-20.0, 2.0, 3.0), (10.0, 0.0, 0.0), (0.0, 0.0, -3.0), TEXTURE, (0.0, -1.0, 0.0))
    assert draw_quad(view, behind, FLAT, label=1, order=0.0) is None
