"""Processes that Ctrl-C reaches, however the tests were started."""

import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path


def interruptible(*command: str) -> Sequence[str]:
    """The command with SIGINT as it is in a terminal; the process is its own, not one of a shell around it.

    Under nohup, after `&` in a script and in some CI systems SIGINT is ignored. Children inherit that, and Python
    then raises no KeyboardInterrupt.
    """
    return ("env", "--default-signal=INT", *command)


SLOW_IMPORT = """
import time
try:
    print("importing", flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    raise RuntimeError("native code calls it an error of its own") from None
"""


def interrupt_import_of(module: str, folder: Path, *command: str) -> tuple[int, str]:
    """Send Ctrl-C to the command while it imports the module, of which there is a stand-in that takes its time.

    Returns:
        Its exit status and what it wrote to stderr.
    """
    (folder / f"{module}.py").write_text(SLOW_IMPORT)
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    process = subprocess.Popen(
        interruptible(*command), env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "importing\n"
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    return process.returncode, said
