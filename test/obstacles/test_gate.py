"""Gates, against stencils and dilations by hand and by OpenCV."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_seg_ros.obstacles.gate import REASONS, Gate, GateOptions, Polygon

ROAD = np.array([False, False, True])
"""By class id: only class 2 is drivable."""


def test_region_and_hood_are_stencils_of_fractions() -> None:
    region, hood = ((0.25, 0.0), (1.0, 0.0), (1.0, 1.0), (0.25, 1.0)), ((0.0, 0.8), (1.0, 0.8), (1.0, 1.0), (0.0, 1.0))
    gate = Gate(GateOptions(region=region, hood=hood), (40, 20))
    expected = np.zeros((20, 40), np.uint8)
    expected[:, :10] = REASONS["region"]
    expected[16:] = REASONS["hood"]
    assert gate.codes is not None
    # The polygon's edge runs between pixels: fillPoly counts the pixels that it touches.
    assert np.count_nonzero(gate.codes != expected) <= 20 + 40
    assert np.array_equal(gate.codes[:15, 12:], expected[:15, 12:])
    assert np.array_equal(gate.codes[17:], expected[17:])
    assert np.array_equal(gate.codes[:15, :9], expected[:15, :9])
    assert gate.acting == ("region", "hood")


def test_a_hood_mask_of_another_size_covers_the_same_part_of_the_image() -> None:
    mask = np.zeros((10, 10), np.uint8)
    mask[8:] = 1
    gate = Gate(GateOptions(), (40, 20), hood_mask=mask)
    expected = np.zeros((20, 40), np.uint8)
    expected[16:] = REASONS["hood"]
    assert np.array_equal(gate.codes, expected)
    assert gate.acting == ("hood",)
    left = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))
    both = Gate(GateOptions(hood=left), (40, 20), hood_mask=mask)
    again = Gate(GateOptions(hood=left), (40, 20))
    assert both.codes is not None
    assert again.codes is not None
    assert both.codes[19, 39] == both.codes[3, 3] == REASONS["hood"]
    assert not again.codes[:, 22:].any()  # the mask of one gate is not on another's polygons


def test_without_polygons_nothing_is_laid_over_the_image() -> None:
    gate = Gate(GateOptions(), (40, 20))
    assert gate.codes is None
    assert gate.acting == ()


def test_the_horizon_is_compared_column_by_column_with_its_margin() -> None:
    rows = np.array([50.0, 50.0, np.nan, -np.inf, np.inf], np.float32)
    column = np.array([0, 0, 1, 2, 3, 4], np.int32)
    row = np.array([47, 48, 49, 0, 0, 99], np.int32)
    gate = Gate(GateOptions(horizon_margin=0.02), (5, 100), rows)
    # 2 px of margin: an edge at 47.5 lies above row 48, one at 48.5 does not.
    assert gate.below_horizon(column, row).tolist() == [False, True, True, True, True, False]
    assert gate.acting == ("horizon",)
    for off in (Gate(GateOptions(horizon=False), (5, 100), rows), Gate(GateOptions(), (5, 100))):
        assert off.below_horizon(column, row).all()
        assert off.acting == ()


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32 - 1), st.integers(4, 60), st.integers(4, 40), st.floats(0.0, 0.3))
def test_the_drivable_area_is_opencvs_dilation(seed: int, width: int, height: int, margin: float) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.choice([0, 1, 2, 255], (height, width), p=[0.5, 0.2, 0.25, 0.05]).astype(np.uint8)
    gate = Gate(GateOptions(drivable_margin=margin, drivable_min_share=0.0), (width, height))
    area = gate.drivable_area(labels, ROAD)
    road = (labels == 2).astype(np.uint8)
    if not road.any():
        assert area is None
        return
    reach = 2 * round(margin * width) + 1
    expected = cv2.dilate(road, np.ones((reach, reach), np.uint8))
    column, row = (grid.ravel().astype(np.int32) for grid in np.meshgrid(np.arange(width), np.arange(height)))
    assert area is not None
    assert np.array_equal(area.contains(column, row).reshape(height, width), expected > 0)


def test_in_large_images_the_drivable_area_is_right_to_within_a_cell() -> None:
    labels = np.zeros((1000, 2050), np.uint8)
    cv2.ellipse(labels, (900, 1100), (700, 600), 10, 0, 360, 2, -1)
    gate = Gate(GateOptions(drivable_margin=0.02), (2050, 1000))
    area = gate.drivable_area(labels, ROAD)
    assert area is not None
    column, row = (grid.ravel().astype(np.int32) for grid in np.meshgrid(np.arange(2050), np.arange(1000)))
    found = area.contains(column, row).reshape(1000, 2050)
    road, reach = (labels == 2).astype(np.uint8), round(0.02 * 2050)
    least, most = (
        cv2.dilate(road, np.ones((2 * r + 1, 2 * r + 1), np.uint8)) > 0
        for r in (reach - 2 * area.stride, reach + 2 * area.stride)
    )
    assert not (least & ~found).any()
    assert not (found & ~most).any()
    assert area.contains(np.array([900], np.int32), np.array([5000], np.int32)).all()  # below the image: its last row


def test_with_too_little_road_the_drivable_gate_stands_back() -> None:
    labels = np.zeros((100, 200), np.uint8)
    labels[90:, :50] = 2
    for share, acts in ((0.02, True), (0.03, False)):
        gate = Gate(GateOptions(drivable_min_share=share), (200, 100))
        assert (gate.drivable_area(labels, ROAD) is not None) == acts
    assert Gate(GateOptions(drivable=False), (200, 100)).drivable_area(labels, ROAD) is None
    nowhere = Gate(GateOptions(drivable_min_share=0.0), (200, 100))
    assert nowhere.drivable_area(labels, np.array([False] * 3)) is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"drivable_margin": -0.1}, r"drivable_margin is -0.1, expected a fraction 0..1"),
        ({"drivable_min_share": 1.5}, r"drivable_min_share is 1.5"),
        ({"horizon_margin": float("nan")}, r"horizon_margin is nan"),
        ({"region": ((0.0, 0.0), (1.0, 1.0))}, r"region has 2 corners, expected at least 3"),
        ({"hood": ((0.0, 0.0), (1.0, 0.0), (1.0, 7.0))}, r"corner 2 of hood is \(1.0, 7.0\), expected fractions"),
    ],
)
def test_options_that_mean_nothing_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        GateOptions(**options)  # type: ignore[arg-type]


def test_parts_of_another_size_are_refused() -> None:
    with pytest.raises(ValueError, match=r"horizon_rows has shape \(3,\), expected \(40,\)"):
        Gate(GateOptions(), (40, 20), np.zeros(3, np.float32))
    with pytest.raises(ValueError, match=r"the hood mask has shape \(0, 4\)"):
        Gate(GateOptions(), (40, 20), hood_mask=np.zeros((0, 4), np.uint8))


@pytest.mark.parametrize("polygon", [((0.5, 0.5),) * 3, ((0.1, 0.2), (0.3, 0.4), (0.5, 0.6), (0.2, 0.3))])
def test_a_region_that_encloses_nothing_is_refused_before_all_seems_clear(polygon: Polygon) -> None:
    for name in ("region", "hood"):
        with pytest.raises(ValueError, match=f"corners of {name} lie on one line"):
            GateOptions(**{name: polygon})
    GateOptions(region=((0.0, 0.0), (1.0, 1.0), (1.0, 0.0), (0.0, 1.0)))  # crosses itself, and encloses something
