"""Procedural road drives with exact ground truth, for the demo, the tests and training."""

from hybrid_seg_ros.scenes.classes import CLASS_NAMES, VOID
from hybrid_seg_ros.scenes.drive import Drive, DriveConfig
from hybrid_seg_ros.scenes.sampling import random_scene
from hybrid_seg_ros.scenes.truth import ObstacleTruth, SceneFrame
from hybrid_seg_ros.scenes.unknowns import UNKNOWN_KINDS
from hybrid_seg_ros.scenes.weather import WEATHERS

__all__ = [
    "CLASS_NAMES",
    "UNKNOWN_KINDS",
    "VOID",
    "WEATHERS",
    "Drive",
    "DriveConfig",
    "ObstacleTruth",
    "SceneFrame",
    "random_scene",
]
