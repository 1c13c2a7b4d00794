import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_seg_ros.evaluation.latency_aware import CurrentResults


def test_the_newest_result_that_has_arrived() -> None:
    results: CurrentResults[str] = CurrentResults()
    results.arrive(0, 25, "first")
    assert results.at(0) is None
    results.arrive(10, 28, "second")
    assert results.at(20) is None
    found = results.at(25)
    assert found is not None
    assert (found.stamp_ns, found.result) == (0, "first")
    found = results.at(30)
    assert found is not None
    assert (found.stamp_ns, found.result) == (10, "second")


def test_a_late_result_of_an_older_frame_is_never_current() -> None:
    results: CurrentResults[str] = CurrentResults()
    results.arrive(0, 50, "old and late")
    results.arrive(10, 20, "new")
    results.at(20)
    found = results.at(60)
    assert found is not None
    assert found.result == "new"


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(1, 20), st.none() | st.integers(0, 60)), min_size=1, max_size=30))
def test_agrees_with_the_definition(drive: list[tuple[int, int | None]]) -> None:
    """Each frame: the step to its stamp, and its latency where it was answered."""
    results: CurrentResults[int] = CurrentResults()
    stamp, sent = 0, list[tuple[int, int]]()
    for step, latency in drive:
        stamp += step
        if latency is not None:
            results.arrive(stamp, stamp + latency, stamp)
            sent.append((stamp, stamp + latency))
        current = results.at(stamp)
        known = [of for of, arrival in sent if arrival <= stamp]
        assert (current.stamp_ns if current else None) == (max(known) if known else None)


def test_clocks_that_do_not_fit_are_said() -> None:
    results: CurrentResults[str] = CurrentResults()
    with pytest.raises(ValueError, match="one clock"):
        results.arrive(10, 9, "from the future")
    results.at(10)
    with pytest.raises(ValueError, match="ascending"):
        results.at(9)
