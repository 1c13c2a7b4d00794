"""What people and trackers get: boxes on the ground with a text, boxes in the image."""

import math

import numpy as np
import pytest
from support.contact_points import Touching, standing

from hybrid_seg_ros.obstacles.detections import detections
from hybrid_seg_ros.obstacles.markers import MIN_SIDE_M, obstacle_boxes

NEAR = Touching([(10.0, 0.6), (10.4, 0.0), (10.0, -0.6)], first=5, id=7, score=2.5)
RAW = Touching([(20.0, 3.0)], first=40, id=0, confirmed=False, score=math.nan)


def test_a_box_stands_on_the_ground_around_the_contacts() -> None:
    near, raw = obstacle_boxes(standing(NEAR, RAW), ground_z=-0.3)
    assert near.centre == pytest.approx((10.2, 0.0, -0.3 + 0.4))
    assert near.size == pytest.approx((0.4, 1.2, 0.8))  # depth, width, height
    assert (near.id, near.confirmed, near.yaw, near.text) == (7, True, 0.0, "#7 10.0 m 2.50")
    assert raw.yaw == pytest.approx(math.atan2(3.0, 20.0))
    assert raw.size == pytest.approx((MIN_SIDE_M, 1.0, 0.8))
    assert raw.text == "20.2 m"


@pytest.mark.parametrize("bearing", [-2.0, 0.7, 3.0])
def test_a_box_turns_with_the_line_of_sight(bearing: float) -> None:
    c, s = math.cos(bearing), math.sin(bearing)
    turned = Touching([(c * x - s * y, s * x + c * y) for x, y in NEAR.points], first=5)
    ahead, aside = obstacle_boxes(standing(NEAR))[0], obstacle_boxes(standing(turned))[0]
    x, y, z = ahead.centre
    # An obstacle's position is the median of each coordinate, which turns nearly with it.
    assert aside.centre == pytest.approx((c * x - s * y, s * x + c * y, z), abs=0.03)
    assert aside.size == pytest.approx(ahead.size, abs=0.03)


def test_only_what_is_confirmed_or_whose_place_is_known() -> None:
    assert [box.id for box in obstacle_boxes(standing(NEAR, RAW), confirmed_only=True)] == [7]
    nowhere = Touching([(math.nan, math.nan)], first=60, id=9)
    assert [box.id for box in obstacle_boxes(standing(NEAR, nowhere))] == [7]
    # In the image it has a place.
    assert [found.id for found in detections(standing(NEAR, nowhere, RAW))] == [7, 9]


def test_detections_are_the_obstacles_boxes_in_the_image() -> None:
    first, second = detections(standing(NEAR, RAW), confirmed_only=False)
    assert (first.bbox, first.score, first.id) == ((5, 10, 8, 20), 2.5, 7)
    assert second.bbox == (40, 10, 41, 20)
    assert np.isnan(second.score)
