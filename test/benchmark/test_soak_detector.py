"""Memory over thousands of frames, with the shipped network, in a process of its own."""

import json
import subprocess
import sys

import pytest

from hybrid_seg_ros.bundle import find_bundle


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_memory_stays_where_it_settled() -> None:
    command = [sys.executable, "-m", "hybrid_seg_ros.benchmark.soak_detector"]
    command += [str(find_bundle("camvid_hybrid_lite0")), "4000", "500", "160", "96", "128", "96"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=500)
    assert json.loads(done.stdout)["growth_mib"] < 5.0
