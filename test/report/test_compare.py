"""What changed between two evaluations: exact differences, intervals, and sets that are not one."""

from pathlib import Path

import pytest
from support.evaluations import evaluation_of_images, evaluation_of_recording

from hybrid_seg_ros.evaluation.bootstrap import Interval
from hybrid_seg_ros.report.compare import Change, Comparison, ComparisonError, compare
from hybrid_seg_ros.report.compare_listing import comparison_text, identity_difference, verdict_line
from hybrid_seg_ros.report.compare_page import comparison_html, write_comparison
from hybrid_seg_ros.report.document import GROUND_TRUTH, Evaluation, Problem


def few_scores(one: Evaluation) -> Evaluation:
    """Without the third: resampling takes its time."""
    return one.model_copy(update={"scores": {name: one.scores[name] for name in ("hybrid", "energy")}})


@pytest.fixture(scope="module")
def before() -> Evaluation:
    return few_scores(evaluation_of_images(count=12, size=(160, 90)))


@pytest.fixture(scope="module")
def after() -> Evaluation:
    """The same images, a better network."""
    better = few_scores(evaluation_of_images(count=12, size=(160, 90), skill=5.0))
    return better.model_copy(update={"network": better.network.model_copy(update={"name": "next"})})


@pytest.fixture(scope="module")
def comparison(before: Evaluation, after: Evaluation) -> Comparison:
    return compare(before, after)


def change_of(comparison: Comparison, group: str, name: str) -> Change:
    return next(change for change in comparison.changes if (change.group, change.name) == (group, name))


@pytest.mark.parametrize(("name", "field"), [("AP", "ap"), ("AUROC", "auroc"), ("FPR95", "fpr95")])
def test_changes_are_exact_and_lie_in_their_intervals(
    comparison: Comparison, before: Evaluation, after: Evaluation, name: str, field: str
) -> None:
    change = change_of(comparison, "hybrid", name)
    assert change.difference == getattr(after.scores["hybrid"], field) - getattr(before.scores["hybrid"], field)
    assert change.interval is not None
    assert change.interval.paired
    assert change.interval.low is not None
    assert change.interval.high is not None
    assert change.interval.low <= change.interval.high
    assert change.verdict == "better"


@pytest.mark.parametrize(("change", "verdict"), [(-2e-6, "not shown"), (-2e-3, "worse")])
def test_a_change_that_is_written_as_0_is_not_worse(change: float, verdict: str) -> None:
    interval = Interval(change, 1.5 * change, 0.5 * change, 0.95, paired=True, resamples=2000)
    assert Change("hybrid", "AP", "%", True, 0.75, 0.75 + change, interval).verdict == verdict


def test_nothing_is_better_than_itself(before: Evaluation) -> None:
    same = compare(before, before)
    assert {change.verdict for change in same.changes} == {"equal"}
    assert identity_difference(same).rows == ()


def test_the_other_way_round_is_worse(comparison: Comparison, before: Evaluation, after: Evaluation) -> None:
    back = compare(after, before)
    assert change_of(back, "hybrid", "AP").verdict == "worse"
    assert change_of(back, "hybrid", "FPR95").verdict == "worse"
    there = change_of(comparison, "hybrid", "AP").difference
    assert there is not None
    assert change_of(back, "hybrid", "AP").difference == -there


def test_without_blocks_a_change_is_told_and_not_judged(before: Evaluation, after: Evaluation) -> None:
    plain = after.scores["hybrid"].model_copy(update={"blocks": None})
    found = compare(before, after.model_copy(update={"scores": {"hybrid": plain}}))
    change = change_of(found, "hybrid", "AP")
    assert change.difference is not None
    assert change.interval is None
    assert change.verdict == "no interval"
    assert any("energy (first only)" in note for note in found.notes)


def test_means_of_images_have_no_interval_of_pooled_pixels(before: Evaluation, after: Evaluation) -> None:
    means = {"averaging": "per_image"}
    found = compare(before.model_copy(update=means), after.model_copy(update=means))
    assert change_of(found, "hybrid", "AP").verdict == "no interval"
    with pytest.raises(ComparisonError, match="averaging is 'pooled'"):
        compare(before, after.model_copy(update=means))


def test_scores_of_other_names_are_held_against_each_other(before: Evaluation, after: Evaluation) -> None:
    theirs = after.model_copy(
        update={
            "scores": {"their score": after.scores["hybrid"]},
            "network": after.network.model_copy(update={"score": "their score"}),
        }
    )
    found = compare(before, theirs)
    assert change_of(found, "hybrid → their score", "AP").interval is not None
    assert [note for note in found.notes if "one evaluation only" in note] == [
        "Scores of one evaluation only: energy (first only)."
    ]


def test_sets_that_are_not_one_are_refused(before: Evaluation, after: Evaluation) -> None:
    with pytest.raises(ComparisonError, match=r"name is 'generated-streets' in the first and 'others'"):
        compare(before, after.model_copy(update={"name": "others"}))
    with pytest.raises(ComparisonError, match="kind is 'images'"):
        compare(before, evaluation_of_recording(count=2, size=(160, 90)))
    without = [Problem(where=GROUND_TRUTH, what="no image has an anomaly")]
    for problems in ([], without):
        fewer = after.model_copy(update={"images": 11, "problems": problems})
        with pytest.raises(ComparisonError, match=r"12 images with .* 11 images with"):
            compare(before.model_copy(update={"problems": problems}), fewer)


def test_an_image_that_one_run_could_not_use_is_a_note(before: Evaluation) -> None:
    fewer = few_scores(evaluation_of_images(count=11, size=(160, 90)))
    found = compare(before, fewer)
    assert any(note.startswith("Not the same pixels: 12 images") for note in found.notes)
    interval = change_of(found, "hybrid", "AP").interval
    assert interval is not None
    assert not interval.paired


def test_drives_compare_their_speed(tmp_path: Path) -> None:
    drive = evaluation_of_recording(count=3, size=(160, 90))
    assert drive.node is not None
    assert drive.node.latency_ms is not None
    slower = drive.node.latency_ms.model_copy(update={"p99": drive.node.latency_ms.p99 + 10})
    later = drive.model_copy(update={"node": drive.node.model_copy(update={"latency_ms": slower})})
    found = compare(drive, later)
    change = change_of(found, "node", "latency p99")
    assert change.difference == pytest.approx(10)
    assert change.verdict == "no interval"
    assert any("3 blocks" in note for note in found.notes)
    assert "+10.0" in comparison_text(found)


def test_text_and_page_tell_the_same(comparison: Comparison, tmp_path: Path) -> None:
    text, page = comparison_text(comparison), comparison_html(comparison)
    change = change_of(comparison, "hybrid", "AP")
    assert change.difference is not None
    for told in (text, page):
        assert f"{100 * change.difference:+.2f}" in told
        assert verdict_line(comparison) in told
    assert "first camvid_hybrid_lite0, second next" in text
    write_comparison(comparison, tmp_path / "new" / "changed.html")
    assert (tmp_path / "new" / "changed.html").read_text(encoding="utf-8") == page
