"""Small rosbag2 recordings of one camera, made with the project's own writer or with rosbags alone."""

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from hybrid_seg_ros.bags.messages import camera_info_message, compressed_message, image_message
from hybrid_seg_ros.bags.topics import CAMERA_INFO, COMPRESSED, IMAGE
from hybrid_seg_ros.bags.writer import BagWriter, Distro, Storage
from hybrid_seg_ros.frames import CameraModel

START_NS = 1_700_000_000_000_000_000
CAMERA = CameraModel(width=64, height=48, fx=60.0, fy=61.0, cx=31.5, cy=23.5)


def picture(index: int, width: int = 64, height: int = 48) -> npt.NDArray[np.uint8]:
    """uint8[H, W, 3]: noise that differs from frame to frame."""
    return np.random.default_rng(index).integers(0, 256, (height, width, 3), np.uint8)


def stamp(index: int, fps: float = 15.0) -> int:
    """Stamp of a frame, ns, with nanoseconds that a float would lose."""
    return START_NS + round(index * 1e9 / fps) + 7


def record(
    path: Path,
    frames: int = 5,
    *,
    compressed: bool = False,
    fps: float = 15.0,
    camera: CameraModel | None = CAMERA,
    image_topic: str = "/camera/image_raw",
    distro: Distro = "humble",
    storage: Storage = "mcap",
) -> Path:
    """Record `frames` pictures, with CameraInfo where a camera is given; returns the folder."""
    with BagWriter(path, distro=distro, storage=storage) as bag:
        for index in range(frames):
            at, width, height = stamp(index, fps), *((camera.width, camera.height) if camera else (64, 48))
            image = picture(index, width, height)
            if camera is not None:
                info = camera_info_message(camera, stamp=at, frame_id="camera")
                bag.write("/camera/camera_info", CAMERA_INFO, at, info)
            if compressed:
                jpeg = cv2.imencode(".png", image)[1].tobytes()
                data = compressed_message(jpeg, "png", stamp=at, frame_id="camera")
                bag.write(f"{image_topic}/compressed", COMPRESSED, at, data)
            else:
                data = image_message(image, "bgr8", stamp=at, frame_id="camera")
                bag.write(image_topic, IMAGE, at, data)
    return path
