from pathlib import Path

import numpy as np
import pytest
from tiny import changed, make_data, recipe

from hybrid_seg_train.data.labels import OUTLIER, VOID
from hybrid_seg_train.data.sources import DataError, Example
from hybrid_seg_train.negatives.cutout import Cutout
from hybrid_seg_train.unseen import WithUnseenObjects, anomaly_labels, unseen_objects


def test_objects_are_pasted_alike_for_the_same_seed_and_place() -> None:
    plain = [Example(np.full((96, 128, 3), 40, np.uint8), np.zeros((96, 128), np.uint8))] * 3
    bright = Cutout(np.full((30, 30, 3), 255, np.uint8), np.full((30, 30), 255, np.uint8), "bottle")
    first, again = (WithUnseenObjects(plain, [bright], (0,), seed=1) for _ in range(2))
    assert len(first) == 3
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.labels, other.labels)
        np.testing.assert_array_equal(one.image, other.image)
        assert (one.image[one.labels == OUTLIER] > 40).mean() > 0.9
    assert (first[0].labels != first[1].labels).any()
    np.testing.assert_array_equal(first[-1].labels, first[2].labels)
    assert len(first[1:]) == 2


def test_only_kinds_that_training_never_pastes_are_taken(tmp_path: Path) -> None:
    data = make_data(tmp_path)
    assert {cutout.kind for cutout in unseen_objects(recipe(1), data)} == {"bottle", "chair"}
    bare = changed(recipe(1), "negatives", sets=())
    with pytest.raises(DataError, match="whose objects are to be pasted for calibration"):
        unseen_objects(bare, data)


def test_labels_become_anomaly_labels() -> None:
    assert anomaly_labels(np.array([[0, 7, OUTLIER, VOID]], np.uint8)).tolist() == [[0, 0, 1, 255]]
