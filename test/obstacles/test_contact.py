"""Contact points of things with feet, bellies, arms and lintels, against the boxes they are made of."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from obstacles.silhouettes import CAMERA, POSE, Box, Mask, animal, ground, project, silhouette, trolley

from hybrid_seg_ros.obstacles.extract import ExtractOptions, extract
from hybrid_seg_ros.obstacles.types import Obstacles


def obstacles_of(mask: Mask, **options: float) -> Obstacles:
    return extract(
        mask, None, None, gate=None, drivable=None, ground=ground(), options=ExtractOptions(**options), stamp_ns=0
    )


def columns_between(boxes: list[Box]) -> tuple[int, int]:
    """First and last image column of boxes."""
    pixels = project(np.array([(x, y, z) for a, b, c in boxes for x in a for y in b for z in c]))
    return math.ceil(pixels[:, 0].min()), math.floor(pixels[:, 0].max())


@settings(deadline=None, max_examples=60)
@given(
    st.floats(5.0, 40.0), st.floats(-2.0, 2.0), st.floats(0.3, 2.0), st.floats(0.3, 2.0), st.floats(0.3, 1.2)
)  # fmt: skip
def test_contacts_of_a_box_lie_on_the_sides_that_one_sees(
    x: float, y: float, deep: float, wide: float, h: float
) -> None:
    found = obstacles_of(silhouette([((x, x + deep), (y, y + wide), (0.0, h))]))
    assert len(found.obstacles) == 1
    contacts = found.contacts
    # The ray over ground in the bearing of each contact meets the footprint there first (slabs).
    foot = POSE.position[:2]
    offset = contacts.xy - foot
    away = np.hypot(offset[:, 0], offset[:, 1])
    direction = offset / away[:, None]
    with np.errstate(divide="ignore"):
        near = ((np.array([x, y]) - foot) / direction, (np.array([x + deep, y + wide]) - foot) / direction)
    enter = np.minimum(*near).max(axis=1)
    # The outermost columns only graze the box.
    inner = slice(2, -2)
    error = np.abs(away - enter)[inner] / contacts.sigma[inner, 0]
    first, last = columns_between([((x, x), (y, y + wide), (0.0, 0.0))])
    assert set(range(max(first, 0) + 1, min(last, CAMERA.width))) <= set(contacts.column.tolist())
    assert np.percentile(error, 90) < 2.5
    assert abs(found.obstacles[0].distance_m - np.hypot(x, max(y, -y - wide, 0.0))) < 0.02 * x + contacts.sigma[0, 0]


def test_a_long_side_is_followed_to_its_end() -> None:
    found = obstacles_of(silhouette([((9.0, 20.0), (4.0, 6.0), (0.0, 3.0))]))
    side = found.contacts.xy[found.contacts.xy[:, 0] > 9.5]
    assert side[:, 0].max() == pytest.approx(20.0, abs=1.0)
    assert np.all(np.abs(side[:, 1] - 4.0) < 0.1)


@pytest.mark.parametrize("x", [6.0, 12.0, 25.0])
@pytest.mark.parametrize("turned", [False, True])
def test_one_looks_through_under_a_belly_but_the_contacts_stay_with_the_feet(x: float, turned: bool) -> None:
    boxes = animal(x, -0.6, turned=turned)
    mask = silhouette(boxes)
    found = obstacles_of(mask)
    (deer,) = found.obstacles
    blur = 2 * float(found.contacts.sigma[:, 0].max())
    assert found.contacts.xy[:, 0].min() > x - blur
    assert found.contacts.xy[:, 0].max() < x + (1.4 if turned else 0.4) + blur
    if not turned:
        # What the plane alone makes of the belly lies far behind.
        lowest = CAMERA.height - 1 - (mask[::-1] > 0).argmax(axis=0)
        middle = sum(columns_between(boxes[:4])) // 2
        behind, _ = ground().to_ground([middle], [lowest[middle] + 0.5])
        assert behind[0, 0] > 1.5 * x
        # The front is closed from the first to the last leg.
        first, last = columns_between(boxes[:4])
        assert set(range(first + 1, last)) <= set(found.contacts.column.tolist())
    assert deer.distance_m == pytest.approx(x, rel=0.02, abs=blur)


@pytest.mark.parametrize("x", [5.0, 10.0, 20.0])
def test_a_trolley_stands_on_its_wheels(x: float) -> None:
    found = obstacles_of(silhouette(trolley(x, -0.4)))
    (seen,) = found.obstacles
    blur = 2 * float(found.contacts.sigma[:, 0].max())
    assert seen.distance_m == pytest.approx(x, rel=0.02, abs=blur)
    assert np.all(np.abs(found.contacts.xy[:, 0] - x) < 0.1 + blur)  # without the wheels: at 1.2 x
    assert seen.height_m == pytest.approx(1.0, abs=0.1)


def test_what_hangs_beyond_the_feet_has_no_contact() -> None:
    boxes = animal(10.0, -0.6)
    found = obstacles_of(silhouette(boxes))
    _, last_body = columns_between(boxes[:5])
    first_head, _ = columns_between(boxes[5:])
    first_leg, last_leg = columns_between(boxes[:4])
    assert first_head < first_leg < last_leg <= last_body
    assert found.contacts.column.min() >= first_leg - 1
    assert found.contacts.column.max() <= last_leg + 1


@pytest.mark.parametrize(("height", "clearance", "closed"), [(1.0, 2.5, True), (4.0, 2.5, False), (1.0, 0.5, False)])
def test_the_way_below_is_closed_unless_it_is_high_enough(height: float, clearance: float, closed: bool) -> None:
    posts: list[Box] = [((15.0, 15.2), (y, y + 0.2), (0.0, height + 0.3)) for y in (-2.0, 2.0)]
    found = obstacles_of(
        silhouette([*posts, ((15.0, 15.2), (-2.0, 2.2), (height, height + 0.3))]), clearance_m=clearance
    )
    middle = np.abs(found.contacts.xy[:, 1]) < 1.5
    assert len(found.obstacles) == 1
    assert middle.any() == closed
    assert np.abs(found.contacts.xy[~middle, 1]).min() > 1.5
    assert np.all(np.abs(found.contacts.xy[:, 0] - 15.0) < 0.7)


def test_something_wider_behind_that_merges_in_the_mask_keeps_contacts_of_its_own() -> None:
    near, far = ((8.0, 8.4), (0.0, 0.4), (0.0, 1.2)), ((20.0, 24.0), (-2.4, 1.4), (0.0, 1.6))
    found = obstacles_of(silhouette([near, far]))
    (both,) = found.obstacles
    assert both.distance_m == pytest.approx(8.0, rel=0.02)
    at = found.contacts.xy[:, 0]
    assert np.count_nonzero(np.abs(at - 8.0) < 0.5) > 20
    assert np.count_nonzero(np.abs(at - 20.0) < 1.0) > 40


def test_what_ends_at_the_horizon_has_no_metres_but_is_listed() -> None:
    mask = np.zeros((CAMERA.height, CAMERA.width), np.uint8)
    mask[:40, 100:160] = 255
    found = obstacles_of(mask)
    assert math.isnan(found.obstacles[0].distance_m)
    assert found.contacts.column.tolist() == list(range(100, 160))
    assert set(found.contacts.row.tolist()) == {39.5}
    assert np.isnan(found.contacts.xy).all()
    assert np.isnan(found.contacts.sigma).all()


def test_sigmas_are_the_projections_own() -> None:
    found = obstacles_of(silhouette([((12.0, 13.0), (-0.5, 0.5), (0.0, 1.0))]), pitch_sigma=0.005, height_sigma=0.02)
    c = found.contacts
    expected = ground().sigma(c.column, c.row, c.xy, 1.0, pitch_sigma=0.005, height_sigma=0.02)
    assert np.array_equal(c.sigma, expected)
    alone = obstacles_of(silhouette([((12.0, 13.0), (-0.5, 0.5), (0.0, 1.0))])).contacts
    assert np.all(c.sigma[:, 0] > 1.2 * alone.sigma[:, 0])
