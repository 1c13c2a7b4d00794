import numpy as np
import pytest
from sklearn.metrics import average_precision_score, jaccard_score

from hybrid_seg_ros.assessment.delayed import Arrived, Delayed
from hybrid_seg_ros.assessment.frame_truth import FrameTruth
from hybrid_seg_ros.bags import Result

MS = 1_000_000


def test_accuracy_is_that_of_the_result_known_by_then() -> None:
    rng = np.random.default_rng(0)
    labels = [rng.integers(0, 3, (6, 7), np.uint8) for _ in range(4)]
    anomaly = [rng.integers(0, 2, (6, 7), np.uint8) for _ in range(4)]
    guesses = [rng.integers(0, 3, (6, 7), np.uint8) for _ in range(4)]
    scores = [rng.random((6, 7), np.float32) for _ in range(4)]
    watch = Delayed(3)
    for i, arrival_ms in enumerate([150, 260, None, 300]):  # of frames stamped 0, 100, 200, 300 ms
        result = Result(100 * i * MS, labels=guesses[i], score=scores[i])
        arrived = None if arrival_ms is None else Arrived(result, arrival_ms * MS)
        watch.add(100 * i * MS, arrived, FrameTruth(labels=labels[i], anomaly=anomaly[i]))
    # Frame 2 (200 ms) sees the result of frame 0, frame 3 its own; frames 0 and 1 see nothing.
    truth, guess = np.concatenate([labels[2], labels[3]]), np.concatenate([guesses[0], guesses[3]])
    assert watch.miou == pytest.approx(jaccard_score(truth.ravel(), guess.ravel(), average="macro"))
    positive, score = np.concatenate([anomaly[2], anomaly[3]]), np.concatenate([scores[0], scores[3]])
    assert watch.ap == pytest.approx(average_precision_score(positive.ravel(), score.ravel()), abs=1e-4)
    assert watch.mean_delay_s == pytest.approx((0.15 + 0.16 + 0.0) / 3)


def test_at_once_is_accuracy_without_latency_and_nothing_known_is_none() -> None:
    watch = Delayed(2)
    truth = FrameTruth(labels=np.array([[0, 1]], np.uint8), anomaly=np.array([[0, 0]], np.uint8))
    watch.add(5, None, truth)
    assert (watch.miou, watch.ap, watch.mean_delay_s) == (None, None, None)
    watch.add(6, Arrived(Result(6, labels=np.array([[0, 1]], np.uint8)), 6), truth)
    assert (watch.miou, watch.ap, watch.mean_delay_s) == (1.0, None, 0.0)
