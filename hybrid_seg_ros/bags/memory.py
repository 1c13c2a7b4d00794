"""Resident memory of a process, as Linux tells it."""

from pathlib import Path


def resident_mib(pid: int | str) -> float:
    """VmRSS of a process, MiB; `pid` may be "self".

    Raises:
        OSError: no such process.
    """
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise OSError(f"process {pid} has no resident memory: it has ended")


class MemoryGrowth:
    """Resident memory of a process between two moments."""

    def __init__(self, pid: int | str) -> None:
        self._pid = pid
        self._start: float | None = None

    def start(self) -> None:
        """The first moment."""
        self._start = resident_mib(self._pid)

    def report(self) -> dict[str, float] | None:
        """MiB at the first moment and now, and their difference; None when the first moment never came."""
        if self._start is None:
            return None
        end = resident_mib(self._pid)
        return {"at_mib": round(self._start, 2), "end_mib": round(end, 2), "growth_mib": round(end - self._start, 2)}
