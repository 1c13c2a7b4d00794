"""Frame in, Segmentation out: the whole path, free of ROS."""

from hybrid_seg_ros.detector.detector import Detector, Pending
from hybrid_seg_ros.detector.open import open_detector
from hybrid_seg_ros.detector.ranges import ConstantOutputError, InvalidOutputError
from hybrid_seg_ros.detector.types import Outputs, Segmentation, Timings

__all__ = [
    "ConstantOutputError",
    "Detector",
    "InvalidOutputError",
    "Outputs",
    "Pending",
    "Segmentation",
    "Timings",
    "open_detector",
]
