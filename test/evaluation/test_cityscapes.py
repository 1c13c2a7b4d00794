"""Closed-set IoU against the evaluator of Cityscapes itself, where `pip install cityscapesscripts` was done."""

import copy
from pathlib import Path

import cv2
import numpy as np
import pytest

from hybrid_seg_ros.evaluation import confusion_matrix, iou_per_class, mean_iou

VOID_ID = 0


def test_iou_is_that_of_cityscapes_own_evaluator(tmp_path: Path) -> None:
    official = pytest.importorskip("cityscapesscripts.evaluation.evalPixelLevelSemanticLabeling")
    names = pytest.importorskip("cityscapesscripts.helpers.labels")
    ids = np.array([names.trainId2label[k].id for k in range(19)], np.uint8)
    rng = np.random.default_rng(0)
    confusion = np.zeros((19, 19), np.int64)
    files: tuple[list[str], list[str]] = [], []
    for index in range(3):
        labels = rng.integers(0, 17, (40, 60)).repeat(3, 0).repeat(3, 1).astype(np.uint8)  # two classes are absent
        predicted = np.where(rng.random(labels.shape) < 0.8, labels, rng.integers(0, 18, labels.shape)).astype(np.uint8)
        labels[rng.random(labels.shape) < 0.1] = 255
        confusion += confusion_matrix(predicted, labels, 19)
        truth = np.where(labels == 255, VOID_ID, ids[np.minimum(labels, 18)]).astype(np.uint8)
        for kind, image in enumerate((ids[predicted], truth)):
            path = tmp_path / f"{index}_{kind}.png"
            cv2.imwrite(str(path), image)
            files[kind].append(str(path))
    args = copy.copy(official.args)
    args.evalInstLevelScore = args.evalPixelAccuracy = args.JSONOutput = False
    args.quiet = True
    results = official.evaluateImgLists(*files, args)
    expected = [results["classScores"][names.trainId2label[k].name] for k in range(19)]
    np.testing.assert_allclose(iou_per_class(confusion), expected)
    assert np.isnan(expected).sum() == 1
    assert mean_iou(confusion) == pytest.approx(results["averageScoreClasses"])
