"""Faults put into the real node over DDS: each is told as what it is, nothing wrong comes out, and it goes on after."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

pytest.importorskip("rclpy")

from support.ros_graph import NodeProcess, running_node

from hybrid_seg_ros.bundle import Bundle
from hybrid_seg_ros.monitor.image_quality import QualityOptions
from hybrid_seg_ros.monitor.states import Timing
from hybrid_seg_ros.ros.trials.fault_trials import FAULTS, Outcome, Trials

SLACK_S = 1.0
"""What DDS, this process and others on a busy machine may add; the benchmark `faults` measures on a calm one."""
TIMING = Timing(stale_after_s=0.5, network_late_s=0.3, network_hung_s=1.0)
HANG_S = 2.0
PARAMETERS: Mapping[str, object] = {
    "backend": "fake",
    "use_sim_time": "true",
    "camera_z": 1.35,
    "camera_pitch": 0.052,
    "stale_after_s": TIMING.stale_after_s,
    "network_late_s": TIMING.network_late_s,
    "network_hung_s": TIMING.network_hung_s,
    "flood_hz": 60.0,
    "gate_drivable": "false",  # the fake network knows no road,
    "threshold": -5.0,  # and obstacles from here on
    "parity_period_s": 0.0,  # its runs would be counted, too
    "fake_nan_at": 45,
    "fake_fail_at": 90,
    "fake_hang_at": 135,
    "fake_hang_s": HANG_S,
}


class Live(NamedTuple):
    process: NodeProcess
    trials: Trials


@contextmanager
def node_under_test(
    domain: int, log_dir: Path, bundle: Bundle, *, compressed: bool = False, **parameters: object
) -> Iterator[Live]:
    given = {"bundle": bundle.path, **PARAMETERS, **parameters}
    if compressed:
        given["image_transport"] = "compressed"
    arguments = ["--autostart", "--ros-args"]
    for name, value in given.items():
        arguments += ["-p", f"{name}:={value}"]
    with running_node(domain, log_dir, arguments) as process:
        process.wait_for_log("listening to")
        with Trials(TIMING, HANG_S, domain=domain, compressed=compressed) as trials:
            trials.start()
            yield Live(process, trials)
        assert "Traceback" not in process.text()
    assert process.process.returncode == 0


@pytest.fixture(scope="module")
def live(module_domain: int, ros_log_dir: Path, tiny_bundle: Bundle) -> Iterator[Live]:
    """One process for all of them: nothing may need a restart."""
    with node_under_test(module_domain, ros_log_dir, tiny_bundle) as found:
        yield found


def check(found: Outcome) -> None:
    assert found.measured_s <= found.stated_s + SLACK_S
    assert found.wrong == ()
    clear_s = QualityOptions().clear_s if found.state == "image.dark" else 0.0
    assert found.recovered_s <= clear_s + SLACK_S
    assert found.longest_beat_s <= SLACK_S, "the heartbeat goes on whatever happens"


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_told_in_time_and_nothing_wrong_is_published(live: Live, name: str) -> None:
    found = live.trials.run(name)
    check(found)
    if found.reaction == "mark_unknown":
        assert found.unknown > 0
    if not found.state:
        assert found.unknown == 0, "a sound node's grid is known somewhere"
    assert found.before <= (found.stated_s + SLACK_S) * TIMING.rate_hz
    assert live.process.alive


def test_a_storm_of_broken_jpegs_and_a_node_that_publishes_what_is_wrong(
    domain: int, ros_log_dir: Path, tiny_bundle: Bundle
) -> None:
    """The second shows that the first, and all tests above, could fail: told to keep frozen pictures, it is seen to."""
    parameters = {"reactions": "[camera.frozen=keep]", "log_throttle_s": 0.0}
    with node_under_test(domain, ros_log_dir, tiny_bundle, compressed=True, **parameters) as live:
        found = live.trials.run("truncated images")
        check(found)
        assert found.before == 0
        assert "jpeg is truncated" in live.process.text()
        frozen = live.trials.run("camera freezes")
        assert len(frozen.wrong) > 3
        assert all("made of a faulty image (freeze)" in what for what in frozen.wrong)


@pytest.mark.parametrize("compressed", [False, True])
def test_a_network_too_slow_for_the_camera_is_told_of_a_freeze_no_later(
    domain: int, ros_log_dir: Path, tiny_bundle: Bundle, compressed: bool
) -> None:
    """It looks at 2 of 15 images a second: by those alone it would take five seconds and more."""
    slow = {"fake_delay_s": 0.45, "network_late_s": 0.8, "fake_nan_at": 0, "fake_fail_at": 0, "fake_hang_at": 0}
    with node_under_test(domain, ros_log_dir, tiny_bundle, compressed=compressed, **slow) as live:
        found = live.trials.run("camera freezes")
    assert found.measured_s <= found.stated_s + SLACK_S
    assert found.wrong == ()
