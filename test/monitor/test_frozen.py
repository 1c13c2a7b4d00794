"""Contents that come again under new stamps."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_seg_ros.monitor.frozen import FROZEN, LOOPING, FrozenMonitor, FrozenOptions
from hybrid_seg_ros.scenes import Drive

Image = npt.NDArray[np.uint8]


def noisy(seed: int, size: tuple[int, int] = (90, 160)) -> Image:
    """A grey wall that nothing moves before, with the noise of a sensor."""
    noise = np.random.default_rng(seed).normal(0, 1.5, (*size, 3))
    return np.clip(np.rint(120 + noise), 0, 255).astype(np.uint8)


def told(monitor: FrozenMonitor, contents: list[int], first_stamp: int = 1) -> list[frozenset[str]]:
    return [monitor.update(noisy(seed), first_stamp + k) for k, seed in enumerate(contents)]


def test_a_standing_camera_is_not_frozen() -> None:
    assert set(told(FrozenMonitor(), list(range(60)))) == {frozenset()}


def test_a_drive_at_standstill_is_not_frozen() -> None:
    drive = Drive(size=(160, 90), speed=0.0, n_frames=12)
    monitor = FrozenMonitor(FrozenOptions(repeats=1, loop_frames=1))
    assert {s for frame in drive for s in monitor.update(frame.frame.image, frame.frame.stamp_ns)} == set()


def test_a_frozen_camera_is_told_with_the_stated_frame_and_cleared_with_the_first_new_one() -> None:
    monitor = FrozenMonitor(FrozenOptions(repeats=4))
    states = told(monitor, [1, 2, 3, 3, 3, 3, 3, 3, 4, 5])
    assert states == [frozenset()] * 6 + [frozenset({FROZEN})] * 2 + [frozenset()] * 2
    assert FrozenOptions(repeats=4).detection_s(FROZEN, 0.1) == pytest.approx(0.3)  # 3 frames after the first repeat


@given(period=st.integers(2, 20), start=st.integers(0, 5), needed=st.integers(1, 12))
def test_a_loop_is_told_with_the_stated_frame(period: int, start: int, needed: int) -> None:
    monitor = FrozenMonitor(FrozenOptions(loop_frames=needed, max_loop=20))
    contents = list(range(start)) + [100 + k % period for k in range(period + needed + 3)]
    states = told(monitor, contents)
    first_old = start + period
    assert states[: first_old + needed - 1] == [frozenset()] * (first_old + needed - 1)
    assert states[first_old + needed - 1 :] == [frozenset({LOOPING})] * 4
    assert monitor.update(noisy(999), 10_000) == frozenset()


def test_back_and_forth_is_a_loop_and_every_image_twice_is_none() -> None:
    assert told(FrozenMonitor(), [0, 1, 2, 3, 2, 1] * 3)[-1] == {LOOPING}
    assert set(told(FrozenMonitor(), [k // 2 for k in range(60)])) == {frozenset()}


def test_a_loop_longer_than_is_remembered_is_not_found_and_memory_is_bounded() -> None:
    monitor = FrozenMonitor(FrozenOptions(max_loop=10))
    assert set(told(monitor, [k % 11 for k in range(60)])) == {frozenset()}
    assert told(monitor, [k % 10 for k in range(60)], 1000)[-1] == {LOOPING}


def test_the_same_message_twice_is_no_repeat_and_a_recording_played_again_begins_anew() -> None:
    monitor = FrozenMonitor(FrozenOptions(repeats=2))
    for _ in range(9):
        assert monitor.update(noisy(1), 5) == frozenset()
    recording = list(range(20, 40))
    told(monitor, recording, 100)
    assert set(told(monitor, recording, 50)) == {frozenset()}


@pytest.mark.parametrize("value", [0, 255, 90])
def test_an_image_without_noise_is_not_judged(value: int) -> None:
    monitor = FrozenMonitor()
    image = np.full((90, 160, 3), value, np.uint8)
    assert {monitor.update(image, k) for k in range(40)} == {frozenset()}


def test_a_cap_on_the_lens_with_a_caption_is_not_judged() -> None:
    image = np.zeros((360, 640, 3), np.uint8)
    image[10:12, 20:60] = 200
    monitor = FrozenMonitor()
    assert {monitor.update(image, k) for k in range(40)} == {frozenset()}


def test_grey_and_strided_images_of_any_size_are_taken() -> None:
    for image in (noisy(1)[..., 0], noisy(1)[::-1, ::2], noisy(1, (9, 11))):
        monitor = FrozenMonitor(FrozenOptions(repeats=1))
        monitor.update(image, 1)
        assert monitor.update(image.copy(), 2) == {FROZEN}


def test_counts_that_tell_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="repeats must be >= 1, found 0"):
        FrozenOptions(repeats=0)
