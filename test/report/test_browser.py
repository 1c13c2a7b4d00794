"""The page in a real browser: nothing fails, nothing is loaded, the slider counts, both themes, keyboard, paper."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from support.browser import running_browser
from support.evaluations import evaluation_of_images, evaluation_of_recording, scored_frames

from hybrid_seg_ros.report.compare import compare
from hybrid_seg_ros.report.compare_page import write_comparison
from hybrid_seg_ros.report.document import Evaluation, Picture
from hybrid_seg_ros.report.page import write_report
from hybrid_seg_ros.report.threshold import slider
from hybrid_seg_ros.report.words import fine_percent, number, whole

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

COUNT, SIZE = 3, (160, 90)
LAPTOP = {"width": 1366, "height": 768}


@dataclass
class Opened:
    """A page, and what went wrong on it."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    def read(self, name: str) -> str:
        return self.page.locator(f"#panel-0 [data-read={name}]").inner_text()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as found:
        yield found


@pytest.fixture(scope="module")
def drive(tmp_path_factory: pytest.TempPathFactory) -> tuple[Evaluation, Path]:
    folder = tmp_path_factory.mktemp("drive")
    evaluation = evaluation_of_recording(folder, count=COUNT, size=SIZE)
    return evaluation, write_report(evaluation, folder, pictures_from=folder)


def open_page(browser: Browser, path: Path, **options: object) -> Opened:
    page = browser.new_page(viewport=LAPTOP, **options)  # type: ignore[arg-type]
    opened = Opened(page)
    page.on("console", lambda message: opened.complaints.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: opened.complaints.append(f"error: {error}"))
    page.on("dialog", lambda dialog: (opened.complaints.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    address = path.as_uri()
    page.on(
        "request",
        lambda request: (
            None
            if request.url == address or request.url.startswith("data:")
            else opened.complaints.append(f"request: {request.url}")
        ),
    )
    page.goto(address)
    return opened


@pytest.fixture
def opened(browser: Browser, drive: tuple[Evaluation, Path]) -> Iterator[Opened]:
    found = open_page(browser, drive[1])
    yield found
    found.page.close()
    assert found.complaints == []


def test_every_picture_is_seen_and_nothing_is_wider_than_the_window(opened: Opened) -> None:
    page = opened.page
    widths = page.locator("img").evaluate_all("pictures => pictures.map((each) => each.naturalWidth)")
    assert widths == [4 * SIZE[0]] * 6
    for width in (1366, 700, 390):
        page.set_viewport_size({"width": width, "height": 768})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_slider_counts_the_pixels_of_the_scores(opened: Opened) -> None:
    """Counts of the page against counts of the score maps themselves."""
    frames = scored_frames(COUNT, SIZE, seed=1)
    scores = np.concatenate([f.scores["hybrid"][f.frame.anomaly <= 1] for f in frames])
    anomaly = np.concatenate([f.frame.anomaly[f.frame.anomaly <= 1] == 1 for f in frames])
    handle = opened.page.locator("#slider-0")
    handle.focus()
    seen = set()
    for key in ("ArrowLeft", "ArrowRight", "ArrowRight", "PageUp", "PageDown", "End", "Home"):
        opened.page.keyboard.press(key)
        above = scores > np.float32(opened.read("parameter"))
        counts = [
            (above & anomaly).sum(),
            (~above & anomaly).sum(),
            (above & ~anomaly).sum(),
            (~above & ~anomaly).sum(),
        ]
        shown = [opened.read(name) for name in ("found", "missed", "alarms", "quiet")]
        assert shown == [whole(int(count)) for count in counts]
        seen.add(tuple(shown))
    assert len(seen) >= 5
    assert opened.read("missed") == "0"  # Home: the lowest threshold marks all


def test_the_script_writes_numbers_as_the_rest_of_the_page(opened: Opened, drive: tuple[Evaluation, Path]) -> None:
    moved = slider(drive[0], "hybrid")
    assert moved is not None
    last = len(moved.thresholds) - 1
    assert opened.read("found") == whole(moved.reading(moved.start).found)
    for stop in range(0, last + 1, 7):
        opened.page.locator("#slider-0").evaluate(
            "(input, value) => { input.value = value; input.dispatchEvent(new Event('input')); }", last - stop
        )
        reading = moved.reading(stop)
        assert opened.read("threshold") == number(moved.thresholds[stop])
        for name in ("tpr", "fpr", "precision", "f1", "iou"):
            share = getattr(reading, name)
            # Of 78.125 Python makes 78.12, JavaScript 78.13.
            assert opened.read(name) in (fine_percent(share), fine_percent(float(np.nextafter(share, 2)))), (name, stop)


def test_markers_follow_and_operating_points_are_a_click_away(opened: Opened, drive: tuple[Evaluation, Path]) -> None:
    moved = slider(drive[0], "hybrid")
    assert moved is not None
    marker = opened.page.locator("#ranking .marker[visibility=visible]").first
    before = marker.get_attribute("cx")
    opened.page.get_by_role("button", name="fpr_5").first.click()
    assert opened.read("threshold") == number(moved.thresholds[moved.points["fpr_5"]])
    assert marker.get_attribute("cx") != before
    assert opened.page.locator("#panel-0 .stop").count() == 1


def test_scores_are_tabs_for_the_keyboard_too(opened: Opened) -> None:
    page = opened.page
    assert [page.locator(f"#panel-{i}").is_visible() for i in range(3)] == [True, False, False]
    page.get_by_role("tab", name="hybrid").focus()
    page.keyboard.press("ArrowRight")
    assert [page.locator(f"#panel-{i}").is_visible() for i in range(3)] == [False, True, False]
    assert page.get_by_role("tab", name="energy").get_attribute("aria-selected") == "true"


def test_drawings_tell_their_points(opened: Opened) -> None:
    drawing = opened.page.locator("#components figure").first
    drawing.locator("svg.plot").focus()
    opened.page.keyboard.press("ArrowRight")
    assert drawing.locator(".told").inner_text().startswith("hybrid: F1 ")
    opened.page.keyboard.press("ArrowUp")
    assert drawing.locator(".told").inner_text().startswith("energy: F1 ")
    drawing.locator("svg.plot").hover()
    assert " at sIoU " in drawing.locator(".told").inner_text()
    opened.page.keyboard.press("Escape")
    assert drawing.locator(".told").inner_text() == ""


def test_light_and_dark(browser: Browser, drive: tuple[Evaluation, Path], tmp_path: Path) -> None:
    light = {}
    for scheme in ("light", "dark"):
        opened = open_page(browser, drive[1], color_scheme=scheme)
        for shot in ("as the system", "the other"):
            file = tmp_path / f"{scheme} {shot}.png"
            opened.page.screenshot(path=file)
            light[scheme, shot] = float(cv2.imread(str(file)).mean())
            opened.page.locator("#theme").click()
        opened.page.close()
        assert opened.complaints == []
    assert light["light", "as the system"] > 200 > 80 > light["dark", "as the system"]
    assert light["dark", "the other"] > 200 > 80 > light["light", "the other"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_and_lines_stand_out(browser: Browser, drive: tuple[Evaluation, Path], scheme: str) -> None:
    """Contrast of WCAG 2.2: 4.5 for words (1.4.3), 3 for what a drawing is made of (1.4.11)."""
    opened = open_page(browser, drive[1], color_scheme=scheme)
    colour = "(e, name) => getComputedStyle(e)[name].match(/[\\d.]+/g).slice(0, 3).map(Number)"

    def luminance(selector: str, name: str) -> float:
        rgb = np.array(opened.page.locator(selector).first.evaluate(f"e => ({colour})(e, '{name}')")) / 255
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    def contrast(selector: str, name: str) -> float:
        lighter, darker = sorted([luminance(selector, name), luminance("body", "backgroundColor")], reverse=True)
        return (lighter + 0.05) / (darker + 0.05)

    for selector in ("body", ".intro", ".note", ".good", ".bad", ".contents a"):
        assert contrast(selector, "color") >= 4.5, selector
    for slot in range(3):
        assert contrast(f"#ranking path.s{slot}", "stroke") >= 3, slot
    opened.page.close()


def test_on_paper_everything_is_there_and_light(
    browser: Browser, drive: tuple[Evaluation, Path], tmp_path: Path
) -> None:
    opened = open_page(browser, drive[1], color_scheme="dark")
    opened.page.emulate_media(media="print")
    assert not opened.page.locator("nav").is_visible()
    assert not opened.page.locator("#slider-0").is_visible()
    assert all(opened.page.locator(f"#panel-{i}").is_visible() for i in range(3))
    paper = "getComputedStyle(document.body).backgroundColor"
    assert opened.page.evaluate(paper) == "rgb(255, 255, 255)"
    opened.page.set_viewport_size({"width": 703, "height": 1000})  # A4 without its margins
    wider = "Array.from(document.querySelectorAll('.table')).filter(t => t.scrollWidth > t.clientWidth + 1).length"
    assert opened.page.evaluate(wider) == 0, "what is wider than the paper is cut off"
    sizes = "['thead th', 'tbody td'].map(c => parseFloat(getComputedStyle(document.querySelector(c)).fontSize))"
    head, cell = opened.page.evaluate(sizes)
    assert head <= cell
    opened.page.pdf(path=tmp_path / "report.pdf", prefer_css_page_size=True)
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")
    opened.page.close()


def test_names_from_outside_run_nothing(browser: Browser, tmp_path: Path) -> None:
    evil = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'"
    one = evaluation_of_images(count=2, size=SIZE)
    pictures = [Picture(kind="miss", frame=evil, file=evil, pixels=1, text=evil)]
    renamed = one.model_copy(
        update={"name": evil, "truth": evil, "scores": {evil: one.scores["hybrid"]}, "pictures": pictures}
    )
    opened = open_page(browser, write_report(renamed, tmp_path, pictures_from=tmp_path))
    assert opened.page.locator("h1").inner_text() == evil
    opened.page.locator("#slider-0").press("ArrowLeft")
    opened.page.close()
    assert opened.complaints == []


def test_a_page_without_anything_still_opens(browser: Browser, tmp_path: Path) -> None:
    one = evaluation_of_images(count=2, size=SIZE)
    bare = Evaluation(kind="images", name="bare", network=one.network, images=0)
    opened = open_page(browser, write_report(bare, tmp_path, pictures_from=tmp_path))
    assert opened.page.locator("h1").inner_text() == "bare"
    opened.page.close()
    assert opened.complaints == []


def test_a_comparison_opens_too(browser: Browser, tmp_path: Path) -> None:
    first, second = (evaluation_of_images(count=2, size=SIZE, skill=skill) for skill in (4.0, 5.0))
    write_comparison(compare(first, second), tmp_path / "changed.html")
    opened = open_page(browser, tmp_path / "changed.html", color_scheme="dark")
    assert opened.page.get_by_text("What changed").first.is_visible()
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= LAPTOP["width"]
    opened.page.close()
    assert opened.complaints == []
