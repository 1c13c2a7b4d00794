"""Ctrl-C while programs import what they need."""

import signal
import sys
from pathlib import Path

import pytest
from support.interrupts import interrupt_import_of

from hybrid_seg_ros.interrupts import noticed_interrupts, quiet_imports


@pytest.mark.parametrize(
    ("module", "command", "line"),
    [
        ("argparse", ("hybrid_seg_ros.cli.main", "--help"), "hybrid-seg: interrupted\n"),
        ("numpy", ("hybrid_seg_ros.cli.main", "inspect", "any"), "hybrid-seg: interrupted\n"),
        ("rclpy", ("hybrid_seg_ros.ros.main",), "hybrid_seg_node: interrupted\n"),
    ],
)
def test_one_line_and_status_130(module: str, command: tuple[str, ...], line: str, tmp_path: Path) -> None:
    assert interrupt_import_of(module, tmp_path, sys.executable, "-m", *command) == (130, line)


def test_so_it_is_where_a_command_imports_late_and_the_interrupt_became_an_error(tmp_path: Path) -> None:
    status, said = interrupt_import_of(
        "pydantic", tmp_path, sys.executable, "-m", "hybrid_seg_ros.cli.main", "run", str(tmp_path)
    )
    assert status == 130
    assert said == "hybrid-seg: interrupted (native code calls it an error of its own)\n"


@pytest.mark.parametrize("handler", [signal.SIG_IGN, lambda *_: None])
def test_who_handles_interrupts_otherwise_is_left_alone(handler: signal.Handlers) -> None:
    before = signal.signal(signal.SIGINT, handler)
    try:
        with quiet_imports("nobody"), noticed_interrupts() as interrupts:
            signal.raise_signal(signal.SIGINT)
        assert not interrupts.came
        assert signal.getsignal(signal.SIGINT) is handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_handler_that_the_block_installs_stays() -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with quiet_imports("nobody"):
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        signal.signal(signal.SIGINT, signal.default_int_handler)
        with quiet_imports("nobody"):
            pass
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
