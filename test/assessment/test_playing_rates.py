"""The search for the peak rate, on nodes whose peak is known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_seg_ros.assessment.playing_rates import find_peak, rate_of
from hybrid_seg_ros.bags.answers import Answer
from hybrid_seg_ros.report.document import Rate


def node(peak_hz: float, player_hz: float = 1e6) -> "object":
    """Answers what comes up to its peak, drops the rest; the player cannot go faster than it can."""

    def probe(hz: float) -> Rate:
        played = min(hz, player_hz)
        answered = min(played, peak_hz)
        return Rate(
            input_hz=played,
            output_hz=answered,
            frames_sent=1000,
            frames_answered=round(1000 * answered / played),
            drops=1 - answered / played,
            latency_ms=None,
            arrival_jitter_ms=None,
            cpu_percent=None,
            memory_mib=None,
            kind="peak",
        )

    return probe


@given(peak=st.floats(2.0, 200.0), wrong=st.floats(0.4, 2.5))
def test_finds_the_highest_rate_below_five_percent_drops(peak: float, wrong: float) -> None:
    found, tried = find_peak(node(peak), wrong * peak)
    highest = peak / 0.95
    assert found is not None
    assert highest / 1.1 <= found <= highest
    assert found == max(rate.input_hz for rate in tried if rate.drops < 0.05)


def test_a_player_that_cannot_go_faster_ends_the_search() -> None:
    found, tried = find_peak(node(1e9, player_hz=40.0), 30.0)
    assert found == 40.0
    assert len(tried) <= 3


def test_a_node_that_answers_nothing_has_no_peak() -> None:
    found, tried = find_peak(node(0.0), 30.0)
    assert found is None
    assert len(tried) == 9


def test_a_run_in_ros2_benchmarks_words() -> None:
    arrivals = [0.05, 0.15, None, 0.37]
    answers = [Answer(i, "dropped" if a is None else "answered", 0.1 * i, a) for i, a in enumerate(arrivals)]
    summary = {"wall_s": 0.4, "extra": {"node_usage": {"cpu_percent": 55.0, "memory_mib": 300.0}}}
    rate = rate_of(summary, answers, "fixed")
    assert (rate.input_hz, rate.output_hz, rate.drops) == (10.0, 7.5, 0.25)
    assert (rate.cpu_percent, rate.memory_mib, rate.kind) == (55.0, 300.0, "fixed")
    assert rate.latency_ms is not None
    assert (rate.latency_ms.count, rate.latency_ms.max) == (3, pytest.approx(70.0))
    assert rate.arrival_jitter_ms == pytest.approx(60.0)  # gaps of 100 and 220 ms
