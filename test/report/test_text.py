"""An evaluation in the terminal: the figures, what is not defined, what is missing."""

import pytest
from support.evaluations import evaluation_of_images, evaluation_of_recording

from hybrid_seg_ros.report.document import Evaluation, Machine, Network, Obstacle, Problem, RecordingRow, Score, Video
from hybrid_seg_ros.report.table import Table, as_text
from hybrid_seg_ros.report.text import summary_text
from hybrid_seg_ros.report.words import fine_percent, percent


@pytest.fixture(scope="module")
def images() -> Evaluation:
    return evaluation_of_images(count=3, size=(160, 90))


def line_of(text: str, start: str) -> str:
    return next(line for line in text.splitlines() if line.strip().startswith(start))


def test_names_set_network_truth_and_figures(images: Evaluation) -> None:
    text = summary_text(images)
    assert line_of(text, "set").split(None, 1)[1].startswith("generated-streets: 3 images")
    assert "masks/*.png" in line_of(text, "ground truth")
    assert line_of(text, "masks").endswith("(camvid_tpr95)")
    hybrid = images.scores["hybrid"]
    assert hybrid.ap is not None
    assert hybrid.fpr95 is not None
    assert f"{100 * hybrid.ap:.1f}" in line_of(text, "hybrid")
    assert f"{100 * hybrid.fpr95:.1f}" in line_of(text, "hybrid")


def test_a_figure_that_is_not_defined_is_a_dash_and_never_nan() -> None:
    bare = Evaluation(
        kind="images",
        name="empty street",
        network=Network(name="somebody's scores"),
        images=2,
        images_without_anomaly=2,
        scores={"score": Score(ap=None, auroc=None, fpr95=None)},
    )
    text = summary_text(bare)
    assert line_of(text, "score  ").split() == ["score", "AP", "↑", "AUROC", "↑", "FPR95", "↓", "best", "F1", "↑"]
    assert text.splitlines()[-1].split() == ["score", "–", "–", "–", "–"]
    assert "2 images, 2 of them without any anomaly" in text
    assert "nan" not in text.lower()
    assert line_of(text, "ground truth").endswith("none")


def test_a_drive_tells_drops_latency_and_obstacles() -> None:
    drive = evaluation_of_recording(count=2, size=(160, 90))
    text = summary_text(drive)
    assert drive.node is not None
    assert drive.node.latency_ms is not None
    assert line_of(text, "dropped").split()[1] == str(drive.node.dropped)
    assert f"{drive.node.latency_ms.p99:.1f}" in line_of(text, "latency")
    assert line_of(text, "104").split()[-2:] == ["never", "never"]


def test_an_obstacle_that_was_out_of_view_when_its_result_came_is_explained() -> None:
    late = Obstacle(
        id=7,
        frames_in_view=3,
        frames_detected=1,
        first_in_view_s=0.0,
        first_detected_s=2.0,
        time_to_detection_s=2.0,
        first_in_view_m=30.0,
    )
    near = late.model_copy(update={"first_detected_m": 12.0})
    for obstacle, told in ((late, True), (near, False)):
        text = summary_text(
            Evaluation(
                kind="recording", name="x", network=Network(name="n"), images=3, video=Video(obstacles=[obstacle])
            )
        )
        assert ("out of view when" in text) == told


def test_many_problems_are_counted_and_the_first_are_told() -> None:
    problems = [Problem(where=f"{i}.png", what="no mask") for i in range(25)]
    evaluation = Evaluation(
        kind="images", name="x", network=Network(name="n"), machine=Machine(), images=0, problems=problems
    )
    text = summary_text(evaluation)
    assert "25 problems" in text
    assert "9.png: no mask" in text
    assert "10.png" not in text
    assert "and 15 more" in text


def test_errors_show_only_where_they_matter() -> None:
    assert percent(0.648) == "64.8"
    assert percent(0.648, 1e-6) == "64.8"
    assert percent(0.648, 3e-4) == "64.8 ±0.03"
    assert [fine_percent(v) for v in (0.0, 1.0, 0.00999999, 0.000123, None)] == ["0", "100", "1.00", "0.0123", "–"]


def test_a_row_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(ValueError, match="2 cells"):
        Table("t", ("a",), (("x", "y"),))
    assert as_text(Table("t", ("a", "b"), (("x", "1"), ("long", "22")))) == "t\n  a      b\n  x      1\n  long  22"


def test_recordings_evaluated_together_have_a_line_each() -> None:
    rows = [RecordingRow(name="one.mcap", images=40, ap=0.5), RecordingRow(name="two.mcap", error="is empty")]
    text = summary_text(Evaluation(kind="recording", name="x", network=Network(name="n"), images=40, recordings=rows))
    assert line_of(text, "one.mcap").split()[1:3] == ["40", "50.0"]
    assert line_of(text, "two.mcap").endswith("is empty")
