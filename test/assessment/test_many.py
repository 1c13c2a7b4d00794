import json
from pathlib import Path

import pytest
from support.assessments import assess_stand_in
from support.recordings import record

from hybrid_seg_ros.assessment.many import assess_many
from hybrid_seg_ros.assessment.recording_options import RecordingOptions
from hybrid_seg_ros.bundle import Bundle


@pytest.fixture
def options(bundle_copy: Bundle) -> RecordingOptions:
    return RecordingOptions(bundle=str(bundle_copy.path))


def recordings(root: Path, names: str) -> list[Path]:
    """One recording for each letter; those whose letter is "x" are broken, those of "k" kill their process."""
    return [record(root / f"{place}{letter}" / "bag", 1) for place, letter in enumerate(names)]


def runs(bag: Path) -> int:
    """How often a recording was evaluated."""
    return len((bag.parent / "runs").read_text()) if (bag.parent / "runs").exists() else 0


def test_one_that_fails_or_dies_is_reported_and_the_others_go_on(tmp_path: Path, options: RecordingOptions) -> None:
    bags = recordings(tmp_path, "axkb")
    out = tmp_path / "out"
    outcomes = assess_many(bags, options, out=out, jobs=2, progress=False, assess=assess_stand_in)
    assert [o.state for o in outcomes] == ["done", "failed", "failed", "done"]
    assert [o.name for o in outcomes] == ["0a/bag", "1x/bag", "2k/bag", "3b/bag"]
    assert "broken on purpose" in outcomes[1].error
    assert "SIGKILL" in outcomes[2].error
    assert outcomes[3].evaluation().images == 1


def test_what_is_finished_is_not_done_twice(tmp_path: Path, options: RecordingOptions) -> None:
    bags = recordings(tmp_path, "ax")
    out = tmp_path / "out"
    assess_many(bags, options, out=out, jobs=2, progress=False, assess=assess_stand_in)
    more = [*bags, *recordings(tmp_path / "more", "c")]
    outcomes = assess_many(more, options, out=out, jobs=2, progress=False, assess=assess_stand_in)
    assert [o.state for o in outcomes] == ["kept", "failed", "done"]
    assert [runs(bag) for bag in more] == [1, 2, 1], "a failure is tried again"
    assess_many(bags[:1], options, out=out, progress=False, again=True, assess=assess_stand_in)
    assert runs(bags[0]) == 2


def test_a_damaged_or_missing_document_is_made_again(tmp_path: Path, options: RecordingOptions) -> None:
    bags = recordings(tmp_path, "a")
    (first,) = assess_many(bags, options, out=tmp_path / "out", progress=False, assess=assess_stand_in)
    document = first.folder / "evaluation.json"
    document.write_text(document.read_text()[:-40])
    (second,) = assess_many(bags, options, out=tmp_path / "out", progress=False, assess=assess_stand_in)
    assert second.state == "done"
    json.loads(document.read_text())


def test_a_measurement_of_time_runs_alone(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="leave out --jobs"):
        assess_many([], RecordingOptions(mode="online"), out=tmp_path, jobs=2)
    with pytest.raises(ValueError, match="expected at least 1"):
        assess_many([], RecordingOptions(), out=tmp_path, jobs=0)
