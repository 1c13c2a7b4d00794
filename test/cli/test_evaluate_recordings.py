import csv
from pathlib import Path

import pytest
from support.drives import record_with_truth

from hybrid_seg_ros.bundle import Bundle
from hybrid_seg_ros.cli.main import main
from hybrid_seg_ros.report.document import read_evaluation


def test_one_recording(tmp_path: Path, tiny_bundle: Bundle, capsys: pytest.CaptureFixture[str]) -> None:
    bag = record_with_truth(tmp_path / "drive", 3)
    out, copy = tmp_path / "out", tmp_path / "copy.json"
    command = ["evaluate", str(bag), "--bundle", str(tiny_bundle.path)]
    command += ["--out", str(out), "--json", str(copy), "--threshold", "best_f1"]
    assert main(command) == 0
    assert "report:" in capsys.readouterr().out
    found = read_evaluation(out / "evaluation.json")
    assert found == read_evaluation(copy)
    assert (found.kind, found.name, found.images) == ("recording", "drive", 3)
    assert found.network.operating_point == "best_f1"
    assert (out / "report.html").is_file()
    assert main(command) == 0
    assert "evaluated earlier" in capsys.readouterr().out
    assert read_evaluation(out / "evaluation.json") == found


def test_many_recordings_with_their_own_truth(
    tmp_path: Path, tiny_bundle: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(2):
        record_with_truth(tmp_path / "drives" / f"day{number}" / "front", 2, seed=number)
    (tmp_path / "drives" / "cut.mcap").write_bytes(b"no recording")
    out = tmp_path / "drives" / "out"
    command = ["evaluate", f"{tmp_path}/drives/**/*.mcap", "--bundle", str(tiny_bundle.path), "--out", str(out)]
    command += ["--image-topic", "/camera/image_raw", "--truth", "{folder}/front", "--jobs", "2", "--no-pictures"]
    assert main(command) == 1, "one of them cannot be evaluated"
    printed = capsys.readouterr()
    assert "cut: not evaluated: " in printed.out
    assert "cut.mcap" in printed.err
    whole = read_evaluation(out / "evaluation.json")
    assert (whole.name, whole.images, len(whole.recordings)) == ("drives", 4, 3)
    assert whole.scores["hybrid"].ap is not None
    assert not whole.pictures
    with (out / "recordings.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == [row.name for row in whole.recordings]
    own = [out / row.folder for row in whole.recordings if not row.error]
    assert all((folder / "report.html").is_file() for folder in own)
    (tmp_path / "drives" / "cut.mcap").unlink()
    stamps = [(folder / "evaluation.json").stat().st_mtime_ns for folder in own]
    assert main(command) == 0, "its own results are no recordings to evaluate"
    assert [(folder / "evaluation.json").stat().st_mtime_ns for folder in own] == stamps


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["nowhere.mcap"], "no such recording"),
        (["{bag}", "--peak"], "add --online"),
        (["{bag}", "--online", "--results", "x"], "leave out --online"),
        (["{bag}", "--online", "--jobs", "2"], "leave out --jobs"),
        (["{bag}", "{bag}2", "--truth", "{{folder}}/no_labels"], "no such file or folder"),
        (["{bag}/../out"], "no recording left"),
        (["{bag}", "{bag}2", "--results", "seen"], "put {{name}} or {{folder}}"),
        (["{bag}", "--ray", "127.0.0.1:1"], "Ray"),
    ],
)
def test_what_cannot_be_asked_for(
    tmp_path: Path, tiny_bundle: Bundle, capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    bag = record_with_truth(tmp_path / "drive", 1)
    record_with_truth(tmp_path / "drive2", 1)
    record_with_truth(tmp_path / "out" / "results", 1)
    command = [option.format(bag=bag) for option in options]
    assert main(["evaluate", *command, "--bundle", str(tiny_bundle.path), "--out", str(tmp_path / "out")]) != 0
    assert message.format() in capsys.readouterr().err


def test_rates_are_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["evaluate", "drive.mcap", "--rates", "10,fast"])
    assert "expected rates in Hz" in capsys.readouterr().err
