"""Open-set semantic segmentation for ROS 2: what a pixel is, how foreign it is, where not to drive."""

__version__ = "0.1.0"
