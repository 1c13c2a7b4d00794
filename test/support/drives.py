"""Small recordings that carry their own ground truth."""

from pathlib import Path

import numpy as np
from support.recordings import CAMERA, picture, stamp

from hybrid_seg_ros.bags import BagWriter
from hybrid_seg_ros.bags.messages import image_message
from hybrid_seg_ros.bags.topics import IMAGE
from hybrid_seg_ros.bags.truth import Truth, TruthWriter


def record_with_truth(path: Path, frames: int = 3, *, seed: int = 0) -> Path:
    """Pictures with classes in bands and one obstacle that moves; returns the folder."""
    width, height = CAMERA.width, CAMERA.height
    with BagWriter(path) as bag:
        truth = TruthWriter(bag)
        for index in range(frames):
            at = stamp(index)
            image = picture(100 * seed + index, width, height)
            labels = np.repeat(np.arange(height) * 4 // height, width).reshape(height, width).astype(np.uint8)
            anomaly = np.zeros((height, width), np.uint8)
            anomaly[20:30, 10 + index : 25 + index] = 1
            anomaly[:2] = 255
            image[anomaly == 1] = 255
            instances = (anomaly == 1).astype(np.uint16)
            obstacles = [{"id": 1, "kind": "box", "known": False, "distance": 20.0 - index}]
            bag.write("/camera/image_raw", IMAGE, at, image_message(image, "bgr8", stamp=at, frame_id="camera"))
            truth.write(Truth(at, np.where(anomaly == 0, labels, 255).astype(np.uint8), anomaly, instances, obstacles))
    return path
