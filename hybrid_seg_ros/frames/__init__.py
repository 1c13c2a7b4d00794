"""Images in and out: frames, encodings, resizing and its exact inverse, the camera model."""

from hybrid_seg_ros.frames.camera import CameraModel
from hybrid_seg_ros.frames.frame import Frame

__all__ = ["CameraModel", "Frame"]
