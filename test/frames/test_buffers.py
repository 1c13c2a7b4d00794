"""Page faults are counted in processes of their own: malloc is set for a whole process."""

import os
import platform
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="mallopt is glibc's")

# Where the system gives huge pages to everybody there is little to count: these processes do without.
_FAULTS = """
import ctypes, resource, threading
PR_SET_THP_DISABLE = 41
ctypes.CDLL(None).prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0)
from hybrid_seg_ros.frames.buffers import keep_buffers
print({call})
counts = []
def frames():
    for _ in range(20):
        image, score = bytes(6_220_800), bytearray(b"1" * 8_294_400)
        del image, score
        counts.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
thread = threading.Thread(target=frames)
thread.start()
thread.join()
print((counts[-1] - counts[9]) / 10)
"""


def run(call: str, **variables: str) -> tuple[str, float]:
    own = {k: v for k, v in os.environ.items() if not k.startswith(("MALLOC_", "GLIBC_"))}
    script = [sys.executable, "-c", _FAULTS.format(call=call)]
    done = subprocess.run(script, env=own | variables, capture_output=True, text=True, check=True)
    said, faults = done.stdout.split()
    return said, float(faults)


def test_image_buffers_are_used_again_also_in_threads() -> None:
    _, before = run("False")
    said, after = run("keep_buffers()")
    assert said == "True"
    assert before > 1000  # pages of each frame: what is to be saved
    assert after < 10


def test_a_malloc_tuned_by_the_user_is_left_alone() -> None:
    said, _ = run("keep_buffers()", MALLOC_TRIM_THRESHOLD_="131072")
    assert said == "False"
