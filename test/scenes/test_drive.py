import numpy as np
import pytest

from hybrid_seg_ros.scenes import VOID, WEATHERS, Drive, DriveConfig

SIZE = (192, 108)


def small(**changes: object) -> Drive:
    return Drive(DriveConfig(**{"seed": 4, "size": SIZE, "n_frames": 30, **changes}))  # type: ignore[arg-type]


def test_frames_do_not_depend_on_the_order_they_are_asked_for() -> None:
    forwards, backwards = small(), small()
    first = [forwards.frame(i).frame.image.tobytes() for i in (0, 7, 20)]
    second = [backwards.frame(i).frame.image.tobytes() for i in (20, 7, 0)]
    assert first == second[::-1]


@pytest.mark.parametrize("weather", WEATHERS)
def test_truth_is_consistent_in_every_weather(weather: str) -> None:
    scene = small(weather=weather).frame(10)
    unknown = scene.anomaly == 1
    assert scene.frame.image.shape == (SIZE[1], SIZE[0], 3)
    assert np.all(scene.labels[unknown] == VOID)
    assert np.all(scene.labels[scene.anomaly == 0] < VOID)
