"""One camera through its phases, driven by the real monitor of its input."""

import pytest

from hybrid_seg_ros.monitor.camera_health import CameraHealth, CameraHealthOptions, CameraPhase, CameraVerdict
from hybrid_seg_ros.monitor.input_state import InputMonitor
from hybrid_seg_ros.monitor.states import HealthState, Level, Timing, detection_time_s

S = HealthState
SECOND = 1_000_000_000


class Camera:
    """An input, its health and a clock."""

    def __init__(self, **options: float) -> None:
        self.now_s = 100.0
        self.input = InputMonitor(stale_after_s=1.0)
        self.input.watch(self.now_s)
        self.health = CameraHealth()
        self.options = CameraHealthOptions(**options)

    def image(self, stamp_s: float, problem: str = "") -> None:
        verdict = self.input.arrived(round(stamp_s * SECOND), self.now_s)
        if problem or not verdict.accepted:
            self.input.refuse("bad_image" if problem else verdict.value, problem or verdict.value, self.now_s)
        else:
            self.input.used((640, 480))

    def drive(self, seconds: float, rate_hz: float = 15.0) -> None:
        for _ in range(round(seconds * rate_hz)):
            self.now_s += 1.0 / rate_hz
            self.image(self.now_s)

    def verdict(self, *found: HealthState | str) -> CameraVerdict:
        return self.health.update(self.input.report(self.now_s), found, self.options, self.now_s)


def test_waits_then_is_missing() -> None:
    camera = Camera(no_image_warning_s=3.0)
    camera.now_s += 3.0
    assert (camera.verdict().phase, camera.verdict().states) == (CameraPhase.WAITING, {S.CAMERA_WAITING})
    assert camera.verdict().level is Level.WARN
    camera.now_s += 0.1
    assert (camera.verdict().phase, camera.verdict().states) == (CameraPhase.WAITING, {S.CAMERA_MISSING})
    assert camera.verdict().level is Level.ERROR


def test_a_good_camera_is_active_and_ok() -> None:
    camera = Camera()
    camera.drive(2.0)
    assert camera.verdict(S.OK) == CameraVerdict(CameraPhase.ACTIVE, frozenset(), "ok: Nothing is known to be wrong.")
    assert camera.verdict().level is Level.OK


def test_a_camera_that_stops_is_stale_within_the_stated_time_and_recovers_with_its_first_image() -> None:
    camera = Camera()
    camera.drive(2.0)
    camera.now_s += detection_time_s(S.CAMERA_STALE, Timing(stale_after_s=1.0))
    verdict = camera.verdict(S.IMAGE_DARK)
    assert (verdict.phase, verdict.states) == (CameraPhase.STALE, {S.CAMERA_STALE}), "old pictures say nothing of now"
    camera.image(camera.now_s)
    assert camera.verdict().phase is CameraPhase.ACTIVE
    assert camera.verdict().states == frozenset()


@pytest.mark.parametrize("state", [S.CAMERA_FROZEN, S.CAMERA_LOOPING])
def test_pictures_of_the_past_are_frozen(state: HealthState) -> None:
    camera = Camera()
    camera.drive(1.0)
    assert camera.verdict(state, S.IMAGE_DARK).phase is CameraPhase.FROZEN
    assert camera.verdict(state, S.IMAGE_DARK).states == {state, S.IMAGE_DARK}
    assert camera.verdict().phase is CameraPhase.ACTIVE


def test_a_bad_image_is_rejected_and_remembered_for_a_while() -> None:
    camera = Camera(recent_s=2.0)
    camera.drive(1.0)
    camera.image(camera.now_s + 0.01, "truncated")
    verdict = camera.verdict(S.CAMERA_FROZEN)
    assert verdict.phase is CameraPhase.REJECTED
    assert verdict.headline.startswith("camera.frozen: ")
    assert verdict.states == {S.CAMERA_REJECTED, S.CAMERA_FROZEN}
    camera.drive(1.9)
    assert (camera.verdict().phase, camera.verdict().states) == (CameraPhase.ACTIVE, {S.CAMERA_SOME_REJECTED})
    camera.drive(0.2)
    assert camera.verdict().states == frozenset()


def test_repeated_stamps_are_rejected() -> None:
    camera = Camera()
    camera.drive(1.0)
    camera.image(camera.now_s)
    assert camera.verdict().states == {S.CAMERA_REJECTED}


def test_a_flood_is_told_within_the_window_of_the_rate() -> None:
    camera = Camera(flood_hz=120.0)
    camera.drive(6.0, rate_hz=119.0)
    assert camera.verdict().states == frozenset()
    camera.drive(detection_time_s(S.CAMERA_FLOOD, Timing()), rate_hz=500.0)
    assert camera.verdict().states == {S.CAMERA_FLOOD}
    camera.drive(5.1)
    assert camera.verdict().states == frozenset()
    camera.options = CameraHealthOptions(flood_hz=0.0)
    camera.drive(6.0, rate_hz=500.0)
    assert camera.verdict().states == frozenset()


def test_a_new_timeline_is_told_for_a_while() -> None:
    camera = Camera(recent_s=2.0)
    camera.drive(1.0)
    camera.image(camera.now_s - 50.0)
    assert camera.verdict().states == {S.STAMPS_RESTARTED}
    camera.now_s += 0.9
    camera.image(camera.now_s)
    assert camera.verdict().states == {S.STAMPS_RESTARTED}
    camera.drive(1.2)
    assert camera.verdict().states == frozenset()


def test_monitors_may_name_their_states() -> None:
    camera = Camera()
    camera.drive(1.0)
    assert camera.verdict("image.dark", S.SCENE_SUSPECT, "ok").states == {S.IMAGE_DARK, S.SCENE_SUSPECT}
    with pytest.raises(ValueError, match=r"image\.drak"):
        camera.verdict("image.drak")


def test_limits_below_zero_are_refused() -> None:
    with pytest.raises(ValueError, match="flood_hz is -1, expected >= 0"):
        CameraHealthOptions(flood_hz=-1.0)
