"""Removed pixels are tinted, each reason in a colour of its own and named; everything else stays."""

import numpy as np

from hybrid_seg_ros.visual.removed import paint_removed

NAMES = {"horizon": 1, "drivable": 4}


def test_nothing_removed_changes_nothing() -> None:
    image = np.full((90, 160, 3), 40, np.uint8)
    paint_removed(image, np.zeros((45, 80), np.uint8), NAMES)
    assert (image == 40).all()


def test_reasons_are_told_apart_and_the_rest_stays() -> None:
    image = np.full((360, 640, 3), 40, np.uint8)
    reasons = np.zeros((180, 320), np.uint8)
    reasons[100:110, 20:40] = 1
    reasons[150:160, 200:220] = 4
    paint_removed(image, reasons, NAMES)
    one, other = image[210, 60], image[310, 420]
    assert (one != 40).any()
    assert (other != 40).any()
    assert (one != other).any()
    assert (image[330:, :300] == 40).all()
    assert (image[:60, :200] != 40).any()  # the names
