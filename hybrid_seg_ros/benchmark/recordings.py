"""Recordings of a chosen size and rate, made of a few frames of the generated drive."""

from itertools import cycle, islice
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.bags import BagWriter
from hybrid_seg_ros.bags.messages import camera_info_message, compressed_message, image_message
from hybrid_seg_ros.bags.topics import CAMERA_INFO, COMPRESSED, IMAGE
from hybrid_seg_ros.scenes import Drive, DriveConfig

_DISTINCT = 6
_START_NS = 1_700_000_000_000_000_000


def pictures(size: tuple[int, int], count: int = _DISTINCT) -> list[npt.NDArray[np.uint8]]:
    """`count` frames of one drive, 1.5 s apart, uint8[H, W, 3] BGR.

    Args:
        size: (width, height), px; large ones are rendered at 960 x 540 and enlarged, which costs nothing in truth:
            no stage's time depends on how sharp a picture is.
        count: how many.
    """
    rendered = size if size[0] * size[1] <= 960 * 540 else (960, 540)
    drive = Drive(DriveConfig(seed=1, size=rendered, fps=1 / 1.5, n_frames=count))
    return [
        np.asarray(cv2.resize(scene.frame.image, size, interpolation=cv2.INTER_LINEAR), np.uint8) for scene in drive
    ]


def record(
    path: Path, size: tuple[int, int], fps: float, frames: int, *, jpeg: bool = False, distinct: int = _DISTINCT
) -> Path:
    """A recording of `frames` images that show `distinct` pictures in turn; raw bgr8, or JPEG of quality 95."""
    camera = Drive(DriveConfig(size=size, n_frames=1)).camera
    images = pictures(size, min(distinct, frames))
    encoded = [cv2.imencode(".jpg", i, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes() for i in images] if jpeg else []
    with BagWriter(path) as bag:
        for index, which in enumerate(islice(cycle(range(len(images))), frames)):
            stamp = _START_NS + round(index * 1e9 / fps)
            info = camera_info_message(camera, stamp=stamp, frame_id="camera")
            bag.write("/camera/camera_info", CAMERA_INFO, stamp, info)
            if jpeg:
                data = compressed_message(encoded[which], "bgr8; jpeg compressed bgr8", stamp=stamp, frame_id="camera")
                bag.write("/camera/image_raw/compressed", COMPRESSED, stamp, data)
            else:
                data = image_message(images[which], "bgr8", stamp=stamp, frame_id="camera")
                bag.write("/camera/image_raw", IMAGE, stamp, data)
    return path
