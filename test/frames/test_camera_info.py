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


def k(fx: float, fy: float, cx: float, cy: float) -> list[float]:
    return [fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0]


FISHEYE = {"distortion_model": "equidistant", "d": [0.01, 0.0, 0.0, 0.0]}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"k": k(4.0, 4.0, 320, 240)}, "fx is 4 on a sensor 640 px wide, a view of 178.6 degrees, expected 5 .. 170"),
        ({"k": k(8000.0, 8000.0, 320, 240)}, "a view of 4.6 degrees"),
        ({"k": k(500.0, 235.0, 320, 240)}, "fx is 500 and fy is 235, expected pixels at most 2.1 times"),
        ({"k": k(235.0, 500.0, 320, 240)}, "fx is 235 and fy is 500"),
        ({"k": k(500.0, 500.0, 3200, 240)}, "cx is 3200, expected -640 .. 1280 px on a sensor of 640x480"),
        ({"k": k(500.0, 500.0, 320, -481)}, "cy is -481, expected -480 .. 960 px"),
        ({"k": k(4.0, 4.0, 320, 240), **FISHEYE}, "expected 5 .. 280"),
        ({"k": k(8000.0, 8000.0, 320, 240), **FISHEYE}, "a view of 4.6 degrees"),
        # without coefficients it is a pinhole, whatever the model is called: 171 degrees, which a fisheye may have
        ({"k": k(25.0, 25.0, 320, 240), "distortion_model": "equidistant", "d": []}, "a view of 171.1 degrees"),
    ],
)
def test_what_no_camera_has_is_refused(changes: dict[str, object], says: str) -> None:
    with pytest.raises(CameraInfoError, match=f"of no camera: .*{says}"):
        camera_model(info(**changes), (640, 480))
    assert camera_from_info(info(**changes), (640, 480)) is None


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"k": k(170.0, 170.0, 320, 240)}, id="124 degrees, rectified"),
        pytest.param({"k": k(7000.0, 7000.0, 320, 240)}, id="a telephoto lens"),
        pytest.param({"k": k(500.0, 1000.0, 320, 240)}, id="columns merged and not declared"),
        pytest.param({"k": k(500.0, 1000.0, 320, 240), "binning_y": 2}, id="rows merged by an odd driver"),
        pytest.param({"k": k(1500.0, 1500.0, 320, -400.0)}, id="the lower quarter of the sensor, not declared"),
        pytest.param({"k": k(200.0, 200.0, 320, 240), **FISHEYE}, id="a fisheye of 183 degrees"),
        pytest.param(
            {"k": k(260.0, 260.0, 960, 540), "width": 1920, "height": 1080, **FISHEYE}, id="a circle of 238 degrees"
        ),
    ],
)
def test_unusual_cameras_are_cameras(changes: dict[str, object]) -> None:
    assert camera_model(info(**changes)).fx > 0


def test_a_small_region_of_a_real_sensor_is_judged_by_the_sensor() -> None:
    roi = SimpleNamespace(x_offset=10, y_offset=10, width=16, height=16)
    camera = camera_model(info(roi=roi), (16, 16))
    assert camera.cx > 2 * camera.width  # far outside what is published, and right
