import numpy as np
import pytest

from hybrid_seg_ros.scenes.classes import PAVEMENT, ROAD
from hybrid_seg_ros.scenes.ground import ground_plane, map_ground, own_ground
from hybrid_seg_ros.scenes.noise import stream
from hybrid_seg_ros.scenes.patch import Canvas
from hybrid_seg_ros.scenes.road import SIDE_ROAD
from hybrid_seg_ros.scenes.street import Street, lay_street
from hybrid_seg_ros.scenes.view import View, camera_for, optical_axes


@pytest.fixture(scope="module")
def street() -> Street:
    return lay_street(stream(2, 1), -20.0, 150.0, curvature=1.5)


@pytest.fixture(scope="module")
def view(street: Street) -> View:
    at = street.road.point(0.0, street.road.lane, 1.4)
    return View(camera_for(320, 200, 70.0), optical_axes(0.05, 0.08, 0.01), np.array(at))


def test_ground_pixels_lead_back_to_themselves(street: Street, view: View) -> None:
    ground = map_ground(view, view.rays(), street.road)
    assert ground is not None
    rows, columns = np.nonzero(ground.seen & (ground.depth < 60.0))
    pick = np.arange(0, len(rows), 997)
    x, d, depth = (field[rows[pick], columns[pick]] for field in (ground.x, ground.d, ground.depth))
    world = np.array([street.road.point(float(a), float(b)) for a, b in zip(x, d, strict=True)])
    pixels, found = view.project(world)
    np.testing.assert_allclose(pixels[:, 0], columns[pick], atol=0.05)
    np.testing.assert_allclose(pixels[:, 1], rows[pick] + ground.top, atol=0.05)
    np.testing.assert_allclose(found, depth, rtol=1e-4)
    a, b, c = ground_plane(view)
    np.testing.assert_allclose(1.0 / (a * columns[pick] + b * (rows[pick] + ground.top) + c), depth, rtol=1e-4)


def test_road_and_pavement_lie_where_the_road_says(street: Street, view: View) -> None:
    canvas = Canvas.blank(320, 200, night=False)
    ground = map_ground(view, view.rays(), street.road)
    assert ground is not None
    own_ground(canvas, view, ground, street.road)
    labels, road, mouths = canvas.labels(), street.road, {SIDE_ROAD}
    checked = {ROAD: 0, PAVEMENT: 0}
    for x in np.arange(4.0, 18.0, 0.5).tolist():
        for d, label in ((0.0, ROAD), (road.half_width - 0.3, ROAD), (road.half_width + 0.6, PAVEMENT)):
            pixel, _ = view.project(road.point(x, d))
            column, row = np.rint(pixel).astype(int)
            if (
                1 < column < 318
                and 1 < row < 198
                and mouths.isdisjoint(road.verges[0, road.cell([x - 0.6, x, x + 0.6])].tolist())
            ):
                assert labels[row, column] == label
                checked[label] += 1
    assert min(checked.values()) > 3


def test_looking_up_sees_no_ground(street: Street) -> None:
    view = View(camera_for(64, 48, 40.0), optical_axes(0.0, -1.0), np.array([0.0, 0.0, 1.4]))
    assert map_ground(view, view.rays(), street.road) is None
