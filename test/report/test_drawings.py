"""Scales and drawings: ticks within, order kept, and a long drive that keeps its worst frame."""

import itertools
import json
import math
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_seg_ros.report.axis import Axis, span
from hybrid_seg_ros.report.charts import score_histogram
from hybrid_seg_ros.report.document import FrameRow, Histogram
from hybrid_seg_ros.report.svg import Figure
from hybrid_seg_ros.report.timelines import anomaly_timeline, latency_timeline

FINITE = st.floats(-1e30, 1e30).filter(lambda value: value == 0 or abs(value) > 1e-30)


def readings(figure: Figure) -> list[dict[str, list[object]]]:
    found: list[dict[str, list[object]]] = json.loads(
        ET.fromstring(str(figure.svg)).attrib["data-series"]  # noqa: S314 - just drawn
    )
    return found


def frames(count: int, worst: int) -> list[FrameRow]:
    return [
        FrameRow(
            index=i,
            stamp_s=i / 10,
            state="dropped" if i % 100 == 99 else "answered",
            latency_ms=None if i % 100 == 99 else 500.0 if i == worst else 40.0,
            anomaly_rate=None if i % 100 == 99 else 0.3 if i == worst else 0.01,
        )
        for i in range(count)
    ]


@given(st.lists(FINITE, min_size=0, max_size=20), st.booleans())
def test_an_axis_holds_its_values_between_round_ends(values: list[float], from_zero: bool) -> None:
    axis = span("x", values, from_zero=from_zero)
    ticks = [value for value, _ in axis.ticks()]
    assert axis.low < axis.high
    assert 2 <= len(ticks) <= 12
    assert ticks == sorted(ticks)
    slack = 1e-6 * (axis.high - axis.low)
    assert all(axis.low - slack <= value <= axis.high + slack for value in [*values, *ticks])


@given(st.lists(st.floats(0.8, 1e9), min_size=2, max_size=20))
def test_places_keep_the_order(values: list[float]) -> None:
    for axis in (Axis("x", 0.0, 1e8), Axis("x", 0.8, 1e8, log=True)):
        places = [axis.place(value) for value in sorted(values)]
        assert places == sorted(places)
        assert all(0 <= place <= 1 for place in places)


def test_decades_are_named() -> None:
    assert Axis("pixels", 0.8, 2e5, log=True).ticks() == [
        (1.0, "1"),
        (10.0, "10"),
        (100.0, "100"),
        (1e3, "10³"),
        (1e4, "10⁴"),
        (1e5, "10⁵"),
    ]
    assert Axis("share", 0.0, 1.0, percent=True).ticks()[1] == (0.2, "20")


@pytest.mark.parametrize(
    ("draw", "told"), [(latency_timeline, "500.0 ms"), (anomaly_timeline, "30.00 % of the pixels")]
)
def test_a_long_drive_is_thinned_and_keeps_its_worst_frame(draw: object, told: str) -> None:
    assert callable(draw)
    figure = draw(frames(30_000, worst=12_345))
    (series,) = readings(figure)
    assert len(series["text"]) <= 1200
    assert [text for text in series["text"] if told in str(text)] == [f"frame 12345, 1,234.50 s: {told}"]
    assert "frames.csv" in figure.note


def test_a_drive_without_answers_has_no_drawing() -> None:
    silent = [FrameRow(index=i, stamp_s=i / 10, state="dropped") for i in range(5)]
    assert latency_timeline(silent) is None
    assert anomaly_timeline(silent) is None
    assert latency_timeline([]) is None


def test_one_frame_is_a_drawing() -> None:
    figure = latency_timeline([FrameRow(index=0, stamp_s=0.0, state="answered", latency_ms=12.0)])
    assert figure is not None
    assert readings(figure)[0]["text"] == ["frame 0, 0.00 s: 12.0 ms"]


def test_a_histogram_tells_every_bin_and_draws_the_empty_ones_at_the_floor() -> None:
    histogram = Histogram(edges=[0.0, 1.0, 2.0, 3.0], known=[100, 10, 0], anomaly=[0, 1, 1000])
    known, anomaly = readings(score_histogram("s", histogram))
    assert known["text"][2] == "known: 0 pixels with 2 ≤ score < 3"
    assert anomaly["text"][2] == "anomaly: 1,000 pixels with 2 ≤ score < 3"
    floor = known["y"][2]
    assert anomaly["y"][0] == floor
    heights = [float(floor) - float(y) for y in [anomaly["y"][1], known["y"][1], known["y"][0], anomaly["y"][2]]]  # type: ignore[arg-type]
    decades = [b - a for a, b in itertools.pairwise(heights)]
    assert all(math.isclose(decade, decades[0], abs_tol=0.2) for decade in decades)


def test_scores_that_are_all_equal_still_draw() -> None:
    histogram = Histogram(edges=[2.0, 2.0], known=[5], anomaly=[5])
    assert "s0" in str(score_histogram("constant", histogram).svg)
