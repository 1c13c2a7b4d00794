import numpy as np
import numpy.typing as npt
import pytest

from hybrid_seg_ros.assessment.known_scenes import KnownScenes, check_enough

SHAPE = (40, 50)


def scene(score: float) -> npt.NDArray[np.float32]:
    return np.full(SHAPE, score, np.float32)


def anomaly(pixels: int) -> npt.NDArray[np.uint8]:
    labels = np.zeros(SHAPE, np.uint8)
    labels.ravel()[:pixels] = 1
    return labels


def test_medians_of_images_with_few_anomalies() -> None:
    scenes = KnownScenes()
    for index in range(21):
        scenes.add(scene(index), anomaly(100))  # 5 % of 2000 px
        scenes.add(scene(1000), anomaly(101))
    found = scenes.statistics("a set")
    assert (found.images, found.source) == (21, "a set")
    assert found.typical == 10
    assert found.high == pytest.approx(19.8)


def test_void_pixels_count_as_the_camera_sees_them() -> None:
    scenes = KnownScenes()
    void = np.full(SHAPE, 255, np.uint8)
    for index in range(20):
        scenes.add(scene(index), void)
    assert scenes.statistics("a set").images == 20


def test_what_does_not_count_is_said() -> None:
    scenes = KnownScenes()
    for index in range(19):
        scenes.add(scene(index), anomaly(0))
    scenes.add(scene(np.nan), anomaly(0))
    scenes.add(scene(0), anomaly(500))
    scenes.add(scene(0), anomaly(500))
    expected = (
        "a set: expected at least 20 images of known scenes for a domain, found 19; of the others, "
        "2 hold more than 5 % of anomaly pixels, 1 have scores that are not finite"
    )
    with pytest.raises(ValueError, match=f"^{expected}$"):
        scenes.statistics("a set")


def test_twenty_images_are_enough() -> None:
    check_enough(20, "a set")
    with pytest.raises(ValueError, match=r"^a set: expected at least 20 .*, found 19$"):
        check_enough(19, "a set")
