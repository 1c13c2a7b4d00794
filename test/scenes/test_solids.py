import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hybrid_seg_ros.scenes.light import Light
from hybrid_seg_ros.scenes.mesh import box
from hybrid_seg_ros.scenes.patch import SOLID, Patch
from hybrid_seg_ros.scenes.solids import apparent_px, draw_solid, make_solid
from hybrid_seg_ros.scenes.view import View, camera_for, optical_axes

FLAT = Light((0.0, 0.0, 1.0), (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), (0.6, 0.6, 0.6))
CUBE = make_solid(box((1.0, 1.0, 1.0), (0.5, 0.5, 0.5), 2))


def level_view(pitch: float = 0.0) -> View:
    return View(camera_for(640, 360, 60.0), optical_axes(0.0, pitch), np.array([0.0, 0.0, 1.4]))


def bounds(patch: Patch) -> np.ndarray:
    rows, columns = np.nonzero(patch.coverage >= SOLID)
    low = (columns.min() + patch.x, rows.min() + patch.y)
    return np.array([*low, columns.max() + 1 + patch.x, rows.max() + 1 + patch.y], float)


@given(st.floats(5, 25), st.floats(-2, 2), st.floats(-3, 3), st.floats(-0.1, 0.2))
@example(5.0, 2.0, 0.0, -0.09375)
@settings(max_examples=25, deadline=None)
def test_a_box_covers_exactly_its_projection(x: float, y: float, yaw: float, pitch: float) -> None:
    view = level_view(pitch)
    patch = draw_solid(view, CUBE, (x, y, 0.0), yaw, FLAT, label=8)
    assert patch is not None
    turn = np.array([[np.cos(yaw), -np.sin(yaw), 0], [np.sin(yaw), np.cos(yaw), 0], [0, 0, 1]])
    pixels, _ = view.project(CUBE.mesh.vertices @ turn.T + (x, y, 0.0))
    low, high = np.clip(pixels.min(axis=0), -0.5, (639.5, 359.5)), np.clip(pixels.max(axis=0), -0.5, (639.5, 359.5))
    found = bounds(patch)
    if np.all((pixels > -0.5) & (pixels < (639.5, 359.5))):
        np.testing.assert_allclose(found, [*(low + 0.5), *(high + 0.5)], atol=1.3)
    else:  # the outermost corner may lie beyond another edge of the image: what is left is inside
        assert np.all(found[:2] >= low + 0.5 - 1.3)
        assert np.all(found[2:] <= high + 0.5 + 1.3)


@given(st.floats(4.5, 14.0))
@settings(max_examples=20, deadline=None)
def test_at_twice_the_distance_a_thing_has_half_the_size(x: float) -> None:
    view = level_view()
    front = make_solid(box((0.01, 1.0, 1.0), (0.5, 0.5, 0.5)))
    near, far = (draw_solid(view, front, (k * x, 0.0, 0.0), 0.0, FLAT, label=8) for k in (1, 2))
    assert near is not None
    assert far is not None
    size_near, size_far = bounds(near)[2:] - bounds(near)[:2], bounds(far)[2:] - bounds(far)[:2]
    np.testing.assert_allclose(size_far, size_near / 2.0, atol=1.1)


def test_nearer_faces_hide_farther_ones() -> None:
    red, blue = box((0.2, 2.0, 2.0), (0.0, 0.0, 0.9)), box((0.2, 2.0, 2.0), (0.9, 0.0, 0.0))
    both = make_solid(type(red)(*[
        np.concatenate([getattr(blue.moved(0.8), f), getattr(red, f) + (8 * 3 if f == "faces" else 0)])
        for f in ("vertices", "faces", "albedo", "gloss", "emission", "lift")
    ]))  # fmt: skip
    patch = draw_solid(level_view(), both, (8.0, 0.0, 0.0), 0.0, FLAT, label=8)
    assert patch is not None
    middle = patch.colour[patch.colour.shape[0] // 2, patch.colour.shape[1] // 2]
    assert middle[2] > 60
    assert middle[0] == 0


def test_out_of_view_gives_nothing() -> None:
    view = level_view()
    assert draw_solid(view, CUBE, (-5.0, 0.0, 0.0), 0.0, FLAT, label=8) is None
    assert draw_solid(view, CUBE, (5.0, 40.0, 0.0), 0.0, FLAT, label=8) is None
    assert apparent_px(view, 0.5, (-3.0, 0.0, 0.0)) == 0.0
    assert apparent_px(view, 0.5, (20.0, 0.0, 0.0)) == pytest.approx(view.camera.fx / 20.0)
