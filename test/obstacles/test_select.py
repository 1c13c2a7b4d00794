"""Some obstacles of an image are those that alone would have been found."""

from dataclasses import fields

import numpy as np
import pytest

from hybrid_seg_ros.frames.camera import CameraModel
from hybrid_seg_ros.obstacles.extract import ExtractOptions, extract, paint
from hybrid_seg_ros.obstacles.ground import GroundProjection
from hybrid_seg_ros.obstacles.pose import CameraPose
from hybrid_seg_ros.obstacles.select import select
from hybrid_seg_ros.obstacles.types import Obstacles

GROUND = GroundProjection(CameraModel(160, 120, 100.0, 100.0, 79.5, 59.5), CameraPose(0.0, 0.0, 1.4, pitch=0.3))
BOXES = ((60, 10), (70, 60), (80, 110))


def found(boxes: tuple[tuple[int, int], ...]) -> Obstacles:
    mask = np.zeros((120, 160), np.uint8)
    for top, left in boxes:
        mask[top : top + 15, left : left + 20] = 255
    return extract(mask, None, None, gate=None, drivable=None, ground=GROUND, options=ExtractOptions(), stamp_ns=1)


@pytest.mark.parametrize("keep", [(1, 1, 1), (1, 0, 1), (0, 1, 0), (0, 0, 1), (0, 0, 0)])
def test_the_rest_is_as_if_the_others_had_never_been(keep: tuple[int, ...]) -> None:
    got = select(found(BOXES), np.array(keep, bool))
    wanted = found(tuple(box for box, kept in zip(BOXES, keep, strict=True) if kept))
    assert [o.bbox for o in got.obstacles] == [o.bbox for o in wanted.obstacles]
    for part in ("contacts", "runs"):
        for entry in fields(getattr(got, part)):
            values = (getattr(getattr(of, part), entry.name) for of in (got, wanted))
            np.testing.assert_array_equal(*values, err_msg=f"{part}.{entry.name}")
    np.testing.assert_array_equal(paint(got), paint(wanted))


def test_one_answer_for_each_obstacle() -> None:
    with pytest.raises(ValueError, match=r"shape \[2\], expected \[3\]"):
        select(found(BOXES), np.ones(2, bool))
