"""CameraInfo messages that fit the images we publish."""

import numpy as np
import numpy.typing as npt
from sensor_msgs.msg import CameraInfo
from std_msgs.msg import Header

from hybrid_seg_ros.frames.camera_info import CameraInfoError


def resized_camera_info(info: CameraInfo, width: int, height: int, header: Header | None = None) -> CameraInfo:
    """The CameraInfo of an output of width x height made by stretching the image that `info` came with.

    K and P are mapped (pixel centres at integers), the baseline terms of P included; R, D and the distortion
    model are kept, for they do not depend on pixels. Region of interest and binning are folded into K and P
    and read "none" in the result, because the output is no longer a window of the sensor.
    An uncalibrated `info` stays uncalibrated and only takes the new size.

    Args:
        info: what the driver published; not changed.
        width: output width, px.
        height: output height, px.
        header: of the output; that of `info` when None.

    Raises:
        CameraInfoError: `info` declares no size.
    """
    roi, bin_x, bin_y = info.roi, max(1, info.binning_x), max(1, info.binning_y)
    cropped = bool(roi.width and roi.height)
    x_offset, y_offset = (roi.x_offset, roi.y_offset) if cropped else (0, 0)
    image_width = (roi.width if cropped else info.width) // bin_x
    image_height = (roi.height if cropped else info.height) // bin_y
    if not image_width or not image_height:
        raise CameraInfoError(f"camera_info declares {info.width}x{info.height} px, expected the size of the sensor")
    scale_x, scale_y = width / image_width / bin_x, height / image_height / bin_y
    # u' = (u - x_offset + 1/2) * scale - 1/2, as a matrix on homogeneous pixels
    pixels = np.array(
        [
            [scale_x, 0.0, (0.5 - x_offset) * scale_x - 0.5],
            [0.0, scale_y, (0.5 - y_offset) * scale_y - 0.5],
            [0.0, 0.0, 1.0],
        ]
    )
    out = CameraInfo(header=header or info.header, width=width, height=height)
    out.distortion_model = info.distortion_model
    out.d = list(info.d)
    out.r = list(info.r)
    out.k = _mapped(pixels, info.k, (3, 3))
    out.p = _mapped(pixels, info.p, (3, 4))
    return out


def _mapped(pixels: npt.NDArray[np.float64], matrix: npt.ArrayLike, shape: tuple[int, int]) -> list[float]:
    values = np.asarray(matrix, np.float64).reshape(shape)
    mapped: list[float] = (pixels @ values if values[0, 0] else values).ravel().tolist()
    return mapped
