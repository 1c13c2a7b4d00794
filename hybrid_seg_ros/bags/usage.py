"""Processor time and memory of a process, as Linux tells them."""

import os
import time
from pathlib import Path


def cpu_seconds(pid: int | str) -> float:
    """Processor time of a process and its threads so far, s; `pid` may be "self".

    Raises:
        OSError: no such process.
    """
    # After the name in parentheses, which may hold anything: utime and stime are fields 14 and 15 of the line.
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_resident_mib(pid: int | str) -> float:
    """Largest resident set of a process so far (VmHWM), MiB; `pid` may be "self".

    Raises:
        OSError: no such process.
    """
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise OSError(f"process {pid} has no resident memory: it has ended")


class Usage:
    """Processor and memory of a process from `start` on."""

    def __init__(self, pid: int | str) -> None:
        self._pid = pid
        self._start: tuple[float, float] | None = None

    def start(self) -> None:
        """The first moment; later calls change nothing."""
        if self._start is None:
            self._start = time.monotonic(), cpu_seconds(self._pid)

    def report(self) -> dict[str, float] | None:
        """`cpu_percent` since the first moment (100 = one core) and `memory_mib`; None without a first moment."""
        if self._start is None:
            return None
        wall, cpu = time.monotonic() - self._start[0], cpu_seconds(self._pid) - self._start[1]
        percent = 100 * cpu / wall if wall > 0 else 0.0
        return {"cpu_percent": round(percent, 1), "memory_mib": round(peak_resident_mib(self._pid), 1)}
