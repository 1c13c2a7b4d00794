"""`hybrid-seg evaluate --compare` as a command."""

from pathlib import Path

import pytest
from support.evaluations import evaluation_of_images

from hybrid_seg_ros.cli.main import main
from hybrid_seg_ros.report.document import write_evaluation


@pytest.fixture
def documents(tmp_path: Path) -> tuple[Path, Path]:
    """A document, and a folder that holds another of the same set."""
    first, second = tmp_path / "a.json", tmp_path / "today"
    for path, skill in ((first, 4.0), (second / "evaluation.json", 5.0)):
        write_evaluation(path, evaluation_of_images(count=3, size=(160, 90), skill=skill))
    return first, second


def test_prints_what_changed_and_writes_the_page(
    documents: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "out" / "changed.html"
    assert main(["evaluate", "--compare", *map(str, documents), "--html", str(page)]) == 0
    out = capsys.readouterr().out
    assert "Better: " in out
    assert str(page) in out
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_what_is_no_evaluation_or_of_another_set_is_one_line(
    documents: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, _ = documents
    assert main(["evaluate", "--compare", str(first), str(tmp_path / "gone.json")]) == 2
    assert f"{tmp_path / 'gone.json'}: no such file" in capsys.readouterr().err
    other = evaluation_of_images(count=2, size=(160, 90)).model_copy(update={"name": "others"})
    write_evaluation(tmp_path / "other.json", other)
    assert main(["evaluate", "--compare", str(first), str(tmp_path / "other.json")]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "'generated-streets' in the first and 'others' in the second" in error
