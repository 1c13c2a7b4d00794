"""What the monitors of pictures and results promise is within what the table of states tells."""

import math

from hybrid_seg_ros.monitor import domain, frozen, image_quality, output_check
from hybrid_seg_ros.monitor.states import HealthState, Timing, detection_time_s

TIMING = Timing(rate_hz=5.0, frozen_frames=20)
PERIOD_S = 1.0 / TIMING.rate_hz


def test_they_name_states_of_the_table() -> None:
    modules = (domain, frozen, image_quality, output_check)
    names = [
        value for module in modules for name, value in vars(module).items() if name.isupper() and isinstance(value, str)
    ]
    assert len(names) == 10
    assert {HealthState(name) for name in names} == {
        HealthState.IMAGE_DARK, HealthState.IMAGE_OVER_EXPOSED, HealthState.IMAGE_BLURRED, HealthState.IMAGE_BLOCKED,
        HealthState.CAMERA_FROZEN, HealthState.CAMERA_LOOPING, HealthState.OUTPUT_NAN, HealthState.OUTPUT_CONSTANT,
        HealthState.SCENE_SUSPECT, HealthState.SCENE_OUT_OF_DOMAIN,
    }  # fmt: skip


def within(promised_s: float, state: str) -> bool:
    stated_s = detection_time_s(HealthState(state), TIMING)
    return promised_s <= stated_s or math.isclose(promised_s, stated_s)


def test_quality() -> None:
    options = image_quality.QualityOptions(after_s=TIMING.quality_after_s, covered_after_s=TIMING.covered_after_s)
    for state in ("image.dark", "image.over_exposed", "image.blurred", "image.blocked"):
        assert within(options.detection_s(state, TIMING.quality_period_s + PERIOD_S), state)


def test_frozen_and_looping_also_of_pictures_that_never_came_before() -> None:
    options = frozen.FrozenOptions(TIMING.frozen_frames, TIMING.loop_repeats, TIMING.loop_frames)
    assert within(PERIOD_S + options.detection_s("camera.frozen", PERIOD_S), "camera.frozen")
    first_pass_s = TIMING.loop_frames * PERIOD_S
    assert within(first_pass_s + options.detection_s("camera.looping", PERIOD_S), "camera.looping")


def test_output() -> None:
    options = output_check.OutputOptions(TIMING.output_frames)
    for state in ("output.nan", "output.constant"):
        assert within(options.detection_s(state, PERIOD_S), state)


def test_domain() -> None:
    options = domain.DomainOptions(after_s=TIMING.domain_after_s)
    for state in ("scene.suspect", "scene.out_of_domain"):
        assert within(options.detection_s(TIMING.domain_period_s + PERIOD_S), state)
