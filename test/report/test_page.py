"""The page as text: whole in one file, safe, and of what the evaluation holds."""

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from support.evaluations import evaluation_of_images, evaluation_of_recording

from hybrid_seg_ros.report.document import ClosedSet, Evaluation, Network, Picture, Problem, RecordingRow, Score
from hybrid_seg_ros.report.page import report_html, write_report
from hybrid_seg_ros.report.threshold import slider


class Parsed(HTMLParser):
    """Balance of the tags, the ids, the links, and everything that would load something."""

    _VOID = frozenset({"meta", "link", "img", "input", "br", "hr"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loads: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self._VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            elif name == "href" and tag == "a":
                self.links.append(value or "")
            elif name in ("src", "href", "srcset", "data", "action") or name.startswith("on"):
                self.loads.append(value or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self._VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("evaluation")


@pytest.fixture(scope="module")
def drive(folder: Path) -> Evaluation:
    return evaluation_of_recording(folder, count=3, size=(160, 90))


@pytest.fixture(scope="module")
def page(drive: Evaluation, folder: Path) -> str:
    return report_html(drive, folder)


def bare(**parts: object) -> Evaluation:
    content = {"kind": "images", "name": "x", "network": Network(name="n"), "images": 1, **parts}
    return Evaluation.model_validate(content)


def test_tags_close_and_links_lead_somewhere(page: str) -> None:
    parsed = Parsed(page)
    assert parsed.open == []
    assert len(parsed.ids) == len(set(parsed.ids))
    assert {link[1:] for link in parsed.links} <= set(parsed.ids)


def test_everything_is_inside(page: str, drive: Evaluation) -> None:
    loads = Parsed(page).loads
    assert len([load for load in loads if load.startswith("data:image/jpeg;base64,")]) == len(drive.pictures)
    assert all(load.startswith("data:") for load in loads)
    assert "url(" not in page
    assert "@import" not in page


def test_same_evaluation_same_page(page: str, drive: Evaluation, folder: Path, tmp_path: Path) -> None:
    written = write_report(drive, tmp_path / "new" / "folder", pictures_from=folder)
    assert written.name == "report.html"
    assert written.read_text(encoding="utf-8") == page


def test_names_from_outside_are_never_markup(tmp_path: Path) -> None:
    evil = '</script><script>alert(1)</script><img src=x onerror="alert(2)">'
    one = evaluation_of_images(count=2, size=(160, 90))
    renamed = one.model_copy(
        update={
            "name": evil,
            "truth": evil,
            "problems": [Problem(where=evil, what=evil)],
            "scores": {evil: one.scores["hybrid"]},
            "closed_set": ClosedSet(miou=0.5, iou={evil: 0.5}, pixels=3),
            "pictures": [Picture(kind="miss", frame=evil, file=evil, pixels=1, text=evil)],
        }
    )
    page = report_html(renamed, tmp_path)
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    parsed = Parsed(page)
    assert parsed.open == []
    assert all(load.startswith("data:") for load in parsed.loads)
    assert page.count("<script>") == 1


def test_parts_that_are_not_there_are_not_on_the_page(tmp_path: Path) -> None:
    page = report_html(bare(), tmp_path)
    parsed = Parsed(page)
    assert [i for i in parsed.ids if not i.endswith("-title")] == ["theme", "print", "content", "identity"]
    assert "NaN" not in page.split("<script>")[0]


def test_a_set_without_anomaly_says_so(tmp_path: Path) -> None:
    score = Score(ap=None, auroc=None, fpr95=None)
    page = report_html(bare(images_without_anomaly=1, scores={"hybrid": score}), tmp_path)
    assert "1 of them without any anomaly" in page
    assert "No pixel of the set is an anomaly: figures of ranking are not defined." in page
    assert not re.search(r"\b(nan|None)\b", page.split("<script>")[0])


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("../secret.png", "lies outside of"),
        ("/etc/hostname", "lies outside of"),
        ("gone.png", "gone.png: no such file"),
        ("note.png", "neither JPEG nor PNG"),
    ],
)
def test_a_picture_that_cannot_be_shown_is_named(tmp_path: Path, file: str, said: str) -> None:
    folder = tmp_path / "evaluation"
    folder.mkdir()
    (tmp_path / "secret.png").write_bytes(b"\x89PNG\r\n\x1a\nsecret")
    (folder / "note.png").write_text("not a picture")
    page = report_html(bare(pictures=[Picture(kind="miss", frame="f", file=file, pixels=3)]), folder)
    assert said in page
    assert "data:image" not in page


def test_the_slider_counts_what_the_scores_say() -> None:
    one = evaluation_of_images(count=3, size=(160, 90))
    histogram, curve = one.scores["hybrid"].histogram, one.scores["hybrid"].curve
    assert histogram is not None
    assert curve is not None
    moved = slider(one, "hybrid")
    assert moved is not None
    assert (moved.known, moved.anomaly) == (one.known_pixels, one.anomaly_pixels)
    for stop in (0, len(curve.thresholds) // 2, len(curve.thresholds) - 1):
        reading = moved.reading(stop)
        assert reading.found + reading.missed == one.anomaly_pixels
        assert reading.alarms + reading.quiet == one.known_pixels
        assert reading.precision == pytest.approx(curve.precision[stop], abs=1e-9)
    lowest = moved.reading(len(curve.thresholds) - 1)
    assert (lowest.missed, lowest.quiet) == (0, 0)


def test_the_slider_begins_at_the_threshold_of_the_masks() -> None:
    one = evaluation_of_images(count=3, size=(160, 90))
    moved = slider(one, "hybrid")
    assert moved is not None
    assert one.network.threshold is not None
    assert moved.thresholds[moved.start] > one.network.threshold >= moved.thresholds[moved.start + 1]
    assert moved.start == moved.points["camvid_tpr95"]


def test_a_stop_as_parameter_marks_the_same_pixels() -> None:
    # The node compares float32 scores with `>`, the curve with `>=`.
    moved = slider(evaluation_of_images(count=2, size=(160, 90)), "hybrid")
    assert moved is not None
    for threshold, parameter in zip(moved.thresholds, moved.parameters, strict=True):
        score = np.float32(threshold)
        assert score > np.float32(parameter)
        assert not np.nextafter(score, np.float32(-np.inf)) > np.float32(parameter)


def test_a_set_without_anomaly_shows_what_known_pixels_score(tmp_path: Path) -> None:
    one = evaluation_of_images(count=2, size=(160, 90)).scores["hybrid"]
    assert one.histogram is not None
    known = one.histogram.model_copy(update={"anomaly": [0] * len(one.histogram.anomaly)})
    score = Score(ap=None, auroc=None, fpr95=None, histogram=known)
    page = report_html(bare(known_pixels=sum(known.known), scores={"hybrid": score}), tmp_path)
    assert "No pixel of the set is an anomaly" in page
    assert "Pixels by their score, hybrid" in page
    assert 'id="threshold"' not in page


def test_means_of_images_are_told_from_pooled_figures(tmp_path: Path) -> None:
    one = evaluation_of_images(count=2, size=(160, 90))
    said = "means of each image&#39;s"
    assert said not in report_html(one, tmp_path)
    assert said in report_html(one.model_copy(update={"averaging": "per_image"}), tmp_path)


def test_recordings_that_were_evaluated_together_have_a_row_each(tmp_path: Path) -> None:
    rows = [RecordingRow(name="one.mcap", images=40, ap=0.5), RecordingRow(name="two.mcap", error="is empty")]
    page = report_html(bare(kind="recording", recordings=rows), tmp_path)
    assert "1 recording could not be evaluated" in page
    assert "is empty" in page
