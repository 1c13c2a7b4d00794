"""How the camera of a generated drive stands over the ground, in the frame of the drive's truth."""

import math

import numpy as np

from hybrid_seg_ros.obstacles.pose import CameraPose
from hybrid_seg_ros.scenes.drive import DriveConfig
from hybrid_seg_ros.scenes.view import View

MOUNT_PITCH_SIGMA = math.radians(0.22)
"""By how much a generated drive's camera pitches at most about its mounting, rad."""


def exact_pose(view: View) -> CameraPose:
    """Of one frame, with all that the car's springs do: the origin lies on the ground under the camera."""
    forward = view.rotation[2]
    yaw = math.atan2(forward[1], forward[0])
    c, s = math.cos(yaw), math.sin(yaw)
    level = np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]])
    return CameraPose.from_rotation(level @ view.rotation.T, np.array([0.0, 0.0, view.position[2]]))


def mounted_pose(config: DriveConfig) -> CameraPose:
    """As one would measure it on the standing car, and give it to a node as its parameters."""
    return CameraPose(0.0, 0.0, config.mount_height, 0.0, math.radians(config.pitch_deg))
