"""How the camera stands over the ground."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

OPTICAL_IN_BODY = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])
"""Rotation from the optical frame (x right, y down, z ahead) to a body frame (x ahead, y left, z up), REP 103."""


@dataclass(frozen=True, slots=True)
class CameraPose:
    """The camera in the vehicle frame, whose ground plane is z = 0.

    Angles are those of URDF (fixed axes, roll about x first) for a body frame that looks along x: all zero looks
    straight ahead and level, positive pitch looks down, positive yaw to the left, positive roll turns the camera
    clockwise seen from behind.

    Attributes:
        x: ahead of the vehicle frame's origin, m.
        y: to its left, m.
        z: over the ground, m, > 0.
        roll: rad.
        pitch: rad.
        yaw: rad.
    """

    x: float
    y: float
    z: float
    roll: float = 0.0
    pitch: float = 0.0
    yaw: float = 0.0

    def __post_init__(self) -> None:
        """Raises ValueError for a camera that is not above the ground, or values that are not finite."""
        values = (self.x, self.y, self.z, self.roll, self.pitch, self.yaw)
        if not all(map(math.isfinite, values)):
            raise ValueError(f"the camera's pose is {values}, expected finite x, y, z (m) and roll, pitch, yaw (rad)")
        if self.z <= 0.0:
            raise ValueError(f"the camera's height over the ground is {self.z:g} m, expected > 0")

    @property
    def rotation(self) -> npt.NDArray[np.float64]:
        """float64[3, 3], optical frame to vehicle frame."""
        cr, sr = math.cos(self.roll), math.sin(self.roll)
        cp, sp = math.cos(self.pitch), math.sin(self.pitch)
        cy, sy = math.cos(self.yaw), math.sin(self.yaw)
        about_x = np.array([[1, 0, 0], [0, cr, -sr], [0, sr, cr]])
        about_y = np.array([[cp, 0, sp], [0, 1, 0], [-sp, 0, cp]])
        about_z = np.array([[cy, -sy, 0], [sy, cy, 0], [0, 0, 1]])
        result: npt.NDArray[np.float64] = about_z @ about_y @ about_x @ OPTICAL_IN_BODY
        return result

    @property
    def position(self) -> npt.NDArray[np.float64]:
        """float64[3], m: the optical centre in the vehicle frame."""
        return np.array([self.x, self.y, self.z])

    @classmethod
    def from_rotation(cls, rotation: npt.NDArray[np.float64], position: npt.NDArray[np.float64]) -> "CameraPose":
        """Of a rotation float64[3, 3] from optical to vehicle frame and the optical centre float64[3], m.

        Looking straight up or down leaves roll and yaw undetermined; then roll is 0.
        """
        body = rotation @ OPTICAL_IN_BODY.T
        pitch = math.asin(min(1.0, max(-1.0, -float(body[2, 0]))))
        if abs(body[2, 0]) < 1.0 - 1e-12:
            roll = math.atan2(float(body[2, 1]), float(body[2, 2]))
            yaw = math.atan2(float(body[1, 0]), float(body[0, 0]))
        else:
            roll, yaw = 0.0, math.atan2(-float(body[0, 1]), float(body[1, 1]))
        x, y, z = (float(value) for value in position)
        return cls(x, y, z, roll, pitch, yaw)

    @classmethod
    def from_quaternion(
        cls, quaternion: tuple[float, float, float, float], position: npt.NDArray[np.float64]
    ) -> "CameraPose":
        """Of a tf2 rotation (x, y, z, w) of the optical frame in the vehicle frame, and its origin float64[3], m.

        Raises:
            ValueError: a quaternion of no length.
        """
        x, y, z, w = quaternion
        norm = math.sqrt(x * x + y * y + z * z + w * w)
        if not math.isfinite(norm) or norm < 1e-6:
            raise ValueError(f"the rotation (x, y, z, w) is {quaternion}, expected a quaternion of length 1")
        x, y, z, w = x / norm, y / norm, z / norm, w / norm
        rotation = np.array(
            [
                [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
                [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
                [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
            ]
        )
        return cls.from_rotation(rotation, position)
