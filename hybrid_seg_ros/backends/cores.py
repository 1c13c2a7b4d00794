"""How many threads of heavy arithmetic this process may usefully run."""

import math
import os
from pathlib import Path

_TOPOLOGY = "/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list"
_CGROUP_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def usable_cores() -> int:
    """Physical cores this process may run on, within its container's CPU quota; at least 1.

    Two hyper-threads of one core count once: vector arithmetic gains nothing from the second.
    """
    allowed = _affinity()
    cores = len({_siblings(cpu) for cpu in allowed})
    quota = _quota()
    return max(1, cores if quota is None else min(cores, math.floor(quota)))


def _affinity() -> set[int]:
    if hasattr(os, "sched_getaffinity"):
        return os.sched_getaffinity(0)
    return set(range(os.cpu_count() or 1))


def _siblings(cpu: int) -> str:
    try:
        return Path(_TOPOLOGY.format(cpu)).read_text().strip()
    except OSError:
        return str(cpu)


def _quota() -> float | None:
    """CPUs granted by cgroup v2, or None without a limit."""
    try:
        limit, period = _CGROUP_QUOTA.read_text().split()[:2]
        return None if limit == "max" else int(limit) / int(period)
    except (OSError, ValueError):
        return None
