"""Real recordings through real detectors: what the orchestration must not change."""

import hashlib
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.drives import record_with_truth
from support.recordings import picture, record

from hybrid_seg_ros.assessment.combine import combine
from hybrid_seg_ros.assessment.many import Outcome, assess_many, evaluate_once, finished
from hybrid_seg_ros.assessment.recording import CONFUSION, COUNTS, RESULTS
from hybrid_seg_ros.assessment.recording_options import RecordingOptions
from hybrid_seg_ros.bags import BagWriter, read_results
from hybrid_seg_ros.bags.messages import image_message
from hybrid_seg_ros.bags.topics import IMAGE
from hybrid_seg_ros.bundle import Bundle
from hybrid_seg_ros.evaluation.pixel_counts import PixelCounts
from hybrid_seg_ros.report.document import Evaluation

# What a clock says is never the same twice; and how many cores a recording had is no result.
_CLOCKED = {"date", "seconds", "latency_ms", "stages_ms", "reported_ms", "cores"}


def timeless(value: Any) -> Any:
    """A document without what a clock said."""
    if isinstance(value, dict):
        return {key: timeless(entry) for key, entry in value.items() if key not in _CLOCKED}
    return [timeless(entry) for entry in value] if isinstance(value, list) else value


def described(evaluation: Evaluation) -> Any:
    return timeless(evaluation.model_dump(mode="json"))


def content(outcome: Outcome) -> dict[str, str]:
    """Hash of every file of a recording's results that a clock has no part in."""
    files = [COUNTS, CONFUSION, *(p.relative_to(outcome.folder) for p in (outcome.folder / RESULTS).rglob("*.mcap"))]
    files += [path.relative_to(outcome.folder) for path in (outcome.folder / "pictures").rglob("*.jpg")]
    return {str(name): hashlib.sha256((outcome.folder / name).read_bytes()).hexdigest() for name in files}


@pytest.fixture(scope="module")
def drives(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two drives and between them one without a camera."""
    root = tmp_path_factory.mktemp("drives")
    bags = [record_with_truth(root / name, 3, seed=seed) for seed, name in enumerate(("a", "b"))]
    broken = root / "broken.mcap"
    broken.write_bytes(next(bags[0].glob("*.mcap")).read_bytes()[:40])
    return [bags[0], broken, bags[1]]


@pytest.fixture(scope="module")
def one_by_one(drives: list[Path], tiny_bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> list[Outcome]:
    """Each recording on its own, in this process."""
    out = tmp_path_factory.mktemp("one_by_one")
    options = RecordingOptions(bundle=str(tiny_bundle.path), image_topic="/camera/image_raw")
    outcomes = []
    for bag in (drives[0], drives[2]):
        evaluate_once(bag, options, out=out / bag.name, progress=False)
        outcomes.append(Outcome(bag.name, bag, out / bag.name, "done"))
    return outcomes


def check_many(outcomes: list[Outcome], one_by_one: list[Outcome], out: Path, tiny_bundle: Bundle) -> None:
    assert [o.state for o in outcomes] == ["done", "failed", "done"], [o.error for o in outcomes]
    assert "broken.mcap" in outcomes[1].error
    assert "Traceback" in (outcomes[1].folder / "error.txt").read_text()
    for many, one in zip((outcomes[0], outcomes[2]), one_by_one, strict=True):
        assert described(many.evaluation()) == described(one.evaluation())
        assert content(many) == content(one)
        assert len(content(many)) >= 3
        assert len(list(read_results(many.folder / RESULTS))) == 3
    names = [info.name for info in tiny_bundle.classes]
    whole = combine("drives", outcomes, out=out, classes=names, pictures=8)
    assert whole.images == 6
    assert [bool(row.error) for row in whole.recordings] == [False, True, False]
    counts = [PixelCounts.load(o.folder / COUNTS) for o in one_by_one]
    assert whole.anomaly_pixels == sum(c.anomaly for c in counts) > 0
    assert whole.closed_set is not None
    assert whole.closed_set.pixels == sum(int(np.load(o.folder / CONFUSION).sum()) for o in one_by_one)
    assert all((out / picture.file).is_file() for picture in whole.pictures)
    assert whole.pictures


def test_processes_change_nothing(
    tmp_path: Path, drives: list[Path], one_by_one: list[Outcome], tiny_bundle: Bundle
) -> None:
    options = RecordingOptions(bundle=str(tiny_bundle.path), image_topic="/camera/image_raw")
    outcomes = assess_many(drives, options, out=tmp_path, jobs=2, progress=False)
    check_many(outcomes, one_by_one, tmp_path, tiny_bundle)
    assert finished(drives, options, out=tmp_path) == 2


@pytest.mark.slow
def test_ray_changes_nothing(
    tmp_path: Path,
    drives: list[Path],
    one_by_one: list[Outcome],
    tiny_bundle: Bundle,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'hybrid_seg_ros[ray]'")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    options = RecordingOptions(bundle=str(tiny_bundle.path), image_topic="/camera/image_raw")
    outcomes = assess_many(drives, options, out=tmp_path, jobs=0, ray="local", progress=False)
    check_many(outcomes, one_by_one, tmp_path, tiny_bundle)


def test_one_recording_is_not_done_twice(tmp_path: Path, drives: list[Path], tiny_bundle: Bundle) -> None:
    options = RecordingOptions(bundle=str(tiny_bundle.path), image_topic="/camera/image_raw")
    first, kept = evaluate_once(drives[0], options, out=tmp_path, progress=False)
    assert not kept
    assert evaluate_once(drives[0], options, out=tmp_path, progress=False) == (first, True)
    _, kept = evaluate_once(drives[0], options, out=tmp_path, progress=False, again=True)
    assert not kept


def test_why_one_of_many_failed_is_told_in_full(tmp_path: Path, tiny_bundle: Bundle) -> None:
    bag = record(tmp_path / "left", 1)
    with BagWriter(tmp_path / "two") as writer:
        for name in ("/left/image_raw", "/right/image_raw"):
            writer.write(name, IMAGE, 1, image_message(picture(0), "bgr8", stamp=1, frame_id="c"))
    options = RecordingOptions(bundle=str(tiny_bundle.path))
    good, bad = assess_many([bag, tmp_path / "two"], options, out=tmp_path / "out", progress=False)
    assert (good.state, bad.state) == ("done", "failed")
    assert "\n" not in bad.error
    for word in ("two: several image topics", "--image-topic", "/left/image_raw", "/right/image_raw"):
        assert word in bad.error


def test_one_that_ended_at_a_full_disk_is_not_done(
    tmp_path: Path, drives: list[Path], tiny_bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = RecordingOptions(bundle=str(tiny_bundle.path), image_topic="/camera/image_raw")
    usage = shutil.disk_usage(tmp_path)
    with monkeypatch.context() as patched:
        left = iter([1 << 30] * 5)  # a topic of labels and four messages
        patched.setattr(shutil, "disk_usage", lambda path: usage._replace(free=next(left, 1 << 20)))
        first, _ = evaluate_once(drives[0], options, out=tmp_path / "one", progress=False)
    assert first.node is not None
    assert 0 < first.node.dropped < 3
    assert any("the disk is full" in problem.what for problem in first.problems)
    second, kept = evaluate_once(drives[0], options, out=tmp_path / "one", progress=False)
    assert not kept
    assert (second.images, second.problems) == (3, [])


def test_one_recording_goes_on_after_it_was_cut_off(tmp_path: Path, drives: list[Path], tiny_bundle: Bundle) -> None:
    options = RecordingOptions(bundle=str(tiny_bundle.path), image_topic="/camera/image_raw")
    (tmp_path / RESULTS).mkdir()
    (tmp_path / RESULTS / "results.mcap").touch()
    with pytest.raises(FileExistsError, match="name another folder"):
        evaluate_once(drives[0], options, out=tmp_path, progress=False)
    assert (tmp_path / RESULTS / "results.mcap").exists(), "made by somebody else"
    (tmp_path / "unfinished").touch()
    evaluation, _ = evaluate_once(drives[0], options, out=tmp_path, progress=False)
    assert evaluation.images == 3
    assert not (tmp_path / "unfinished").exists()
