import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_seg_ros.evaluation.open_set import OpenSetCounts

CLASSES = 3
Sample = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def sample(rng: np.random.Generator, dtype: type, shape: tuple[int, int] = (8, 12)) -> Sample:
    """Score, prediction, labels with void, anomaly with void."""
    labels = rng.choice([0, 1, 2, 255], shape, p=[0.5, 0.3, 0.1, 0.1]).astype(np.uint8)
    anomaly = rng.choice([0, 1, 255], shape, p=[0.75, 0.2, 0.05]).astype(np.uint8)
    predicted = np.where(rng.random(shape) < 0.7, np.minimum(labels, 2), rng.integers(0, 3, shape)).astype(np.uint8)
    return rng.normal(1.5 * (anomaly == 1)).astype(dtype), predicted, labels, anomaly


def threshold_of(samples: list[Sample]) -> float:
    """The highest score that 95 % of the anomaly pixels reach."""
    positive = np.concatenate([score[anomaly == 1] for score, _, _, anomaly in samples])
    return max(value for value in positive if (positive >= value).mean() >= 0.95)


def open_miou(samples: list[Sample], threshold: float) -> float:
    """As METHOD says it, from masks: FP holds anomalies predicted k, FN holds pixels of k that are rejected."""
    iou = []
    for k in range(CLASSES):
        hit = alarm = miss = 0
        for score, predicted, labels, anomaly in samples:
            known = (anomaly == 0) & (labels != 255)
            said = (predicted == k) & (score < threshold)
            hit += int((known & (labels == k) & said).sum())
            alarm += int((((known & (labels != k)) | (anomaly == 1)) & said).sum())
            miss += int((known & (labels == k) & ~said).sum())
        if hit + alarm + miss:
            iou.append(hit / (hit + alarm + miss))
    return float(np.mean(iou))


def counted(folds: tuple[list[Sample], list[Sample]]) -> OpenSetCounts:
    counts = OpenSetCounts(CLASSES)
    for fold, samples in enumerate(folds):
        for one in samples:
            counts.add(*one, fold)
    return counts


def expected(folds: tuple[list[Sample], list[Sample]]) -> tuple[float, float]:
    """open-mIoU and closed mIoU."""
    sizes = [len(samples) for samples in folds]
    opened = [open_miou(folds[0], threshold_of(folds[1])), open_miou(folds[1], threshold_of(folds[0]))]
    only_known = [(s, p, np.where(a == 0, g, 255), np.where(a == 1, 255, a)) for s, p, g, a in folds[0] + folds[1]]
    return float(np.average(opened, weights=sizes)), open_miou(only_known, np.inf)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.integers(1, 3), st.integers(1, 3))
def test_equals_the_definition_for_half_precision_scores(seed: int, first: int, second: int) -> None:
    rng = np.random.default_rng(seed)
    folds = [sample(rng, np.float16) for _ in range(first)], [sample(rng, np.float16) for _ in range(second)]
    found, (opened, closed) = counted(folds).result(), expected(folds)
    assert (found.open_miou, found.closed_miou) == (pytest.approx(opened), pytest.approx(closed))
    assert found.gap == pytest.approx(closed - opened)
    assert found.open_miou_error == 0
    for threshold, other in zip(found.thresholds, folds[::-1], strict=True):
        assert threshold == np.nextafter(np.float32(threshold_of(other)), np.float32(-np.inf))


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000))
def test_the_exact_figure_lies_within_the_error(seed: int) -> None:
    rng = np.random.default_rng(seed)
    folds = [sample(rng, np.float32) for _ in range(2)], [sample(rng, np.float32)]
    folds[0][0][0][:] = 1 + rng.integers(0, 500, (8, 12)) * np.float32(2e-6)  # many to a bin
    folds[1][0][0][:] = 1 + rng.integers(0, 500, (8, 12)) * np.float32(2e-6)
    found = counted(folds).result()
    assert found.open_miou == pytest.approx(expected(folds)[0], abs=found.open_miou_error + 1e-12)


def test_a_case_by_hand() -> None:
    # Fold 1 puts the threshold of fold 0 at 0.5. Fold 0, class 0: one hit, one rejected, one anomaly taken for it:
    # 1 / 3. Class 1: one hit, 1 / 1. Class 2 is neither there nor predicted.
    counts = OpenSetCounts(CLASSES)
    score, anomaly = np.array([[0.1, 0.9, 0.2, 0.3, 0.8]], np.float32), np.array([[0, 0, 1, 0, 1]], np.uint8)
    counts.add(score, np.array([[0, 0, 0, 1, 1]], np.uint8), np.array([[0, 0, 255, 1, 255]], np.uint8), anomaly, fold=0)
    counts.add(
        np.array([[0.5, 0.1]], np.float32),
        np.array([[1, 1]], np.uint8),
        np.array([[0, 1]], np.uint8),
        np.array([[1, 0]], np.uint8),
        fold=1,
    )
    # Fold 0 puts that of fold 1 at 0.2: class 1 has one hit, the anomaly is rejected: 1.
    found = counts.result()
    assert found.open_miou == pytest.approx(((1 / 3 + 1) / 2 + 1) / 2)
    assert found.closed_miou == pytest.approx(1.0)


def test_merged_counts_are_those_of_all_images() -> None:
    rng = np.random.default_rng(5)
    folds = [sample(rng, np.float32) for _ in range(3)], [sample(rng, np.float32) for _ in range(2)]
    merged = counted((folds[0][:1], folds[1][:2]))
    merged.merge(counted((folds[0][1:], [])))
    assert merged.result() == counted(folds).result()
    with pytest.raises(ValueError, match="counts of 5 classes, expected 3"):
        merged.merge(OpenSetCounts(5))


def test_no_threshold_without_anomalies_in_the_other_fold() -> None:
    rng = np.random.default_rng(6)
    score, predicted, labels, anomaly = sample(rng, np.float32)
    found = counted(([(score, predicted, labels, anomaly)], [])).result()
    assert (found.open_miou, found.gap, found.thresholds) == (None, None, [])
    assert found.closed_miou is not None
    empty = OpenSetCounts(CLASSES).result()
    assert (empty.open_miou, empty.closed_miou) == (None, None)


def test_what_cannot_be_counted_is_named() -> None:
    counts = OpenSetCounts(CLASSES)
    score, ids = np.zeros((1, 2), np.float32), np.zeros((1, 2), np.uint8)
    with pytest.raises(ValueError, match="fold is 2, expected 0 or 1"):
        counts.add(score, ids, ids, ids, 2)
    with pytest.raises(ValueError, match=r"labels holds id 7, expected 0\.\.2"):
        counts.add(score, ids, ids + 7, ids, 0)
    with pytest.raises(ValueError, match=r"prediction holds id 3, expected 0\.\.2"):
        counts.add(score, ids + 3, ids, ids, 0)
    with pytest.raises(ValueError, match="expected equal shapes"):
        counts.add(score, ids[:, :1], ids, ids, 0)
    with pytest.raises(ValueError, match="2 NaN among its 2 labelled"):
        counts.add(score * np.nan, ids, ids, ids, 0)
    assert counts.result().closed_miou is None
