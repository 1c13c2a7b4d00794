"""What a measurement was made on: processor, memory, versions."""

import os
import platform
from importlib import metadata
from pathlib import Path

from hybrid_seg_ros import __version__

_PACKAGES = ("numpy", "opencv-python-headless", "onnxruntime", "onnxruntime-gpu", "numba", "rosbags", "rclpy", "torch")


def machine() -> dict[str, str | int | float]:
    """Processor, usable cores, memory and system; no host or user name."""
    return {
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
    }


def versions() -> dict[str, str]:
    """This package, Python and what does the work; only what is installed."""
    found = {"hybrid_seg_ros": __version__, "python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    if distro := os.environ.get("ROS_DISTRO"):
        found["ros"] = distro
    return found


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"
