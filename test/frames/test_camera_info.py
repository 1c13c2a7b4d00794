"""CameraInfo as intrinsics of the image that arrived."""

from types import SimpleNamespace

import pytest

from hybrid_seg_ros.frames.camera_info import CameraInfoError, camera_from_info, camera_model


def info(**changes: object) -> SimpleNamespace:
    roi = SimpleNamespace(x_offset=0, y_offset=0, width=0, height=0, do_rectify=False)
    base = {
        "width": 640, "height": 480, "k": [500.0, 0, 319.5, 0, 510.0, 239.5, 0, 0, 1], "d": [0.1, -0.2, 0, 0, 0],
        "distortion_model": "plumb_bob", "binning_x": 0, "binning_y": 0, "roi": roi,
    }  # fmt: skip
    return SimpleNamespace(**{**base, **changes})


def test_plain() -> None:
    camera = camera_model(info(), (640, 480))
    assert (camera.fx, camera.fy, camera.cx, camera.cy) == (500.0, 510.0, 319.5, 239.5)
    assert camera.distortion == (0.1, -0.2, 0.0, 0.0, 0.0)


def test_region_of_interest_then_binning() -> None:
    roi = SimpleNamespace(x_offset=100, y_offset=40, width=400, height=300)
    camera = camera_model(info(roi=roi, binning_x=2, binning_y=4), (200, 75))
    assert (camera.width, camera.height) == (200, 75)
    assert (camera.fx, camera.fy) == (250.0, 127.5)
    # the sensor's pixel border u = 319.5 + 1/2 = 320 lies 220 px right of the region's, 110 px in binned pixels
    assert (camera.cx, camera.cy) == (109.5, 49.5)


def test_same_shape_is_scaled() -> None:
    camera = camera_model(info(), (320, 240))
    assert (camera.width, camera.fx, camera.cx) == (320, 250.0, 159.5)


@pytest.mark.parametrize(
    ("changes", "size", "says"),
    [
        ({"k": [0.0] * 9}, (640, 480), "uncalibrated"),
        ({"k": [float("nan"), 0, 1, 0, 5, 1, 0, 0, 1]}, (640, 480), "finite"),
        ({"k": [-5.0, 0, 1, 0, 5, 1, 0, 0, 1]}, (640, 480), "> 0"),
        ({"width": 0}, (640, 480), "0x480"),
        ({"binning_x": 1000, "binning_y": 1000}, (640, 480), "bins 1000x1000 px of 640x480"),
        ({}, (640, 360), "640x480 px, the image has 640x360"),
    ],
)
def test_what_does_not_fit_is_explained(changes: dict[str, object], size: tuple[int, int], says: str) -> None:
    with pytest.raises(CameraInfoError, match=says):
        camera_model(info(**changes), size)
    assert camera_from_info(info(**changes), size) is None
