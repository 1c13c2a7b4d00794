import os
import time
from pathlib import Path

import pytest

from hybrid_seg_ros.bags.processes import LoggedProcess, ros_environment


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_process_ends_with_the_block_whatever_happens(tmp_path: Path) -> None:
    one = LoggedProcess("http.server", ["0", "--bind", "127.0.0.1"], environment=os.environ, log=tmp_path / "log")

    def fail_inside() -> None:
        with one:
            assert one.returncode() is None
            raise KeyError

    with pytest.raises(KeyError):
        fail_inside()
    assert not _alive(one.pid)


DEAF = """
import signal, time
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, signal.SIG_IGN)
print("deaf", flush=True)
time.sleep(60)
"""


def test_a_process_that_ignores_signals_is_killed(tmp_path: Path) -> None:
    (tmp_path / "deaf.py").write_text(DEAF)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    process = LoggedProcess("deaf", [], environment=environment, log=tmp_path / "log")
    deadline = time.monotonic() + 20
    while "deaf" not in process.tail() and time.monotonic() < deadline:
        time.sleep(0.01)
    process.stop(patience_s=0.1)
    assert process.returncode() == -9
    process.stop()


def test_the_log_keeps_its_end(tmp_path: Path) -> None:
    process = LoggedProcess("this", [], environment=os.environ, log=tmp_path / "deep" / "log")
    assert process.wait(20) == 0
    process.stop()
    assert process.tail().splitlines()[-1].startswith("Namespaces")


def test_the_environment_is_the_machines_own_and_carries_the_profile(tmp_path: Path) -> None:
    profile = tmp_path / "fastdds.xml"
    found = ros_environment(77, log_dir=tmp_path, profile=profile)
    assert found["ROS_DOMAIN_ID"] == "77"
    assert found["ROS_AUTOMATIC_DISCOVERY_RANGE"] == "LOCALHOST"
    assert found["FASTDDS_DEFAULT_PROFILES_FILE"] == found["FASTRTPS_DEFAULT_PROFILES_FILE"] == str(profile)
    assert "FASTDDS_DEFAULT_PROFILES_FILE" not in ros_environment(77, log_dir=tmp_path) or os.environ.get(
        "FASTDDS_DEFAULT_PROFILES_FILE"
    )
