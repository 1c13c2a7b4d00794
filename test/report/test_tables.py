"""CSV files read back by the standard reader: every figure, in full precision."""

import csv
from pathlib import Path

import pytest
from support.evaluations import evaluation_of_recording

from hybrid_seg_ros.report.document import Evaluation, Network, Score
from hybrid_seg_ros.report.tables import write_tables


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def drive() -> Evaluation:
    return evaluation_of_recording(count=2, size=(160, 90))


def test_every_figure_comes_back_exactly(drive: Evaluation, tmp_path: Path) -> None:
    written = {path.name: rows_of(path) for path in write_tables(drive, tmp_path / "new")}
    assert list(written) == [
        "scores.csv",
        "points.csv",
        *(f"{what}_{name}.csv" for name in ("hybrid", "energy", "msp") for what in ("curve", "histogram")),
        "components.csv",
        "distance.csv",
        "classes.csv",
        "reliability.csv",
        "figures.csv",
        "rates.csv",
        "frames.csv",
        "obstacles.csv",
    ]
    hybrid, first = drive.scores["hybrid"], written["scores.csv"][0]
    assert hybrid.components is not None
    assert first["score"] == "hybrid"
    assert float(first["ap"]) == hybrid.ap
    assert float(first["component_mean_f1"]) == hybrid.components.mean_f1
    assert hybrid.curve is not None
    assert [float(row["threshold"]) for row in written["curve_hybrid.csv"]] == hybrid.curve.thresholds
    assert [float(row["fpr"]) for row in written["curve_hybrid.csv"]] == hybrid.curve.fpr
    assert {row["point"] for row in written["points.csv"] if row["score"] == "hybrid"} == set(hybrid.points)
    assert drive.closed_set is not None
    assert [row["class"] for row in written["classes.csv"]] == list(drive.closed_set.iou)
    assert len(written["frames.csv"]) == len(drive.frames)
    lost = next(row for row in written["frames.csv"] if row["state"] == "dropped")
    assert lost["latency_ms"] == ""
    assert written["obstacles.csv"][4]["first_detected_s"] == ""
    assert hybrid.histogram is not None
    assert [int(row["known"]) for row in written["histogram_hybrid.csv"]] == hybrid.histogram.known
    f1 = [row["f1"] for row in written["components.csv"] if row["score"] == "hybrid"]
    assert [float(value) if value else None for value in f1] == hybrid.components.f1_by_threshold
    assert len(written["distance.csv"]) == sum(len(bins) for bins in drive.distance.values())
    assert drive.calibration is not None
    assert [int(row["pixels"]) for row in written["reliability.csv"]] == [b.pixels for b in drive.calibration.bins]
    assert drive.node is not None
    assert [row["kind"] for row in written["rates.csv"]] == [rate.kind for rate in drive.node.rates]


def test_every_figure_of_one_number_has_its_row(drive: Evaluation, tmp_path: Path) -> None:
    write_tables(drive, tmp_path)
    figures = {row["figure"]: row["value"] for row in rows_of(tmp_path / "figures.csv")}
    assert drive.closed_set is not None
    assert drive.open_set is not None
    assert drive.calibration is not None
    assert drive.video is not None
    assert drive.node is not None
    assert drive.node.latency_ms is not None
    for name, value in {
        "closed_set.miou": drive.closed_set.miou,
        "open_set.open_miou": drive.open_set.open_miou,
        "calibration.ece": drive.calibration.ece,
        "video.label_consistency": drive.video.label_consistency,
        "video.delayed_miou": drive.video.delayed_miou,
        "node.peak_hz": drive.node.peak_hz,
        "node.latency_ms.p99": drive.node.latency_ms.p99,
    }.items():
        assert value is not None
        assert float(figures[name]) == value


def test_what_is_not_there_is_no_file_and_what_is_not_defined_is_empty(tmp_path: Path) -> None:
    score = Score(ap=None, auroc=None, fpr95=None)
    one = Evaluation(kind="images", name="x", network=Network(name="n"), images=1, scores={"a": score})
    written = write_tables(one, tmp_path)
    assert [path.name for path in written] == ["scores.csv", "points.csv"]
    assert rows_of(written[0])[0]["ap"] == ""
    assert rows_of(written[1]) == []


def test_a_score_with_any_name_stays_in_the_folder(drive: Evaluation, tmp_path: Path) -> None:
    named = drive.model_copy(update={"scores": {"../my method/σ": drive.scores["hybrid"]}})
    folder = tmp_path / "tables"
    assert "curve_.._my_method__.csv" in [path.name for path in write_tables(named, folder)]
    assert {path.parent for path in tmp_path.rglob("*.csv")} == {folder}
