"""Frame in, Segmentation out: the whole path, free of ROS."""

from hybrid_seg_ros.detector.detector import Detector, open_detector
from hybrid_seg_ros.detector.ranges import InvalidOutputError
from hybrid_seg_ros.detector.types import Outputs, Segmentation, Timings

__all__ = ["Detector", "InvalidOutputError", "Outputs", "Segmentation", "Timings", "open_detector"]
