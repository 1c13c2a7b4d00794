import json
from pathlib import Path

import pytest
from pydantic import ValidationError
from support.evaluations import evaluation_of_images

from hybrid_seg_ros.report.document import ClosedSet, DocumentError, Evaluation, read_evaluation, write_evaluation


@pytest.fixture(scope="module")
def made() -> Evaluation:
    return evaluation_of_images(count=2, size=(96, 64))


def test_what_was_written_is_read(made: Evaluation, tmp_path: Path) -> None:
    write_evaluation(tmp_path / "new" / "evaluation.json", made)
    assert read_evaluation(tmp_path / "new" / "evaluation.json") == made


def test_the_order_of_scores_and_classes_is_kept(made: Evaluation, tmp_path: Path) -> None:
    closed = ClosedSet(miou=0.5, iou={"Sky": 0.25, "Building": 0.75, "Road": None}, pixels=3)
    scores = dict(sorted(made.scores.items(), reverse=True))
    write_evaluation(tmp_path / "a.json", made.model_copy(update={"closed_set": closed, "scores": scores}))
    read = read_evaluation(tmp_path / "a.json")
    assert read.closed_set is not None
    assert list(read.closed_set.iou) == ["Sky", "Building", "Road"]
    assert list(read.scores) == list(scores)


def test_lists_of_numbers_stand_on_one_line_and_text_stays_as_it_is(made: Evaluation, tmp_path: Path) -> None:
    odd = made.model_copy(update={"name": 'a [ "b",\n  c ] d'})
    write_evaluation(tmp_path / "a.json", odd)
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert json.loads(text) == odd.model_dump(mode="json")
    assert any(line.count(",") > 20 for line in text.splitlines())


def test_a_figure_that_is_not_defined_is_null_never_nan() -> None:
    with pytest.raises(ValidationError, match="finite"):
        ClosedSet(miou=float("nan"), iou={}, pixels=0)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "no such file.*hybrid-seg evaluate"),
        ("{", "not JSON"),
        ("[]", "schema_version is None, expected 1"),
        ('{"schema_version": 2}', "schema_version is 2, expected 1; evaluate again"),
        ('{"schema_version": 1, "kind": "images"}', "not an evaluation: .*name"),
    ],
)
def test_what_is_no_evaluation_is_refused_by_name(tmp_path: Path, content: str | None, expected: str) -> None:
    path = tmp_path / "some.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(DocumentError, match=rf"(?s)some\.json: {expected}"):
        read_evaluation(path)
