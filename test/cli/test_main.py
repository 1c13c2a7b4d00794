import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.recordings import record

from hybrid_seg_ros import __version__
from hybrid_seg_ros.bundle import Bundle
from hybrid_seg_ros.cli.main import main

COMMANDS = ("demo", "run", "replay", "evaluate", "calibrate", "inspect", "build-engine", "bench")


def test_help_names_every_command_and_fits_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert end.value.code == 0
    text = capsys.readouterr().out
    for command in COMMANDS:
        assert f"    {command}" in [line[: 4 + len(command)].rstrip() for line in text.splitlines()]
    assert max(len(line) for line in text.splitlines()) <= 120


@pytest.mark.parametrize("command", COMMANDS)
def test_every_commands_help_explains_itself(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    with pytest.raises(SystemExit) as end:
        main([command, "--help"])
    assert end.value.code == 0
    text = capsys.readouterr().out
    assert f"usage: hybrid-seg {command}" in text
    assert max(len(line) for line in text.splitlines()) <= 120
    assert "  --debug" in text


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out.strip() == f"hybrid-seg {__version__}"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["inspect", "no_such_bundle"], "no_such_bundle"),
        (["run", "no_such_picture.png"], "no such image, folder or video"),
        (["replay", "no_such_bag", "--out", "OUT", "--bundle", "BUNDLE"], "no such recording"),
        (["demo", "--bundle", "no_such_bundle", "--out", "OUT"], "no_such_bundle"),
        (["bench", "no_such_scenario"], "expected some of camera_rate"),
        (["bench", "soak", "--all"], "expected one or the other"),
        (["bench", "soak", "--effort", "2", "--bundle", "BUNDLE"], "expected a share above 0"),
    ],
)
def test_an_error_is_one_line_and_status_2(
    arguments: list[str], words: str, tmp_path: Path, tiny_bundle: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    places = {"OUT": str(tmp_path / "out"), "BUNDLE": str(tiny_bundle.path)}
    assert main([places.get(a, a) for a in arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"hybrid-seg {arguments[0]}: ")
    assert error.count("\n") == 1
    assert words in error
    with pytest.raises((ValueError, OSError, RuntimeError)):
        main([*(places.get(a, a) for a in arguments), "--debug"])


def test_a_folder_with_somebodys_files_is_not_touched(
    tmp_path: Path, tiny_bundle: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "drive").mkdir()
    (tmp_path / "drive" / "precious.txt").write_text("mine")
    for command in (["demo"], ["replay", str(record(tmp_path / "bag", 1))]):
        assert main([*command, "--out", str(tmp_path), "--bundle", str(tiny_bundle.path)]) == 2
        assert "name another folder" in capsys.readouterr().err
    assert (tmp_path / "drive" / "precious.txt").read_text() == "mine"


def test_interrupted_is_130(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("hybrid_seg_ros.cli.inspect.run", interrupt)
    assert main(["inspect"]) == 130
    assert "interrupted" in capsys.readouterr().err


def test_inspect_prints_the_bundle_and_its_manifest(tiny_bundle: Bundle, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(tiny_bundle.path)]) == 0
    assert "operating" in (text := capsys.readouterr().out) or "TPR" in text
    assert main(["inspect", str(tiny_bundle.path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["name"] == "tiny"


def test_starting_the_command_imports_nothing_heavy() -> None:
    code = "import sys, hybrid_seg_ros.cli.commands as m; m.build_parser(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {"cv2", "numba", "onnxruntime", "rclpy", "rosbags", "torch", "av"} & set(loaded) == set()


def test_sigterm_takes_the_nodes_process_with_it(tmp_path: Path, tiny_bundle: Bundle) -> None:
    pytest.importorskip("rclpy", reason="ROS is not installed")
    bag = record(tmp_path / "bag", 300, fps=5.0)
    command = [sys.executable, "-m", "hybrid_seg_ros.cli.main", "replay", str(bag), "--out", str(tmp_path / "out")]
    process = subprocess.Popen([*command, "--online", "--bundle", str(tiny_bundle.path)], stderr=subprocess.DEVNULL)
    log = tmp_path / "out" / "logs" / "node.log"
    deadline = time.monotonic() + 60
    while not (log.is_file() and "listening" in log.read_text()) and time.monotonic() < deadline:
        time.sleep(0.05)
    started = children(process.pid)
    assert len(started) == 2
    process.terminate()
    assert process.wait(30) == 128 + signal.SIGTERM
    assert not [pid for pid in started if Path(f"/proc/{pid}").exists()]


def children(parent: int) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]


def test_inspect_verify_compares_with_fp32_on_the_cpu(
    tiny_bundle: Bundle, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hybrid_seg_ros.cli.verify.SIZE", (160, 120))
    assert main(["inspect", str(tiny_bundle.path), "--verify", "--backend", "onnxruntime"]) == 0
    said = capsys.readouterr().out
    assert "onnxruntime on cpu, fp32" in said
    assert "labels equal  100.000%" in said
    assert "(+0.00%)" in said
    assert main(["inspect", str(tiny_bundle.path), "--verify", "--backend", "fake"]) == 0
    assert "labels equal  100.000%" not in capsys.readouterr().out
