import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hybrid_seg_ros.scenes import VOID, random_scene


@given(st.integers(0, 2**31), st.integers(16, 200), st.integers(16, 150))
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_seed_and_size_give_a_consistent_scene(seed: int, width: int, height: int) -> None:
    scene = random_scene(np.random.default_rng(seed), (width, height))
    assert scene.frame.image.shape == (height, width, 3)
    assert scene.frame.image.dtype == scene.labels.dtype == scene.anomaly.dtype == np.uint8
    assert scene.labels.shape == scene.anomaly.shape == scene.instances.shape == (height, width)
    assert scene.frame.camera is not None
    assert (scene.frame.camera.width, scene.frame.camera.height) == (width, height)
    assert (scene.labels[scene.anomaly == 1] == VOID).all()
    assert (scene.labels[scene.anomaly == 255] == VOID).all()
    assert (scene.labels[scene.anomaly == 0] < VOID).all()
    assert {o.id for o in scene.obstacles} == set(np.unique(scene.instances).tolist()) - {0}


def test_the_same_stream_gives_the_same_bytes() -> None:
    one, other = (random_scene(np.random.default_rng(11), (160, 100)) for _ in range(2))
    assert one.frame.image.tobytes() == other.frame.image.tobytes()
    assert one.labels.tobytes() == other.labels.tobytes()
    assert one.obstacles == other.obstacles


def test_unknown_obstacles_can_be_asked_for_and_left_out() -> None:
    with_any = [random_scene(np.random.default_rng(s), (160, 100), unknown=True) for s in range(4)]
    assert sum(bool((scene.anomaly == 1).any()) for scene in with_any) >= 3
    without = random_scene(np.random.default_rng(1), (160, 100), unknown=False)
    assert not (without.anomaly == 1).any()


def test_scenes_are_mostly_road_houses_and_sky() -> None:
    counts = np.zeros(12)
    for seed in range(4):
        labels = random_scene(np.random.default_rng(seed), (160, 100), weather="overcast").labels
        counts += np.bincount(labels.ravel(), minlength=12)
    share = counts / counts.sum()
    assert 0.15 < share[3] < 0.6
    assert share[0] > 0.02
    assert share[1] > 0.05


def test_weather_must_be_known() -> None:
    with pytest.raises(ValueError, match="weather must be one of"):
        random_scene(np.random.default_rng(0), (64, 48), weather="hail")
