"""The node as a process of its own: started, watched, its log kept, and always ended."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

_LOG_TAIL = 40


class ProcessError(RuntimeError):
    """A process of the replay ended or hung; the message carries the end of its log."""


def ros_environment(domain: int, *, log_dir: Path, profile: Path | None = None) -> dict[str, str]:
    """Environment for processes that talk to each other on this machine and to nobody else.

    Args:
        domain: ROS_DOMAIN_ID.
        log_dir: where ROS writes its own logs.
        profile: Fast DDS XML profile; its shared-memory segment must hold an image.
    """
    environment = {k: v for k, v in os.environ.items() if k not in ("ROS_LOCALHOST_ONLY", "ROS_STATIC_PEERS")}
    environment |= {
        "ROS_DOMAIN_ID": str(domain),
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",  # Jazzy and later
        "ROS_LOG_DIR": str(log_dir),
        "RMW_IMPLEMENTATION": "rmw_fastrtps_cpp",
        "PYTHONUNBUFFERED": "1",
    }
    if environment.get("ROS_DISTRO") == "humble":
        environment["ROS_LOCALHOST_ONLY"] = "1"
    return environment | profile_variables(profile)


def profile_variables(profile: Path | None) -> dict[str, str]:
    """What makes Fast DDS read an XML profile: version 3 (Kilted and later) the first name, version 2 the second."""
    if profile is None:
        return {}
    return {"FASTDDS_DEFAULT_PROFILES_FILE": str(profile), "FASTRTPS_DEFAULT_PROFILES_FILE": str(profile)}


class LoggedProcess:
    """A Python module run as a process, its output in a log file; a context manager that always ends it.

    Args:
        module: what `python -m` runs.
        arguments: its arguments.
        environment: its whole environment.
        log: file for stdout and stderr; stderr of the parent where None.
    """

    def __init__(
        self, module: str, arguments: Sequence[str], *, environment: Mapping[str, str], log: Path | None
    ) -> None:
        self.module = module
        self.log = log
        if log is not None:
            log.parent.mkdir(parents=True, exist_ok=True)
        self._sink = None if log is None else log.open("wb")
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            env=dict(environment),
            stdout=self._sink if self._sink is not None else subprocess.DEVNULL,
            stderr=subprocess.STDOUT if self._sink is not None else None,
            stdin=subprocess.DEVNULL,
        )

    def __enter__(self) -> "LoggedProcess":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def returncode(self) -> int | None:
        """Exit status, or None while it runs."""
        return self._process.poll()

    def wait(self, timeout_s: float) -> int:
        """Exit status; raises subprocess.TimeoutExpired."""
        return self._process.wait(timeout_s)

    def stop(self, patience_s: float = 10.0) -> None:
        """End it: SIGINT, then SIGTERM, then SIGKILL; may be called twice."""
        for how in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            if self._process.poll() is not None:
                break
            self._process.send_signal(how)
            try:
                self._process.wait(patience_s)
            except subprocess.TimeoutExpired:
                continue
        if self._sink is not None:
            self._sink.close()

    def tail(self) -> str:
        """The end of its log."""
        if self.log is None or not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_TAIL:])
