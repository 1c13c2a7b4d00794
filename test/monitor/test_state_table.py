"""The table of states, the page that shows it, and the parameters that its times are made of."""

import dataclasses
from pathlib import Path

from hybrid_seg_ros.monitor.camera_health import CameraPhase
from hybrid_seg_ros.monitor.reaction import Reaction
from hybrid_seg_ros.monitor.state_table import states_table
from hybrid_seg_ros.monitor.states import HealthState, Timing
from hybrid_seg_ros.ros.schema import Settings

PAGE = Path(__file__).resolve().parents[2] / "docs" / "health.md"
FIXED = {
    "rate_hz",
    "flood_window_s",
    "stamp_frames",
    "loop_repeats",
    "covered_after_s",
    "quality_period_s",
    "domain_period_s",
    "parity_failures",
}
"""What detection times are made of that is no parameter; rate_hz is the camera's."""


def test_the_table_has_a_row_for_each_state() -> None:
    rows = states_table(Timing(stale_after_s=1.5, heartbeat_period_s=0.25)).splitlines()
    assert len(rows) == 2 + len(HealthState)
    assert rows[2] == "| `ok` | OK | node | Nothing is known to be wrong. | – | keep |"
    within = "1.75 s = stale_after_s + heartbeat_period_s"
    assert f"| `camera.stale` | ERROR | camera | Images came and stopped. | {within} | silent |" in rows


def test_the_page_shows_the_table_all_phases_and_all_reactions() -> None:
    page = PAGE.read_text()
    assert states_table(Timing()) in page, "python -m hybrid_seg_ros.monitor.state_table prints what belongs there"
    for word in (*(phase.value for phase in CameraPhase), *(reaction.word for reaction in Reaction)):
        assert f"\n| `{word}` | " in page


def test_detection_times_are_made_of_the_node_s_parameters_at_their_defaults() -> None:
    defaults = {field.name: field.default for field in dataclasses.fields(Settings)}
    timing = dataclasses.asdict(Timing())
    assert {name: defaults.get(name) for name in timing if name not in FIXED} == {
        name: value for name, value in timing.items() if name not in FIXED
    }
    page = PAGE.read_text()
    for name in FIXED:
        assert f"`{name}` = {timing[name]:g}" in page
