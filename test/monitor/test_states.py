"""The names, levels and detection times of all states."""

import dataclasses
import re

import pytest

from hybrid_seg_ros.monitor.states import (
    STATES,
    HealthState,
    Level,
    Timing,
    detection_time_s,
    headline,
    worst_first,
    worst_level,
)

NAMES = [
    "ok",
    "camera.waiting",
    "camera.missing",
    "camera.stale",
    "camera.frozen",
    "camera.looping",
    "camera.rejected",
    "camera.some_rejected",
    "camera.flood",
    "stamps.future",
    "stamps.old",
    "stamps.restarted",
    "image.dark",
    "image.over_exposed",
    "image.blurred",
    "image.blocked",
    "scene.suspect",
    "scene.out_of_domain",
    "ground.unknown",
    "output.nan",
    "output.constant",
    "outputs.unheard",
    "network.failed",
    "network.late",
    "network.hung",
    "network.degraded",
    "parity.drift",
    "gpu.lost",
    "clock.jump",
    "node.inactive",
]


def test_the_names_that_external_monitors_match_are_these() -> None:
    assert [state.value for state in HealthState] == NAMES


def test_every_state_says_what_it_means() -> None:
    assert list(STATES) == list(HealthState)
    for state in HealthState:
        assert re.fullmatch(r"[A-Z].*[^.]\.", state.info.sentence), state
        assert state.info.detected_after or state.level is not Level.ERROR, f"{state}: a fault without detection time"


def test_levels_are_the_numbers_of_diagnostic_status() -> None:
    assert [(level.name, int(level)) for level in Level] == [("OK", 0), ("WARN", 1), ("ERROR", 2)]


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (HealthState.OK, 0.0),
        (HealthState.NETWORK_DEGRADED, 0.0),
        (HealthState.CAMERA_STALE, 1.5 + 0.25),
        (HealthState.CAMERA_FROZEN, 7 / 10 + 0.25),
        (HealthState.CAMERA_LOOPING, (20 + 5 + 6) / 10 + 0.25),
        (HealthState.IMAGE_DARK, 2.0 + 0.5 + 1 / 10 + 0.25),
        (HealthState.PARITY_DRIFT, 3 * 30.0 + 0.25),
    ],
)
def test_the_detection_time_follows_the_parameters(state: HealthState, expected: float) -> None:
    timing = Timing(
        rate_hz=10.0, heartbeat_period_s=0.25, stale_after_s=1.5, frozen_frames=6, loop_frames=20, loop_repeats=5,
        quality_after_s=2.0, quality_period_s=0.5, parity_period_s=30.0, parity_failures=3,
    )  # fmt: skip
    assert detection_time_s(state, timing) == pytest.approx(expected)


def test_every_stated_time_is_made_of_parameters_and_every_parameter_is_in_one() -> None:
    names = {name for info in STATES.values() for name in re.findall(r"[a-z]\w+", info.detected_after)}
    assert names == {field.name for field in dataclasses.fields(Timing)}
    assert all(detection_time_s(state, Timing()) > 0.0 for state, info in STATES.items() if info.detected_after)


def test_the_worst_comes_first() -> None:
    found = [HealthState.IMAGE_BLURRED, HealthState.OK, HealthState.NETWORK_HUNG, HealthState.CAMERA_STALE]
    assert worst_first(found) == (HealthState.CAMERA_STALE, HealthState.NETWORK_HUNG, HealthState.IMAGE_BLURRED)
    assert worst_level(found) is Level.ERROR
    assert headline(found) == "camera.stale: Images came and stopped. (also network.hung, image.blurred)"


def test_nothing_wrong_is_ok() -> None:
    assert worst_first([HealthState.OK]) == ()
    assert worst_level([]) is Level.OK
    assert headline([]) == headline([HealthState.OK]) == "ok: Nothing is known to be wrong."
