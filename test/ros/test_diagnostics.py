"""Level and message of an input in each of its states."""

import pytest

pytest.importorskip("rclpy")

from diagnostic_msgs.msg import DiagnosticStatus

from hybrid_seg_ros.monitor.input_state import InputReport, InputState
from hybrid_seg_ros.ros.diagnostics import judge_input
from hybrid_seg_ros.ros.schema import Settings

OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR


def report(state: InputState, silent_s: float = 0.1, problem: str = "", problem_age_s: float = 1e9) -> InputReport:
    return InputReport(
        state=state,
        silent_s=silent_s,
        received=1,
        good=1,
        rejected={},
        problem=problem,
        problem_age_s=problem_age_s,
        size=(64, 48),
        size_changes=0,
        restarts=0,
        rate_hz=10.0,
    )


@pytest.mark.parametrize(
    ("found", "age_s", "level", "part"),
    [
        (report(InputState.OK), 0.05, OK, ""),
        (report(InputState.OK, problem="truncated", problem_age_s=2.0), 0.05, WARN, "truncated"),
        (report(InputState.OK, problem="truncated", problem_age_s=100.0), 0.05, OK, ""),
        (report(InputState.OK), 1e9, WARN, "use_sim_time"),
        (report(InputState.OK), -1e9, WARN, "/clock"),
        (report(InputState.OK), float("nan"), OK, ""),
        (report(InputState.BAD, problem="truncated", problem_age_s=0.0), 0.05, ERROR, "bad input: truncated"),
        (report(InputState.STALE, silent_s=3.0), 0.05, ERROR, "no image on /image for 3.0 s"),
        (report(InputState.WAITING, silent_s=3.0), 0.0, WARN, "waiting for the first image on /image"),
        (report(InputState.WAITING, silent_s=6.0), 0.0, ERROR, "for 6.0 s"),
    ],
)
def test_level_and_message(found: InputReport, age_s: float, level: bytes, part: str) -> None:
    given_level, message = judge_input(found, "/image", Settings(), age_s)
    assert given_level == level
    assert part in message
    assert bool(message) == (level != OK)
