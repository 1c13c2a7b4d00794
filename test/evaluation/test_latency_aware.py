import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, jaccard_score

from hybrid_seg_ros.evaluation.latency_aware import CurrentResults, DelayedAccuracy, Prediction


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


def test_accuracy_is_that_of_the_result_known_by_then() -> None:
    rng = np.random.default_rng(0)
    labels = [rng.integers(0, 3, (6, 7), np.uint8) for _ in range(4)]
    anomaly = [rng.integers(0, 2, (6, 7), np.uint8) for _ in range(4)]
    answers = [Prediction(rng.integers(0, 3, (6, 7), np.uint8), rng.random((6, 7), np.float32)) for _ in range(4)]
    arrivals = [150, 260, None, 300]  # of frames stamped 0, 100, 200, 300 ms
    watch = DelayedAccuracy(3)
    for i, arrival in enumerate(arrivals):
        watch.add(
            i * 100_000_000,
            None if arrival is None else answers[i],
            None if arrival is None else arrival * 1_000_000,
            labels=labels[i],
            anomaly=anomaly[i],
        )
    found = watch.figures()
    # Frame 2 (200 ms) sees the result of frame 0, frame 3 its own; frames 0 and 1 see nothing.
    assert (found.frames, found.frames_before) == (2, 2)
    assert found.mean_delay_s == pytest.approx((0.2 + 0.0) / 2)
    truth = np.concatenate([labels[2].ravel(), labels[3].ravel()])
    guess = np.concatenate([answers[0].labels.ravel(), answers[3].labels.ravel()])  # type: ignore[union-attr]
    assert found.miou == pytest.approx(jaccard_score(truth, guess, average="macro"))
    score = np.concatenate([answers[0].score.ravel(), answers[3].score.ravel()])  # type: ignore[union-attr]
    positive = np.concatenate([anomaly[2].ravel(), anomaly[3].ravel()])
    assert found.ap == pytest.approx(average_precision_score(positive, score), abs=1e-4)


def test_at_once_is_accuracy_without_latency_and_nothing_known_is_none() -> None:
    watch = DelayedAccuracy(2)
    watch.add(5, None, None, labels=None, anomaly=None)
    found = watch.figures()
    assert (found.miou, found.ap, found.mean_delay_s, found.frames, found.frames_before) == (None, None, None, 0, 1)
    truth = np.array([[0, 1]], np.uint8)
    watch.add(6, Prediction(truth, None), None, labels=truth, anomaly=truth)
    found = watch.figures()
    assert (found.miou, found.ap, found.mean_delay_s, found.frames) == (1.0, None, 0.0, 1)
