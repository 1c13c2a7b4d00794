"""The camera image with what the detector saw on it."""

import numpy as np

from hybrid_seg_ros.bundle.manifest import ClassInfo
from hybrid_seg_ros.detector.types import Segmentation, Timings
from hybrid_seg_ros.visual import overlay
from hybrid_seg_ros.visual.overlay import OBSTACLE, OBSTACLE_EDGE

CLASSES = [ClassInfo(id=0, name="road", color=(200, 100, 0)), ClassInfo(id=1, name="sky", color=(0, 0, 250))]


def segmentation(labels: np.ndarray | None, mask: np.ndarray | None) -> Segmentation:
    known = labels if labels is not None else mask
    size = (0, 0) if known is None else (known.shape[1], known.shape[0])
    return Segmentation(size, labels, None, mask, None, -2.0, Timings(0, 0, 0))


def test_class_colors_are_blended() -> None:
    image = np.full((4, 6, 3), 100, np.uint8)
    out = overlay(image, segmentation(np.zeros((4, 6), np.uint8), None), CLASSES, alpha=0.5)
    np.testing.assert_array_equal(out[2, 3], [50, 100, 150])
    assert np.all(image == 100)


def test_obstacles_are_magenta_with_a_white_edge() -> None:
    mask = np.zeros((20, 30), np.uint8)
    mask[5:12, 8:16] = 255
    out = overlay(np.zeros((20, 30, 3), np.uint8), segmentation(None, mask), CLASSES)
    np.testing.assert_array_equal(out[8, 10], np.rint(np.array(OBSTACLE) * 0.7).astype(int))
    np.testing.assert_array_equal(out[4, 10], OBSTACLE_EDGE)
    np.testing.assert_array_equal(out[12, 16], OBSTACLE_EDGE)
    assert not out[3, 10].any()
    assert not out[15:].any()


def test_an_obstacle_at_the_border_is_painted() -> None:
    mask = np.zeros((6, 6), np.uint8)
    mask[0, 0] = mask[5, 5] = 255
    out = overlay(np.zeros((6, 6, 3), np.uint8), segmentation(None, mask), CLASSES)
    assert out[0, 0, 0] == out[5, 5, 0] == 178
    np.testing.assert_array_equal(out[1, 1], OBSTACLE_EDGE)


def test_smaller_outputs_are_stretched_to_the_image() -> None:
    labels = np.array([[0, 1]], np.uint8)
    out = overlay(np.zeros((10, 20, 3), np.uint8), segmentation(labels, np.zeros((1, 2), np.uint8)), CLASSES, alpha=1.0)
    np.testing.assert_array_equal(out[:, :10], np.broadcast_to([0, 100, 200], (10, 10, 3)))
    np.testing.assert_array_equal(out[:, 10:], np.broadcast_to([250, 0, 0], (10, 10, 3)))


def test_nothing_computed_leaves_the_image() -> None:
    image = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
    out = overlay(image, segmentation(None, None), CLASSES)
    np.testing.assert_array_equal(out, image)
    assert out is not image
