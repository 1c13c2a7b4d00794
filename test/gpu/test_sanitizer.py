"""The kernels under NVIDIA's memory checker: `compute-sanitizer python -m support.sanitized_frames`."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.real_gpu import require_gpu

pytestmark = [pytest.mark.gpu, pytest.mark.timeout(600)]
TEST = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize("tool", ["memcheck", "initcheck"])
def test_no_access_outside_of_what_is_allocated(tool: str) -> None:
    require_gpu()
    places = os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/cuda/bin"])
    sanitizer = shutil.which("compute-sanitizer", path=places)
    if sanitizer is None:
        pytest.skip("no compute-sanitizer here: it comes with the CUDA toolkit")
    command = [sanitizer, "--tool", tool, "--error-exitcode", "86", sys.executable, "-m", "support.sanitized_frames"]
    paths = [str(TEST), str(TEST.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    done = subprocess.run(
        command,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    said = done.stdout + done.stderr
    if "Device not supported" in said:
        pytest.skip("compute-sanitizer does not support this machine")
    assert done.returncode == 0, said
    assert "ERROR SUMMARY: 0 errors" in said
    assert "frames: 12" in said
