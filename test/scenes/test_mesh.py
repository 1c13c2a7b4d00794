import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_seg_ros.scenes.mesh import Mesh, box, cylinder, lathe, limb, merged, rotation, superellipsoid, torus

sizes = st.floats(0.1, 3.0)
GREY = (0.5, 0.5, 0.5)


def volume(mesh: Mesh) -> float:
    a, b, c, d = (mesh.vertices[mesh.faces[:, k]].astype(np.float64) for k in range(4))
    return float(np.sum(np.cross(a, b) * c) + np.sum(np.cross(a, c) * d)) / 6.0


@given(sizes, sizes, sizes, st.integers(1, 5))
@settings(deadline=None)
def test_a_box_encloses_its_volume_whatever_its_cells(w: float, d: float, h: float, cells: int) -> None:
    mesh = box((w, d, h), GREY, cells)
    assert volume(mesh) == pytest.approx(w * d * h, rel=1e-4)
    assert len(mesh.faces) == 6 * cells * cells
    np.testing.assert_allclose(mesh.vertices.max(axis=0) - mesh.vertices.min(axis=0), (w, d, h), rtol=1e-5)


@given(sizes, sizes)
@settings(deadline=None)
def test_round_solids_come_close_to_the_formula(radius: float, height: float) -> None:
    assert volume(cylinder(radius, height, GREY, 64)) == pytest.approx(math.pi * radius**2 * height, rel=0.01)
    ball = superellipsoid((2 * radius,) * 3, GREY, 1.0, 41, 64)
    assert volume(ball) == pytest.approx(4 / 3 * math.pi * radius**3, rel=0.02)
    ring = torus(3 * radius, radius, GREY, 64, 32)
    assert volume(ring) == pytest.approx(2 * math.pi**2 * 3 * radius * radius**2, rel=0.02)


def test_every_primitive_faces_outwards() -> None:
    parts = [
        lathe([(0.0, 1.0), (0.5, 0.5), (0.0, 0.0)], GREY),
        limb((0, 0, 1), (1, 0.5, 0.2), (0.2, 0.1), GREY),
        limb((0, 0, 1), (1, 0.5, 0.2), (0.2, 0.1), GREY, sides=4),
    ]
    assert all(volume(part) > 0 for part in parts)
    assert volume(merged(parts)) == pytest.approx(sum(volume(part) for part in parts), rel=1e-5)


@given(st.floats(-3, 3), st.floats(-1.5, 1.5), st.floats(-3, 3))
@settings(deadline=None)
def test_turning_keeps_the_volume_and_grounding_stands_it_up(yaw: float, pitch: float, roll: float) -> None:
    mesh = box((1.0, 0.5, 2.0), GREY, 2)
    turned = mesh.turned(yaw, pitch, roll).grounded()
    assert volume(turned) == pytest.approx(1.0, rel=1e-4)
    assert abs(turned.vertices[:, 2].min()) < 1e-5
    middle = turned.vertices[:, :2].min(axis=0) + turned.vertices[:, :2].max(axis=0)
    np.testing.assert_allclose(middle, 0.0, atol=1e-5)
    np.testing.assert_allclose(rotation(yaw, pitch, roll) @ rotation(yaw, pitch, roll).T, np.eye(3), atol=1e-12)
