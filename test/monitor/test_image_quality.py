"""Every fault of a picture in generated drives, and none where there is none."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from support.clean_drives import PERIOD_S, clean_drive
from support.lenses import behind_a_hand, black, defocused, fogged, muddy, saturated

from hybrid_seg_ros.monitor.image_quality import (
    BLOCKED,
    BLURRED,
    DARK,
    OVER_EXPOSED,
    QualityMonitor,
    QualityOptions,
)
from hybrid_seg_ros.monitor.picture import glance, small_grey
from hybrid_seg_ros.scenes import WEATHERS, Drive

Image = npt.NDArray[np.uint8]

LEARNED_S = 12.0


def clean(weather: str) -> list[Image]:
    return list(clean_drive(weather))


def shown(monitor: QualityMonitor, images: list[Image], start_s: float = 0.0) -> list[frozenset[str]]:
    return [monitor.update(image, start_s + k * PERIOD_S) for k, image in enumerate(images)]


@pytest.mark.parametrize("weather", WEATHERS)
def test_no_alarm_in_twenty_seconds_of_a_clean_drive(weather: str) -> None:
    monitor = QualityMonitor(QualityOptions(after_s=0.0, covered_after_s=1.0))  # stricter than the defaults
    assert set(shown(monitor, clean(weather))) == {frozenset()}
    assert monitor.normal_sharpness > 0.45


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        (black, DARK),
        (saturated, OVER_EXPOSED),
        (defocused, BLURRED),
        (behind_a_hand, BLOCKED),
        (fogged, BLOCKED),
        (muddy, BLOCKED),
    ],
)
@pytest.mark.parametrize("weather", ["overcast", "clear", "rain"])
def test_a_fault_is_told_in_its_stated_time_and_cleared_after_recovery(
    weather: str, fault: Callable[[Image], Image], state: str
) -> None:
    options = QualityOptions()
    monitor = QualityMonitor(options)
    good = clean(weather)[: round(LEARNED_S / PERIOD_S)]
    assert set(shown(monitor, good)) == {frozenset()}
    steps = int(options.detection_s(state, PERIOD_S) / PERIOD_S) + 1  # images until the stated time is over
    bad_from = len(good) * PERIOD_S
    told = shown(monitor, [fault(image) for image in good[:steps]], bad_from)
    assert told[-1] == {state}
    assert told[0] == frozenset()  # one bad picture is none yet
    back = shown(monitor, good, bad_from + steps * PERIOD_S)
    allowed = int((options.clear_s + PERIOD_S) / PERIOD_S) + 1
    assert set(back[allowed:]) == {frozenset()}


@pytest.mark.parametrize("weather", ["night", "rainy_night"])
@pytest.mark.parametrize(("fault", "state"), [(black, DARK), (defocused, BLURRED), (behind_a_hand, BLOCKED)])
def test_faults_are_told_by_night_from_the_first_picture_on(
    weather: str, fault: Callable[[Image], Image], state: str
) -> None:
    told = shown(QualityMonitor(), [fault(image) for image in clean(weather)[:8]])
    assert told[0] == frozenset()
    assert set(told[3:]) == {frozenset({state})}


def test_what_lasts_does_not_become_normal() -> None:
    monitor = QualityMonitor(QualityOptions(memory_s=5.0))
    good = clean("overcast")[:13]
    shown(monitor, good)
    normal = monitor.normal_sharpness
    told = shown(monitor, [muddy(good[k % 13]) for k in range(30)], 100.0)
    assert set(told[6:]) == {frozenset({BLOCKED})}
    assert monitor.normal_sharpness == normal


def test_part_of_the_lens_is_not_judged_before_the_camera_is_known() -> None:
    assert np.isnan(QualityMonitor().normal_sharpness)
    assert BLOCKED not in frozenset().union(*shown(QualityMonitor(), [muddy(i) for i in clean("overcast")[:6]]))


def test_a_camera_that_was_sharper_is_held_to_it() -> None:
    """A picture above the fixed limit and far below what is normal; the same picture says nothing of itself."""
    options = QualityOptions(blurred_below=0.1, blurred_relative=0.8, blurred_ceiling=0.5)
    soft = [defocused(image, 0.007) for image in clean("overcast")[:13]]
    assert set(shown(QualityMonitor(options), soft)) == {frozenset()}
    monitor = QualityMonitor(options)
    shown(monitor, clean("overcast")[:13])
    assert shown(monitor, soft[:4], 100.0)[-1] == {BLURRED}


def test_another_picture_size_begins_anew() -> None:
    monitor = QualityMonitor()
    shown(monitor, [black(image) for image in clean("overcast")[:5]])
    assert monitor.update(black(clean("overcast")[0])[:90, :160], 100.0) == frozenset()


def test_sharpness_hardly_depends_on_the_resolution_and_falls_with_blur() -> None:
    full = Drive(seed=1, size=(1280, 720), n_frames=1)[0].frame.image
    half = Drive(seed=1, size=(480, 270), n_frames=1)[0].frame.image
    assert glance(full).sharpness == pytest.approx(glance(half).sharpness, rel=0.15)
    blurred = [glance(defocused(full, share)).sharpness for share in (0.002, 0.005, 0.01, 0.02)]
    assert blurred == sorted(blurred, reverse=True)
    assert blurred[2] < QualityOptions().blurred_below < glance(full).sharpness


def test_brightness_is_that_of_the_picture() -> None:
    """Against the plain percentile over all pixels."""
    image = np.tile(np.linspace(0, 255, 640).astype(np.uint8)[None, :, None], (360, 1, 3))
    seen = glance(image)
    assert seen.highlight == pytest.approx(np.percentile(image, 95), abs=3)
    assert seen.saturated == pytest.approx(float((image >= 250).mean()), abs=0.01)
    assert seen.empty.shape == (9, 16)


@pytest.mark.parametrize("size", [(9, 16), (480, 640), (1080, 1920), (1024, 2048), (100, 37)])
def test_any_size_and_layout_becomes_a_small_grey_picture(size: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    grey = small_grey(image)
    assert grey.shape[0] % 9 == 0
    assert grey.shape[1] % 16 == 0
    assert grey.shape[1] <= 160
    np.testing.assert_array_equal(small_grey(image[..., 1]), grey)  # green
    np.testing.assert_array_equal(small_grey(np.ascontiguousarray(image[::-1])[::-1]), grey)


@pytest.mark.parametrize(
    ("image", "fault"),
    [
        (np.zeros((8, 16, 3), np.uint8), "at least 16 x 9 pixels, found 16 x 8"),
        (np.zeros((90, 160, 4), np.uint8), r"found uint8\[90, 160, 4\]"),
        (np.zeros((90, 160), np.float32), r"found float32\[90, 160\]"),
    ],
)
def test_what_is_no_picture_is_refused(image: Image, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        glance(image)


@pytest.mark.parametrize(
    "options",
    [
        {"dark_below": 40.0},
        {"empty_until": 0.9},
        {"covered_above": 1.5},
        {"blurred_until": 0.9},
        {"memory_s": 0.0},
        {"after_s": -1.0},
    ],
)
def test_limits_that_contradict_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"expected|must be"):
        QualityMonitor(QualityOptions(**options))
