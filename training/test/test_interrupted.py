"""Ctrl-C ends hybrid-seg-train in one line."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hybrid_seg_train import __main__ as entry

SLOW_IMPORT = 'import time\nprint("importing", flush=True)\ntime.sleep(60)\n'


def test_while_it_is_imported(tmp_path: Path) -> None:
    (tmp_path / "argparse.py").write_text(SLOW_IMPORT)
    process = subprocess.Popen(
        # Under nohup and in some CI systems SIGINT is ignored, and children inherit that.
        ["env", "--default-signal=INT", sys.executable, "-m", "hybrid_seg_train", "report"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "importing\n"
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (130, "hybrid-seg-train: interrupted\n")


def test_while_it_works(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt() -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("hybrid_seg_train.cli.main", interrupt)
    assert entry.main() == 130
    assert capsys.readouterr().err == "hybrid-seg-train: interrupted\n"
