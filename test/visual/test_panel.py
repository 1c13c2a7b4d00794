"""Panels and contact sheets."""

import numpy as np
import pytest

from hybrid_seg_ros.bundle.manifest import ClassInfo
from hybrid_seg_ros.detector.types import Segmentation, Timings
from hybrid_seg_ros.visual import contact_sheet, panel
from hybrid_seg_ros.visual.colors import heat_map
from hybrid_seg_ros.visual.overlay import OBSTACLE
from hybrid_seg_ros.visual.tiles import GAP, STRIP, legend

CLASSES = [ClassInfo(id=0, name="road", color=(200, 100, 0)), ClassInfo(id=1, name="sky", color=(0, 0, 250))]
IMAGE = np.full((60, 80, 3), (10, 20, 30), np.uint8)


def segmentation(**outputs: np.ndarray | None) -> Segmentation:
    score = np.full((60, 80), -2.0, np.float32)
    mask = np.zeros((60, 80), np.uint8)
    mask[20:40, 30:50] = 255
    arrays = {"labels": np.ones((60, 80), np.uint8), "score": score, "mask": mask, **outputs}
    return Segmentation((80, 60), confidence=None, threshold=-2.0, timings=Timings(0, 0, 0), **arrays)  # type: ignore[arg-type]


def tiles(picture: np.ndarray, width: int, height: int, columns: int) -> list[np.ndarray]:
    """The four pictures inside a panel, without captions."""
    places = [divmod(i, columns) for i in range(4)]
    corners = [(row * (height + STRIP + GAP) + STRIP, column * (width + GAP)) for row, column in places]
    return [picture[y : y + height, x : x + width] for y, x in corners]


@pytest.mark.parametrize("columns", [2, 4])
def test_each_tile_shows_its_output(columns: int) -> None:
    out = panel(IMAGE, segmentation(), CLASSES, columns=columns, tile_width=80)
    camera, semantic, heat, obstacles = tiles(out, 80, 60, columns)
    np.testing.assert_array_equal(camera, IMAGE)
    assert np.all(semantic == (250, 0, 0))
    middle = heat_map(np.zeros((1, 1), np.float32), -1, 1)[0, 0]
    np.testing.assert_array_equal(heat[20, 20], middle)
    assert obstacles[30, 40, 1] < obstacles[30, 40, 0] > 150, "magenta inside"
    assert np.ptp(obstacles[5, 5]) == 0, "gray outside"
    assert OBSTACLE[1] == 0


def test_the_given_threshold_moves_the_scale() -> None:
    higher = panel(IMAGE, segmentation(), CLASSES, 3.0, tile_width=80)
    plain = panel(IMAGE, segmentation(), CLASSES, tile_width=80)
    assert tiles(higher, 80, 60, 2)[2][20, 20].sum() < tiles(plain, 80, 60, 2)[2][20, 20].sum()


def test_size_depends_on_the_image_alone() -> None:
    full = panel(IMAGE, segmentation(), CLASSES, tile_width=120, title="a title far too long for its tile " * 9)
    none = panel(IMAGE, segmentation(labels=None, score=None, mask=None), CLASSES, tile_width=120)
    assert full.shape == none.shape
    assert full.shape[1] == 2 * 120 + GAP


def test_a_one_pixel_obstacle_survives_shrinking() -> None:
    mask = np.zeros((600, 800), np.uint8)
    mask[301, 403] = 255
    out = panel(
        np.zeros((600, 800, 3), np.uint8), segmentation(labels=None, score=None, mask=mask), CLASSES, tile_width=80
    )
    assert tiles(out, 80, 60, 2)[3][30, 40, 0] > 150


def test_legend_shows_every_class_and_wraps() -> None:
    many = [ClassInfo(id=i, name=f"class number {i}", color=(250, 10 * i, 3)) for i in range(12)]
    wide, narrow = legend(many, 4000), legend(many, 200)
    assert wide.shape[0] == STRIP
    assert narrow.shape[0] > 3 * STRIP
    for info in many:
        for picture in (wide, narrow):
            assert np.all(picture == info.color[::-1], axis=-1).sum() >= 100


def test_contact_sheet_holds_all_pictures() -> None:
    pictures = [np.full((30, 40, 3), 40 * i + 20, np.uint8) for i in range(5)]
    sheet = contact_sheet(pictures, columns=2, width=204)
    assert sheet.shape == (3 * 75 + 2 * GAP, 204, 3)
    for i in range(5):
        y, x = (i // 2) * (75 + GAP), (i % 2) * (100 + GAP)
        assert np.all(sheet[y : y + 75, x : x + 100] == 40 * i + 20)
    assert contact_sheet(pictures[:1], columns=4, width=80).shape == (60, 80, 3)
    with pytest.raises(ValueError, match="at least one"):
        contact_sheet([])
