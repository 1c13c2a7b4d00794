import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle

from hybrid_seg_ros.evaluation import confusion_matrix, iou_per_class, mean_iou


@settings(deadline=None, max_examples=60)
@given(st.integers(2, 12), st.integers(0, 10_000))
def test_agrees_with_scikit_learn(classes: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, (9, 11)).astype(np.uint8)
    predicted = np.where(rng.random(labels.shape) < 0.6, labels, rng.integers(0, classes, labels.shape))
    labels[rng.random(labels.shape) < 0.1] = 255
    kept = labels != 255
    matrix = confusion_matrix(predicted, labels, classes)
    expected = oracle.confusion_matrix(labels[kept], predicted[kept], labels=range(classes))
    np.testing.assert_array_equal(matrix, expected)
    present = np.union1d(labels[kept], predicted[kept])
    iou = oracle.jaccard_score(labels[kept], predicted[kept], labels=present, average=None)
    np.testing.assert_allclose(iou_per_class(matrix)[present], iou)
    assert mean_iou(matrix) == pytest.approx(iou.mean())


def test_an_absent_class_has_no_iou_and_does_not_count() -> None:
    matrix = confusion_matrix(np.array([[0, 1]]), np.array([[0, 0]]), 3)
    iou = iou_per_class(matrix)
    assert iou[:2].tolist() == [0.5, 0.0]
    assert np.isnan(iou[2])
    assert mean_iou(matrix) == 0.25
    assert np.isnan(mean_iou(np.zeros((2, 2), np.int64)))


def test_matrices_of_images_add_up() -> None:
    rng = np.random.default_rng(0)
    predicted, labels = rng.integers(0, 4, (2, 6, 8)), rng.integers(0, 4, (2, 6, 8))
    parts = sum(confusion_matrix(p, t, 4) for p, t in zip(predicted, labels, strict=True))
    np.testing.assert_array_equal(parts, confusion_matrix(predicted, labels, 4))


@pytest.mark.parametrize(
    ("predicted", "labels", "message"),
    [
        (np.zeros((2, 2), int), np.zeros((2, 3), int), "expected equal shapes"),
        (np.full((1, 1), 4), np.zeros((1, 1), int), "prediction holds ids 4..4, expected 0..3"),
        (np.zeros((1, 1), int), np.full((1, 1), 11), "labels holds ids 11..11"),
    ],
)
def test_refuses_ids_and_shapes_that_do_not_fit(predicted: np.ndarray, labels: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        confusion_matrix(predicted, labels, 4)
