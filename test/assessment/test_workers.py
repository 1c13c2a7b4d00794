import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.interrupts import interruptible
from support.jobs import Task, work

from hybrid_seg_ros.assessment.workers import Lost, in_processes

SUPPORT = Path(__file__).resolve().parents[1]


def alive(process: int) -> bool:
    """Whether a process runs; one that nobody has waited for yet does not."""
    try:
        return ") Z " not in Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False


def wait_for(*paths: Path, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not all(
        path.exists() and (path.suffix == "" or path.suffix == ".unwound" or path.stat().st_size) for path in paths
    ):
        assert time.monotonic() < deadline, f"none of {paths} in time"
        time.sleep(0.02)


def test_one_that_dies_takes_no_other_with_it(tmp_path: Path) -> None:
    kinds = ["fine", "kill", "fine", "exit"]
    found = dict(in_processes(work, [Task(kind, tmp_path, i) for i, kind in enumerate(kinds)], 2))
    killed, ended = found.pop(1), found.pop(3)
    assert isinstance(killed, Lost)
    assert "SIGKILL" in killed.reason
    assert ended == Lost("its process ended with status 7 and no result")
    results = [found[0], found[2]]
    assert [r[0] for r in results if not isinstance(r, Lost)] == [0, 2]
    processes = {r[1] for r in results if not isinstance(r, Lost)}
    assert len(processes) == 2
    assert os.getpid() not in processes


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two cores to share")
def test_workers_share_the_cores(tmp_path: Path) -> None:
    found = dict(in_processes(work, [Task("fine", tmp_path, i) for i in range(2)], 2))
    first, second = (set(r[2]) for r in found.values() if not isinstance(r, Lost))
    assert first
    assert second
    assert first.isdisjoint(second)
    assert first | second == os.sched_getaffinity(0)


def test_more_workers_than_cores(tmp_path: Path) -> None:
    many = len(os.sched_getaffinity(0)) + 1
    found = dict(in_processes(work, [Task("fine", tmp_path, i) for i in range(many)], many))
    assert all(not isinstance(r, Lost) and len(r[2]) == 1 for r in found.values())


@pytest.fixture
def deaf_to_interrupts() -> Iterator[None]:
    """As under nohup: what a child inherits."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("deaf_to_interrupts")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_what_runs_ends_in_order_when_the_parent_is_interrupted_or_killed(tmp_path: Path, how: signal.Signals) -> None:
    parent = subprocess.Popen(
        interruptible(sys.executable, "-m", "support.jobs", str(tmp_path)),
        cwd=SUPPORT,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    wait_for(*(tmp_path / f"{i}.child" for i in range(2)), tmp_path / "one_done")
    # Ctrl-C goes to everybody in the terminal's foreground group.
    os.killpg(parent.pid, how) if how == signal.SIGINT else parent.send_signal(how)
    assert parent.wait(60) != 0
    wait_for(*(tmp_path / f"{i}.unwound" for i in range(2)))
    for name in ("0.started", "1.started", "0.child", "1.child"):
        process = int((tmp_path / name).read_text())
        deadline = time.monotonic() + 20
        while alive(process):
            assert time.monotonic() < deadline, f"{name}: process {process} is still there"
            time.sleep(0.02)
