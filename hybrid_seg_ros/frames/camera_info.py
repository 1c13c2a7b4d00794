"""sensor_msgs/CameraInfo as intrinsics of the image that arrived.

Takes any object with the message's fields: rclpy's own, or one that rosbags read.
"""

import math
from typing import Any

from hybrid_seg_ros.frames.camera import CameraModel

NARROWEST = math.radians(5.0)
"""A longer lens shows no road from a vehicle."""
WIDEST = math.radians(170.0)
"""A perspective image shows less than half a turn; the widest that are made show 150 degrees."""
WIDEST_FISHEYE = math.radians(280.0)
"""The widest fisheye that is made; on the sensor's shorter side, for the picture of a whole one is a circle."""
MOST_OBLONG = 2.1
"""How much longer than wide pixels may be: two of them merged without being declared, and an error of calibration."""
FARTHEST_AXIS = 1.0
"""How far outside the sensor the principal point may lie, in its widths and heights: a crop that is not declared."""

_PERSPECTIVE = ("", "plumb_bob", "rational_polynomial")


class CameraInfoError(ValueError):
    """A CameraInfo that does not describe the image it came with; the message says why."""


def camera_model(info: Any, size: tuple[int, int] | None = None) -> CameraModel:  # noqa: ANN401 (see module)
    """Intrinsics of the published image: K after region of interest, binning and, where needed, scaling.

    CameraInfo describes the full sensor; drivers crop (roi) and then merge pixels (binning) before they publish.
    Binning merges whole neighbourhoods, so pixel centres move by half a pixel, as in `CameraModel.resized`.

    Args:
        info: sensor_msgs/CameraInfo.
        size: (width, height) of the image, px. A CameraInfo of another size but the same shape is scaled.

    Raises:
        CameraInfoError: not calibrated (fx = 0, as ROS has it), not finite, of no camera that can be, of another shape
            than the image, or with binning larger than the sensor.
    """
    fx, skew, cx, _, fy, cy, *_ = (float(x) for x in info.k)
    width, height = int(info.width), int(info.height)
    if not (width > 0 and height > 0):
        raise CameraInfoError(f"camera_info declares {width}x{height} px, expected the size of the full sensor")
    if fx == 0.0 or fy == 0.0:
        raise CameraInfoError("camera_info is uncalibrated: K[0] or K[4] is 0")
    if not all(map(math.isfinite, (fx, fy, cx, cy, skew))) or fx < 0 or fy < 0:
        raise CameraInfoError(f"camera_info K is {[float(x) for x in info.k]}, expected finite focal lengths > 0")
    if nonsense := _nonsense(fx, fy, cx, cy, width, height, perspective=_is_perspective(info)):
        raise CameraInfoError(f"camera_info is of no camera: {nonsense}")
    roi = info.roi
    if int(roi.width) and int(roi.height):
        cx, cy, width, height = cx - int(roi.x_offset), cy - int(roi.y_offset), int(roi.width), int(roi.height)
    bin_x, bin_y = max(1, int(info.binning_x)), max(1, int(info.binning_y))
    if width < bin_x or height < bin_y:
        raise CameraInfoError(f"camera_info bins {bin_x}x{bin_y} px of {width}x{height}, expected at least one pixel")
    camera = CameraModel(
        width=width // bin_x,
        height=height // bin_y,
        fx=fx / bin_x,
        fy=fy / bin_y,
        cx=(cx + 0.5) / bin_x - 0.5,
        cy=(cy + 0.5) / bin_y - 0.5,
        distortion=tuple(float(d) for d in info.d),
        distortion_model=str(info.distortion_model),
    )
    if size is None or size == (camera.width, camera.height):
        return camera
    if camera.width * size[1] != camera.height * size[0]:
        raise CameraInfoError(
            f"camera_info describes {camera.width}x{camera.height} px, the image has {size[0]}x{size[1]}: "
            "another shape, so it is not of this image"
        )
    return camera.resized(*size)


def _is_perspective(info: Any) -> bool:  # noqa: ANN401
    """Whether the image is taken for one; a lens that nobody knows may be as wide as a fisheye."""
    return len(info.d) == 0 or str(info.distortion_model) in _PERSPECTIVE


def _nonsense(fx: float, fy: float, cx: float, cy: float, width: int, height: int, *, perspective: bool) -> str:
    """What no camera can have of a full sensor and its K, "" where there is nothing; generous on purpose.

    A focal length in millimetres, K of another camera or matrices in another order would put every obstacle elsewhere.
    """
    oblong = max(fx / fy, fy / fx)
    if oblong > MOST_OBLONG:
        return f"fx is {fx:g} and fy is {fy:g}, expected pixels at most {MOST_OBLONG:g} times as long as wide"
    for name, centre, side in (("cx", cx, width), ("cy", cy, height)):
        low, high = -FARTHEST_AXIS * side, (1.0 + FARTHEST_AXIS) * side
        if not low <= centre <= high:
            return f"{name} is {centre:g}, expected {low:g} .. {high:g} px on a sensor of {width}x{height}"
    if perspective:
        across = math.atan((cx + 0.5) / fx) + math.atan((width - 0.5 - cx) / fx)
        shorter, widest = across, WIDEST
    else:
        across, shorter, widest = width / fx, min(width / fx, height / fy), WIDEST_FISHEYE
    if across < NARROWEST or shorter > widest:
        return (
            f"fx is {fx:g} on a sensor {width} px wide, a view of {math.degrees(across):.1f} degrees, "
            f"expected {math.degrees(NARROWEST):g} .. {math.degrees(widest):g}"
        )
    return ""


def camera_from_info(info: Any, size: tuple[int, int] | None = None) -> CameraModel | None:  # noqa: ANN401
    """`camera_model`, or None where the camera is not calibrated for this image."""
    try:
        return camera_model(info, size)
    except CameraInfoError:
        return None
