import numpy as np
import pytest

from hybrid_seg_ros.scenes.people import bicyclist, pedestrian
from hybrid_seg_ros.scenes.solids import make_solid
from hybrid_seg_ros.scenes.unknowns import UNKNOWN_KINDS
from hybrid_seg_ros.scenes.vehicles import car


@pytest.mark.parametrize("kind", UNKNOWN_KINDS)
def test_every_unknown_stands_on_the_ground_around_its_foot(kind: str) -> None:
    for seed in range(4):
        mesh = UNKNOWN_KINDS[kind](np.random.default_rng(seed))
        low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
        assert abs(low[2]) < 1e-4
        np.testing.assert_allclose(low[:2] + high[:2], 0.0, atol=1e-3)
        assert 0.05 < (high - low).max() < 3.6
        assert np.isfinite(mesh.vertices).all()
        assert mesh.albedo.min() >= 0.0
        assert mesh.albedo.max() <= 1.0
        assert np.allclose(np.linalg.norm(make_solid(mesh).normals, axis=1), 1.0, atol=1e-4)


@pytest.mark.parametrize("kind", UNKNOWN_KINDS)
def test_kinds_vary_and_repeat_with_their_seed(kind: str) -> None:
    build = UNKNOWN_KINDS[kind]
    first, again, other = (build(np.random.default_rng(s)) for s in (1, 1, 2))
    assert np.array_equal(first.vertices, again.vertices)
    assert np.array_equal(first.albedo, again.albedo)
    assert not (np.array_equal(first.vertices, other.vertices) and np.array_equal(first.albedo, other.albedo))


@pytest.mark.parametrize("detail", [0, 1, 2])
def test_known_kinds_have_the_size_of_life(detail: int) -> None:
    for seed in range(5):
        size = np.ptp(car(np.random.default_rng(seed), detail).vertices, axis=0)
        assert 3.6 < size[0] < 5.2
        assert 1.5 < size[1] < 2.3
        assert 1.3 < size[2] < 2.2
        assert 1.4 < np.ptp(pedestrian(np.random.default_rng(seed), 0.0, detail).vertices[:, 2]) < 2.1
        rider = np.ptp(bicyclist(np.random.default_rng(seed), 0.0, detail).vertices, axis=0)
        assert 1.5 < rider[0] < 2.0
        assert 1.5 < rider[2] < 2.1


def test_people_walk_without_changing_clothes() -> None:
    still, later = (pedestrian(np.random.default_rng(3), phase) for phase in (0.3, 1.8))
    assert np.array_equal(still.albedo, later.albedo)
    assert np.abs(still.vertices - later.vertices).max() > 0.1
